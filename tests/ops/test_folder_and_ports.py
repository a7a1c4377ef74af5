"""One server a data folder, and ports that are told in words."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from livecommerce.configuration.tree import Settings
from livecommerce.http.settings import Http
from livecommerce.media.settings import Media
from livecommerce.ops import folder as folders
from livecommerce.ops import ports
from livecommerce.ops.errors import AlreadyRunning, DataFolderUnusable, PortInUse
from livecommerce.roles import serving

HOST = "127.0.0.1"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        data_folder=str(tmp_path / "data"),
        http=Http(port=0, internal_port=0),
        media=Media(host=HOST, port=0, relays=2),
        web_processes=2,
    )


def test_the_folder_is_made_private(settings: Settings) -> None:
    folder = folders.prepare(settings.data_folder)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(DataFolderUnusable, match="LIVECOMMERCE_DATA_FOLDER"):
        folders.prepare(str(tmp_path / "data"))


def test_a_second_server_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    first = folders.FolderLock(tmp_path)
    first.acquire()
    assert folders.held(tmp_path) == os.getpid()
    with pytest.raises(AlreadyRunning, match=f"pid {os.getpid()}") as caught:
        folders.FolderLock(tmp_path).acquire()
    assert caught.value.number == 6011
    first.release()
    assert folders.held(tmp_path) is None
    folders.FolderLock(tmp_path).acquire()


def test_orphans_of_a_dead_server_hold_the_lock_and_are_waited_for(tmp_path: Path) -> None:
    lock = folders.FolderLock(tmp_path)
    lock.acquire()
    orphan = subprocess.Popen(["sleep", "3600"], pass_fds=[lock.descriptor])
    # as after a kill -9 of the supervisor: its descriptor is closed, its pid is gone, the child lives
    lock.release()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    lock.path.write_text(f"{gone.pid}\n")
    with pytest.raises(AlreadyRunning, match="still hold"):
        folders.FolderLock(tmp_path).acquire(wait_seconds=0.3)
    orphan.kill()
    orphan.wait()
    folders.FolderLock(tmp_path).acquire(wait_seconds=5)


def test_what_a_running_server_says_is_believed_only_while_it_runs(tmp_path: Path) -> None:
    lock = folders.FolderLock(tmp_path)
    lock.acquire()
    said = folders.Running(1, "unix:///x", HOST, 80, 81, 8189, 1, 1, 0)
    folders.write_running(tmp_path, said)
    assert folders.read_running(tmp_path) == said
    lock.release()
    assert folders.read_running(tmp_path) is None
    folders.FolderLock(tmp_path).acquire()
    assert folders.read_running(tmp_path) is None


@pytest.mark.parametrize(("kind", "word"), [(socket.SOCK_STREAM, "TCP"), (socket.SOCK_DGRAM, "UDP")])
def test_a_taken_port_is_named_with_the_setting_that_changes_it(kind: socket.SocketKind, word: str) -> None:
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind((HOST, 0))
        if kind == socket.SOCK_STREAM:
            other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortInUse, match=f"{word} port {port} on {HOST} is in use") as caught:
            ports.refuse_taken(HOST, port, kind, "media.port")
        assert "LIVECOMMERCE_MEDIA_PORT" in caught.value.text
    ports.refuse_taken(HOST, port, kind, "media.port")


def test_an_address_of_another_machine_is_told() -> None:
    with pytest.raises(PortInUse, match="not an address of this machine"):
        ports.refuse_taken("192.0.2.1", 8080, socket.SOCK_STREAM, "http.port")


def test_a_reserved_port_goes_to_the_processes_that_share_it_and_to_nobody_else() -> None:
    with ports.reserve(HOST, 0) as held:
        port = held.getsockname()[1]
        error = ports.problem(HOST, port, socket.SOCK_STREAM)
        assert error is not None
        assert error.errno == errno.EADDRINUSE
        with ports.reserve(HOST, port) as web:
            web.listen()
            for _ in range(20):  # none of them may end at the socket that only holds the port
                with socket.create_connection((HOST, port), timeout=2):
                    web.accept()[0].close()


def test_ports_given_as_zero_become_real_once(settings: Settings) -> None:
    ground = serving.prepare_ground(settings)
    try:
        made = ground.settings
        assert made.http.port
        assert made.http.internal_port
        assert made.media.port
        row = [
            ports.internal_port(made.http.internal_port, role, index)
            for role, index in [("web", 0), ("web", 1), ("relay", 1)]
        ]
        assert row == [made.http.internal_port, made.http.internal_port + 1, made.http.internal_port + 101]
        names = [plan.name for plan in serving.plans(ground)]
        assert names == ["valkey", "relay-0", "relay-1", "worker", "web-0", "web-1"]
        environment = serving.plans(ground)[-1].environment
        assert environment["LIVECOMMERCE_HTTP_PORT"] == str(made.http.port)
        assert environment["LIVECOMMERCE_REDIS_URL"].startswith("unix:///")
    finally:
        ground.release()


def test_a_refused_start_leaves_the_folder_free(settings: Settings, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        taken = other.getsockname()[1]
        http = msgspec.structs.replace(settings.http, port=taken)
        with pytest.raises(PortInUse):
            serving.prepare_ground(msgspec.structs.replace(settings, http=http))
    assert folders.held(tmp_path / "data") is None


def test_with_a_store_of_ones_own_no_valkey_is_started(settings: Settings) -> None:
    own = msgspec.structs.replace(settings.redis, url="redis://store:6379/0")
    ground = serving.prepare_ground(msgspec.structs.replace(settings, redis=own))
    try:
        assert ground.valkey is None
        assert "valkey" not in [plan.name for plan in serving.plans(ground)]
    finally:
        ground.release()


def test_a_listener_of_another_program_is_not_joined_by_port_sharing(settings: Settings) -> None:
    """SO_REUSEPORT would let us share a port with a stranger of the same user, who then gets half of the visitors."""
    with ports.reserve(HOST, 0) as stranger:
        stranger.listen()
        http = msgspec.structs.replace(settings.http, port=stranger.getsockname()[1])
        with pytest.raises(PortInUse):
            serving.prepare_ground(msgspec.structs.replace(settings, http=http))


def test_a_host_that_is_not_ours_is_told_with_its_own_setting() -> None:
    with pytest.raises(PortInUse, match=r"not an address of this machine\. Set LIVECOMMERCE_HTTP_HOST"):
        ports.refuse_taken("192.0.2.1", 8080, socket.SOCK_STREAM, "http.port")


def test_a_name_that_nobody_knows_is_no_port_in_use() -> None:
    with pytest.raises(PortInUse, match=r"no name of this machine .*LIVECOMMERCE_HTTP_HOST"):
        ports.refuse_taken("nohost.invalid", 9500, socket.SOCK_STREAM, "http.port")
    with pytest.raises(PortInUse, match=r"not an address of this machine.*LIVECOMMERCE_HTTP_INTERNAL_HOST"):
        ports.refuse_host("192.0.2.1", "http.internal_port")
    ports.refuse_host(HOST, "http.port")
