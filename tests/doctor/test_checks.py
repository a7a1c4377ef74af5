"""What `doctor` finds, each finding against the thing itself."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pytest

from livecommerce import cli
from livecommerce.configuration.tree import Settings, fields
from livecommerce.doctor import machine, network, stores
from livecommerce.http.settings import Http
from livecommerce.media.settings import Media
from livecommerce.ops import folder as folders
from livecommerce.ops.findings import Finding, Level, as_text, exit_code, fail, ok, warn
from livecommerce.ops.settings import Redis
from livecommerce.ops.valkey import EmbeddedValkey
from livecommerce.settings import environment_name

HOST = "127.0.0.1"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        data_folder=str(tmp_path / "data"), http=Http(port=0, internal_port=-1), media=Media(host=HOST, port=0)
    )


def levels(findings: Iterable[Finding]) -> dict[str, Level]:
    """The worst level by check."""
    worst: dict[str, Level] = {}
    for finding in findings:
        order = list(Level)
        worst[finding.check] = max(worst.get(finding.check, Level.ok), finding.level, key=order.index)
    return worst


def test_findings_read_as_lines_with_advice_and_an_exit_code() -> None:
    found = [ok("udp", "works"), warn("disk", "1 GiB", "Free some."), fail("valkey", "away", "Start it.")]
    text = as_text(found)
    assert "ok    udp" in text
    assert "→ Start it." in text
    assert text.endswith("1 ok, 1 to look at, 1 to mend")
    assert (exit_code(found), exit_code(found[:2])) == (1, 0)


def test_this_machine_is_fit(settings: Settings) -> None:
    found = [*machine.libraries(), *machine.data_folder(settings), *machine.clock()]
    assert Level.fail not in levels(found).values(), as_text(found)
    assert machine.fsync_seconds(Path(settings.data_folder)) > 0


def test_an_open_data_folder_is_told(settings: Settings) -> None:
    Path(settings.data_folder).mkdir(mode=0o755)
    assert levels(machine.data_folder(settings))["data folder"] == Level.warn


def test_taken_ports_are_found(settings: Settings) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HOST, 0))
        media = msgspec.structs.replace(settings.media, port=other.getsockname()[1])
        found = list(network.listening_ports(msgspec.structs.replace(settings, media=media)))
    assert [finding.level for finding in found] == [Level.fail, Level.ok]
    assert "LIVECOMMERCE_MEDIA_PORT" in found[0].advice


def test_ports_of_our_own_running_server_are_no_problem(settings: Settings) -> None:
    lock = folders.FolderLock(folders.prepare(settings.data_folder))
    lock.acquire()
    try:
        assert levels(network.listening_ports(settings)) == {"ports": Level.ok}
    finally:
        lock.release()


@pytest.mark.parametrize(
    ("addresses", "mine", "level"),
    [
        ((), ["10.0.0.5"], Level.warn),
        ((), ["10.0.0.5", "203.0.114.9"], Level.ok),
        (("8.8.8.8",), ["10.0.0.5"], Level.ok),
        (("192.168.1.4",), ["10.0.0.5"], Level.warn),
        (("10.0.0.5",), ["10.0.0.5"], Level.ok),
        (("live.example.com",), ["10.0.0.5"], Level.fail),
    ],
)
def test_the_external_address(settings: Settings, monkeypatch, addresses, mine, level) -> None:
    monkeypatch.setattr(network, "interface_addresses", lambda: mine)
    media = msgspec.structs.replace(settings.media, external_addresses=addresses)
    found = list(network.external_address(msgspec.structs.replace(settings, media=media)))
    assert [finding.level for finding in found] == [level], as_text(found)


@pytest.mark.parametrize(
    ("url", "host", "level"),
    [
        ("https://live.example.com", "0.0.0.0", Level.ok),
        ("http://live.example.com", "0.0.0.0", Level.fail),
        ("http://localhost:8080", "127.0.0.1", Level.ok),
        ("live.example.com", "0.0.0.0", Level.fail),
        ("", "127.0.0.1", Level.warn),
        ("", "0.0.0.0", Level.warn),
    ],
)
def test_the_public_address(settings: Settings, url: str, host: str, level: Level) -> None:
    http = msgspec.structs.replace(settings.http, public_url=url, host=host)
    found = list(network.public_url(msgspec.structs.replace(settings, http=http)))
    assert [finding.level for finding in found] == [level]


def test_a_datagram_goes_round(settings: Settings) -> None:
    assert levels(network.udp_round_trip(settings))["udp"] == Level.ok


def test_segmentation_is_tried_for_real() -> None:
    assert set(levels(network.segmentation())) == {"udp gso"}
    assert network._send_segmented() == [1200, 1200, 700]


@pytest.fixture
def stun_server() -> Iterator[int]:
    """Answers Binding requests as RFC 8489 says, after losing the first datagram."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((HOST, 0))
    server.settimeout(10)

    def serve() -> None:
        server.recvfrom(2048)
        request, (_, port) = server.recvfrom(2048)
        magic = struct.pack("!I", network.STUN_MAGIC)
        mapped = bytes(a ^ b for a, b in zip(socket.inet_aton("203.0.114.7"), magic, strict=True))
        software = struct.pack("!HH4s", 0x8022, 3, b"abc\0")
        value = struct.pack("!BBH", 0, 1, port ^ 0x2112) + mapped
        body = software + struct.pack("!HH", 0x0020, len(value)) + value
        server.sendto(struct.pack("!HH", 0x0101, len(body)) + magic + request[8:20] + body, (HOST, port))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield server.getsockname()[1]
    thread.join(10)
    server.close()


def test_a_stun_server_tells_the_address_to_set(settings: Settings, stun_server: int) -> None:
    media = msgspec.structs.replace(settings.media, ice_servers=({"urls": f"stun:{HOST}:{stun_server}"},))
    found = list(network.stun(msgspec.structs.replace(settings, media=media)))
    assert [finding.level for finding in found] == [Level.warn]
    assert "LIVECOMMERCE_MEDIA_EXTERNAL_ADDRESSES=203.0.114.7" in found[0].advice


def test_turn_without_a_credential_is_told(settings: Settings) -> None:
    media = msgspec.structs.replace(settings.media, ice_servers=({"urls": ["turn:turn.example.com"]},))
    assert levels(network.stun(msgspec.structs.replace(settings, media=media))) == {"turn": Level.fail}


LIBRARY = "#!lua name=lc_probe\nredis.register_function('lc_probe', function() return 1 end)"


async def test_our_own_valkey_is_as_it_should_be(valkey, valkey_server: EmbeddedValkey) -> None:
    await valkey.function_load(LIBRARY)
    found = await asyncio.to_thread(lambda: list(stores.valkey(valkey_server.url, ["lc_probe"])))
    assert set(levels(found).values()) == {Level.ok}, as_text(found)
    assert set(levels(found)) == {"valkey", "valkey aof", "valkey memory", "valkey functions", "valkey clock"}


@pytest.mark.parametrize(
    ("name", "value", "check", "level"),
    [
        ("appendfsync", "everysec", "valkey aof", Level.fail),
        ("maxmemory-policy", "allkeys-lru", "valkey memory", Level.fail),
        ("maxmemory", "1", "valkey memory", Level.fail),
    ],
)
async def test_a_valkey_that_could_lose_stock_is_told(valkey, valkey_server, name, value, check, level) -> None:
    before = (await valkey.config_get(name))[name]
    await valkey.config_set(name, value)
    try:
        found = await asyncio.to_thread(lambda: list(stores.valkey(valkey_server.url, ["not_loaded"])))
    finally:
        await valkey.config_set(name, before)
    assert levels(found)[check] == level
    assert levels(found)["valkey functions"] == Level.warn


def test_a_valkey_without_aof_fails(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path, fsync="off")
    server.start()
    try:
        assert levels(stores.valkey(server.url, []))["valkey aof"] == Level.fail
    finally:
        server.stop()


def test_no_valkey_at_all_is_one_finding_without_the_password() -> None:
    with socket.socket() as nobody:
        nobody.bind((HOST, 0))
        url = f"redis://u:hunter2@{HOST}:{nobody.getsockname()[1]}"
        found = list(stores.valkey(url, []))
    assert [finding.level for finding in found] == [Level.fail]
    assert "hunter2" not in as_text(found)


@pytest.fixture
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for dotted, *_ in fields():
        monkeypatch.delenv(environment_name(dotted), raising=False)
    monkeypatch.setenv("LIVECOMMERCE_DATA_FOLDER", settings.data_folder)


@pytest.mark.usefixtures("environment")
def test_doctor_prints_findings_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["doctor", "--json", "--set", "http.port=0", "--set", "http.internal_port=-1", "--set", "media.port=0"]
    code = cli.main(words)
    found = msgspec.convert(json.loads(capsys.readouterr().out), list[Finding])
    assert code == exit_code(found)
    assert {"python", "disk", "udp", "udp gso", "valkey", "sql", "clock", "external address"} <= set(levels(found))


@pytest.mark.usefixtures("environment")
def test_doctor_quick_is_red_when_nothing_runs(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as nobody:
        nobody.bind((HOST, 0))
        port = nobody.getsockname()[1]
    assert cli.main(["doctor", "--quick", "--role", "web", "--set", f"http.internal_port={port}"]) == 1
    assert "no process answers" in capsys.readouterr().out


def test_redis_settings_reach_the_check(settings: Settings) -> None:
    from livecommerce.doctor import command

    away = msgspec.structs.replace(settings, redis=Redis(url="unix:///nowhere.sock"))
    assert levels(command._valkey(away)) == {"valkey": Level.fail}


class _Impostor(threading.Thread):
    """A program that answers 200 to everything on a port of its own."""

    def __init__(self, body: bytes) -> None:
        super().__init__(daemon=True)
        self._listening = socket.create_server((HOST, 0))
        self.port = self._listening.getsockname()[1]
        self._body = body

    def run(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                connection.recv(4096)
                head = f"HTTP/1.0 200 OK\r\nContent-Length: {len(self._body)}\r\n\r\n"
                connection.sendall(head.encode() + self._body)

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"OK", "another program"),
        (b'{"ready": true, "wrong": {}}', "another program"),
        (b'{"ready": true, "wrong": {}, "server": "livecommerce", "instance": "0123"}', "another data folder"),
    ],
)
def test_the_health_check_calls_nobody_elses_server_ready(settings: Settings, body: bytes, words: str) -> None:
    folders.prepare(settings.data_folder)
    other = _Impostor(body)
    other.start()
    try:
        wanted = msgspec.structs.replace(settings, http=Http(port=0, internal_port=other.port))
        [finding, *_] = network.processes(wanted, ("web",))
        assert finding.level == Level.fail
        assert words in finding.found
    finally:
        other.close()


def test_instances_differ_by_folder_and_are_the_same_for_one(tmp_path: Path) -> None:
    first, second = folders.prepare(str(tmp_path / "a")), folders.prepare(str(tmp_path / "b"))
    assert folders.instance_of(str(first)) == folders.instance_of(str(tmp_path / "a"))
    assert folders.instance_of(str(first)) != folders.instance_of(str(second))


def test_health_beyond_this_machine_and_a_loopback_address_for_viewers_are_told(settings: Settings) -> None:
    assert list(network.internal_host(settings)) == []
    http = msgspec.structs.replace(settings.http, internal_host="0.0.0.0", internal_port=8081)
    open_to_all = msgspec.structs.replace(settings, http=http)
    assert levels(network.internal_host(open_to_all)) == {"internal ports": Level.warn}
    media = msgspec.structs.replace(settings.media, external_addresses=("127.0.0.1",))
    [found] = network.external_address(msgspec.structs.replace(settings, media=media))
    assert "is this machine itself" in found.found
