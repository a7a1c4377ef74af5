"""kill -9 of every process in turn while people order: nothing acknowledged is lost, nothing is sold twice.

One real server (`livecommerce serve`) on free ports in a folder of its own, real Socket.IO viewers, real signals.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from livecommerce.stock import showlog
from tests.browser.live_server import LiveServer
from tests.faults.buyers_under_load import Acknowledged, Crowd

SHOW = "faults"
SUPPLY = {"A01": 60, "B02": 500}  # A01 sells out in the midst of it: waitlists live through the faults too
VIEWERS = 10
HEAL_SECONDS_MAX = 30.0
BETWEEN = 12  # answered comments between two faults
OFFSETS = {"web-0": 0, "relay-0": 100, "worker": 200}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    """A server to be killed."""
    live = LiveServer(tmp_path / "data")
    live.start()
    yield live
    live.stop()


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One server for the tests that only look; the last test of the file stops it."""
    live = LiveServer(Path(tmp_path_factory.mktemp("calm")) / "data")
    live.start()
    yield live
    live.stop()


def running(server: LiveServer) -> dict[str, Any]:
    return dict(json.loads((server.folder / "running.json").read_text("utf-8")))


def processes(server: LiveServer) -> dict[str, int]:
    """Name → pid of the supervisor's living children, as the kernel sees them."""
    supervisor = running(server)["pid"]
    found: dict[str, int] = {}
    for task in Path(f"/proc/{supervisor}/task").iterdir():
        for pid in _read(task / "children").split():
            words = _read(Path(f"/proc/{pid}/cmdline")).split("\0")
            if any("valkey-server" in word or "redis-server" in word for word in words[:1]):
                found["valkey"] = int(pid)
            elif "livecommerce" in words:
                role = words[words.index("livecommerce") + 1]
                index = words[words.index("--index") + 1] if "--index" in words else ""
                found[f"{role}-{index}" if index else role] = int(pid)
    return found


def _read(path: Path) -> str:
    """Empty where the thread or process has ended since it was listed."""
    try:
        return path.read_text("utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return ""


async def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Polls: what is waited for happens in other processes."""
    limit = time.monotonic() + seconds
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < limit, f"not within {seconds:.0f} s: {what}"
        await asyncio.sleep(0.1)


def is_ready(server: LiveServer, name: str) -> bool:
    if name == "valkey":
        try:
            return bool(Redis.from_url(running(server)["redis_url"]).ping())
        except Exception:  # away, loading: not yet
            return False
    port = running(server)["internal_port"] + OFFSETS[name]
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=3) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


async def kill_and_heal(server: LiveServer, name: str) -> None:
    before = processes(server)
    os.kill(before[name], signal.SIGKILL)

    def healed() -> bool:
        now = processes(server)
        return name in now and now[name] != before[name] and is_ready(server, name)

    await until(healed, HEAL_SECONDS_MAX, f"{name} is back")
    others = {other: pid for other, pid in processes(server).items() if other != name}
    assert others == {other: pid for other, pid in before.items() if other != name}, "only the killed one was restarted"


def make_show(server: LiveServer) -> None:
    items = [
        {"code": code, "names": [name], "price_minor": 390, "supply": {code: SUPPLY[code]}}
        for code, name in (("A01", "碎花洋裝"), ("B02", "帆布包"))
    ]
    server.make_show(SHOW, items)
    server.command(SHOW, "start")
    server.command(SHOW, "pin", code="A01")


def stock_of(server: LiveServer) -> dict[str, list[int]]:
    """sku → [available, held, sold, waiting, supplied], from the public snapshot."""
    return dict(server.request("GET", f"/api/shows/{SHOW}/snapshot")["stock"])


def log_of(server: LiveServer) -> tuple[set[str], dict[str, dict[str, Any]]]:
    """(comment ids, latest claim by reservation) in the show's event log, read from Valkey itself."""
    client = Redis.from_url(running(server)["redis_url"])
    [key] = client.keys(f"lc:*:show:{SHOW}:log")
    comments: set[str] = set()
    claims: dict[str, dict[str, Any]] = {}
    for _, fields in client.xrange(key):
        for event in showlog.events(fields):
            if event["t"] == "chat":
                comments.add(event["id"])
            elif event["t"] == "claims":
                for claim in event["claims"]:
                    if claim.get("reservation"):
                        claims[claim["reservation"]] = claim
    client.close()
    return comments, claims


def check_everything_acknowledged_is_there(server: LiveServer, acknowledged: Acknowledged) -> None:
    stock = stock_of(server)
    for code, (available, held, sold, _, supplied) in stock.items():
        assert min(available, held, sold) >= 0
        assert available + held + sold == supplied == SUPPLY[code]
    comments, claims = log_of(server)
    assert set(acknowledged.chat) <= comments
    assert set(acknowledged.reserved) <= set(claims)
    held = dict.fromkeys(SUPPLY, 0)
    for reservation, quantity in acknowledged.reserved.items():
        assert claims[reservation]["reserved"] == quantity, reservation
        held[reservation.partition("#")[0]] += quantity
    # every comment was sent until it was answered, so what is held is exactly what was told, and nothing twice
    assert held == {code: numbers[1] + numbers[2] for code, numbers in stock.items()}


async def orders_match(server: LiveServer, acknowledged: Acknowledged) -> None:
    """The worker has projected each reservation into SQL exactly once."""

    def quantities() -> dict[str, int]:
        found: dict[str, int] = {}
        for order in server.request("GET", f"/api/shows/{SHOW}/orders?limit=500", role="owner")["orders"]:
            for line in order["lines"]:
                if line["state"] in ("held", "confirmed"):
                    found[line["reservation"]] = line["quantity"]
        return found

    await until(lambda: quantities() == acknowledged.reserved, HEAL_SECONDS_MAX, "orders equal reservations")


@pytest.mark.timeout(240)
async def test_each_process_killed_in_turn_during_load(server: LiveServer) -> None:
    await asyncio.to_thread(make_show, server)
    crowd = Crowd(server.address, SHOW, VIEWERS, seed=20261122)
    await crowd.open()
    try:
        await crowd.answered(BETWEEN)
        for name in ("web-0", "relay-0", "worker", "valkey"):
            await kill_and_heal(server, name)
            await crowd.answered(BETWEEN)
    finally:
        await crowd.close()
    acknowledged = crowd.acknowledged
    assert acknowledged.refused == []
    assert sum(viewer.sent_again for viewer in crowd.viewers) > 0, "no fault was felt: the test tests nothing"
    assert sum(acknowledged.reserved.values()) > VIEWERS
    await asyncio.to_thread(check_everything_acknowledged_is_there, server, acknowledged)
    await orders_match(server, acknowledged)

    # and the supervisor itself: its children die with it, a new start finds everything
    supervisor, children = running(server)["pid"], processes(server)
    os.kill(supervisor, signal.SIGKILL)
    await until(lambda: not any(_runs(pid) for pid in children.values()), HEAL_SECONDS_MAX, "no orphan is left")
    server.stop()
    await asyncio.to_thread(server.start)
    await asyncio.to_thread(check_everything_acknowledged_is_there, server, acknowledged)
    await orders_match(server, acknowledged)


@pytest.mark.nightly
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [1, 2])
async def test_two_minutes_of_random_faults(tmp_path: Path, seed: int) -> None:
    """Two web processes, two relays; one after another dies at random moments, some before the last one is back."""
    chance = random.Random(seed)
    server = LiveServer(tmp_path / "data", web_processes="2", media__relays="2")
    await asyncio.to_thread(server.start)
    try:
        await asyncio.to_thread(make_show, server)
        crowd = Crowd(server.address, SHOW, VIEWERS, seed)
        await crowd.open()
        try:
            until_then = time.monotonic() + 120
            while time.monotonic() < until_then:
                names = sorted(processes(server).items())
                name, pid = chance.choice(names)
                number = signal.SIGKILL if name == "valkey" else chance.choice([signal.SIGKILL, signal.SIGTERM])
                os.kill(pid, number)
                await asyncio.sleep(chance.uniform(0.5, 6.0))
            await until(lambda: is_ready(server, "web-0") and is_ready(server, "valkey"), HEAL_SECONDS_MAX, "calm")
            await crowd.answered(BETWEEN)
        finally:
            await crowd.close()
        await asyncio.to_thread(check_everything_acknowledged_is_there, server, crowd.acknowledged)
        await orders_match(server, crowd.acknowledged)
    finally:
        await asyncio.to_thread(server.stop)


def _runs(pid: int) -> bool:
    """False for zombies too: they only wait for their parent to look."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def test_a_second_server_on_the_same_folder_is_refused_in_words(calm: LiveServer) -> None:
    second = await asyncio.create_subprocess_exec(
        *calm._command("serve", "--set", "http.port=0"),
        env=calm._environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await asyncio.wait_for(second.communicate(), 30)
    assert second.returncode == 1
    assert f"error 6011 (already_running): A server (pid {running(calm)['pid']}) is already running" in errors.decode()


async def test_a_taken_port_is_told_in_words(calm: LiveServer, tmp_path: Path) -> None:
    port = running(calm)["http_port"]
    other = LiveServer(tmp_path / "other", http__port=str(port))
    flags = [word for name, value in other.settings.items() for word in ("--set", f"{name}={value}")]
    second = await asyncio.create_subprocess_exec(
        *other._command("serve", *flags), env=other._environment(), stderr=asyncio.subprocess.PIPE
    )
    _, errors = await asyncio.wait_for(second.communicate(), 30)
    assert second.returncode == 1
    assert f"error 6010 (port_in_use): TCP port {port} on 127.0.0.1 is in use" in errors.decode()
    assert "LIVECOMMERCE_HTTP_PORT" in errors.decode()


async def test_doctor_and_the_health_check_see_the_running_server(calm: LiveServer) -> None:
    for words in (["doctor", "--quick"], ["doctor", "--json"]):
        process = await asyncio.create_subprocess_exec(
            *calm._command(*words, "--set", "media.external_addresses=127.0.0.1"),
            env=calm._environment(),
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, printed.decode()
    found = json.loads(printed)
    assert {finding["found"] for finding in found if finding["check"] == "health"} == {
        "web-0 is ready",
        "relay-0 is ready",
        "worker is ready",
    }


async def test_the_internal_port_tells_figures(calm: LiveServer) -> None:
    for offset in OFFSETS.values():
        port = running(calm)["internal_port"] + offset

        def ask(path: str, port: int = port) -> str:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return str(answer.read().decode())

        assert json.loads(await asyncio.to_thread(ask, "/health/live"))["live"] is True
        assert "livecommerce_build_info" in await asyncio.to_thread(ask, "/metrics")


async def test_the_stop_is_clean_and_leaves_nothing_behind(calm: LiveServer) -> None:
    children = processes(calm)
    assert set(children) == {"valkey", "relay-0", "worker", "web-0"}
    began = time.monotonic()
    await asyncio.to_thread(calm.stop)
    assert time.monotonic() - began < 15  # LiveServer would have killed it then
    assert not any(_runs(pid) for pid in children.values())
    log = calm.log.read_text("utf-8", "replace")
    assert "did not stop in time" not in log
    assert "stopped" in log
