"""A store that is away or stalls ends no process: what needs it is refused by number, the rest goes on, the log says it
once. A real server on PostgreSQL, a real restart, SIGSTOP on its Valkey, a full disk and a full table of open files."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tests.browser.live_server import LiveServer
from tests.faults.buyers_under_load import Viewer
from tests.faults.test_processes import SHOW, is_ready, make_show, processes, running, until
from tests.postgres_server import PostgresServer

ANSWER_SECONDS_MAX = 12.0  # far above the bounds in the code, far below what a person saw before
OUTAGE_SECONDS = 6.0


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    server = PostgresServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def live(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    server = LiveServer(Path(tmp_path_factory.mktemp("away")) / "data", database__url=postgres.url)
    server.settings["log_format"] = "json"
    try:
        server.start()
        make_show(server)
        yield server
    finally:
        server.stop()


def log_since(server: LiveServer, place: int) -> list[dict[str, Any]]:
    """The log's entries after `place` bytes."""
    found = []
    for line in server.log.read_bytes()[place:].decode("utf-8", "replace").splitlines():
        if line.startswith("{"):
            found.append(json.loads(line))
        else:
            assert not line.startswith("Traceback"), line
    return found


def answer(server: LiveServer, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any], float]:
    """(status, JSON, seconds) of a request of the owner."""
    began = time.monotonic()
    try:
        return 200, server.request(method, path, body, role="owner"), time.monotonic() - began
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read()), time.monotonic() - began


def metric(server: LiveServer, name: str) -> float:
    """Of web-0; reading figures asks for no readiness."""
    url = f"http://127.0.0.1:{running(server)['internal_port']}/metrics"
    with urllib.request.urlopen(url, timeout=5) as response:
        text = response.read().decode()
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    assert found, name
    return float(found[1])


async def once(viewer: Viewer, text: str) -> tuple[dict[str, Any], float]:
    """The first answer to a comment, and the seconds until it came."""
    began = time.monotonic()
    assert viewer._socket is not None
    said = await viewer._socket.call("comment", {"id": str(uuid.uuid4()), "text": text}, timeout=ANSWER_SECONDS_MAX)
    return said, time.monotonic() - began


def connected(viewer: Viewer) -> bool:
    return viewer._socket is not None and bool(viewer._socket.connected)


@pytest.mark.timeout(180)
async def test_a_restart_of_postgresql_ends_no_process_and_stops_no_sale(
    live: LiveServer, postgres: PostgresServer
) -> None:
    before, place = processes(live), live.log.stat().st_size
    viewer = Viewer(live.address, SHOW, "安娜")
    await viewer.open()
    try:
        await asyncio.to_thread(answer, live, "GET", "/api/products")  # logs in
        await asyncio.to_thread(postgres.pause)
        until_then = time.monotonic() + OUTAGE_SECONDS
        while time.monotonic() < until_then:
            for path in ("/api/products", "/api/audit", f"/api/shows/{SHOW}/orders"):
                status, said, _ = await asyncio.to_thread(answer, live, "GET", path)
                assert (status, said["error"]["number"]) == (503, 6003), path
            said, _ = await once(viewer, "A01+1")
            assert said["ok"], said
            await asyncio.sleep(1.2)
        assert metric(live, "livecommerce_ready") == 1, "viewers and buyers are still sent here"
        assert metric(live, "livecommerce_degraded") == 1
        assert not is_ready(live, "worker"), "without SQL it does nothing"
        await asyncio.to_thread(postgres.resume)
        await until(lambda: answer(live, "GET", "/api/products")[0] == 200, 20, "SQL is used again")
        await until(lambda: is_ready(live, "web-0") and is_ready(live, "worker"), 20, "ready again")
        await until(lambda: metric(live, "livecommerce_degraded") == 0, 10, "whole again")
        assert connected(viewer), "the viewer was not sent away"
    finally:
        await viewer.close()
    assert processes(live) == before, "the same processes as before"
    entries = log_since(live, place)
    assert not [entry for entry in entries if "exception" in entry], "no traceback"
    loud = [entry for entry in entries if entry["level"] in ("warning", "error")]
    # a line a state and minute for each process and thing, not one a request: the requests alone were a dozen
    counted: dict[tuple[str, ...], int] = {}
    for entry in loud:
        key = (entry["process"], entry["event"], str(entry.get("check", entry.get("loop", entry.get("task", "")))))
        counted[key] = counted.get(key, 0) + 1
    assert max(counted.values()) <= 2, counted
    assert ("web-0", "degraded", "sql") in counted
    assert ("web-0", "no longer degraded", "sql") in counted


@pytest.mark.timeout(180)
async def test_processes_that_start_while_postgresql_is_away_sell_and_wait_for_it(
    live: LiveServer, postgres: PostgresServer
) -> None:
    place = live.log.stat().st_size
    await asyncio.to_thread(postgres.pause)
    try:
        for name in ("web-0", "worker"):
            before = processes(live)[name]
            os.kill(before, signal.SIGKILL)
            await until(lambda name=name, before=before: processes(live).get(name, before) != before, 30, name)  # type: ignore[misc]
        await until(lambda: is_ready(live, "web-0"), 30, "pages are served and sockets taken without SQL")
        started = processes(live)
        viewer = Viewer(live.address, SHOW, "卡洛")
        await viewer.open()
        said, _ = await once(viewer, "A01+1")
        await viewer.close()
        assert said["ok"], said
        status, answered, _ = await asyncio.to_thread(answer, live, "GET", "/api/products")
        assert (status, answered["error"]["number"]) == (503, 6003)
        assert not is_ready(live, "worker"), "without SQL it does nothing"
    finally:
        await asyncio.to_thread(postgres.resume)
    await until(lambda: answer(live, "GET", "/api/products")[0] == 200, 30, "SQL is used")
    await until(lambda: is_ready(live, "worker"), 30, "and the ledger projected")
    assert processes(live) == started, "they waited, no further start was needed"
    entries = log_since(live, place)
    assert not [entry for entry in entries if "exception" in entry], "no traceback"
    waits = [entry["process"] for entry in entries if entry["event"] == "waiting for the database"]
    assert sorted(waits) == ["web-0", "worker"], "a line a minute each"


@pytest.mark.timeout(180)
async def test_a_stalled_valkey_is_seen_and_everyone_is_answered(live: LiveServer) -> None:
    valkey, place = processes(live)["valkey"], live.log.stat().st_size
    viewer = Viewer(live.address, SHOW, "貝拉")
    await viewer.open()
    try:
        assert (await once(viewer, "hello"))[0]["ok"]
        os.kill(valkey, signal.SIGSTOP)
        try:
            login = {"login": "owner", "password": live.passwords["owner"]}
            asked = await asyncio.gather(
                once(viewer, "好看"),
                asyncio.to_thread(answer, live, "GET", f"/api/shows/{SHOW}/orders"),
                asyncio.to_thread(answer, live, "POST", "/api/login", login),
                asyncio.to_thread(answer, live, "POST", f"/api/shows/{SHOW}/commands", {"do": "unpin", "id": "x" * 8}),
            )
            comment, seconds = asked[0]
            assert (comment["ok"], comment["error"]["number"]) == (False, 6001)
            assert seconds < ANSWER_SECONDS_MAX
            for status, said, took in asked[1:]:
                assert (status, said["error"]["number"]) == (503, 6001)
                assert took < ANSWER_SECONDS_MAX
            whys = {entry.get("why") for entry in log_since(live, place) if entry["event"] == "request refused"}
            assert "TimeoutError: no answer within 2 s" in whys, "who logs in waits no longer than that"
            claim, seconds = await once(viewer, "B02+1")
            assert not claim["ok"]
            assert claim["error"]["number"] in (6001, 6004), "before stock was asked, or stock did not confirm"
            # nobody asks for readiness, and still it is known
            await until(lambda: metric(live, "livecommerce_ready") == 0, 5, "the metric tells of the stall")
            told = [entry for entry in log_since(live, place) if entry["event"] == "not ready"]
            assert {entry["process"] for entry in told if entry["check"] == "valkey"} == {"web-0", "relay-0", "worker"}
            # longer than a ping and its patience: the silence is ours
            pages = await asyncio.to_thread(lambda: urllib.request.urlopen(f"{live.address}/live/{SHOW}", timeout=20))
            assert pages.status == 200
            await asyncio.sleep(35)
            assert connected(viewer), "sockets are kept over the stall"
        finally:
            os.kill(valkey, signal.SIGCONT)
        await until(lambda: is_ready(live, "web-0"), 15, "ready again")
        assert (await once(viewer, "還在嗎"))[0]["ok"]
    finally:
        await viewer.close()
    entries = log_since(live, place)
    assert len(entries) < 60, [entry["event"] for entry in entries]


@pytest.mark.timeout(120)
async def test_a_full_store_is_told_by_number_and_readiness_says_so(live: LiveServer) -> None:
    """What the disk guard does: maxmemory of one byte. The guard would lift it within a second, so it is set again."""
    viewer = Viewer(live.address, SHOW, "卡拉")
    await viewer.open()
    client = Redis.from_url(running(live)["redis_url"])
    closed = True

    async def keep_closed() -> None:
        while closed:
            client.config_set("maxmemory", 1)
            await asyncio.sleep(0.02)

    keeping = asyncio.create_task(keep_closed())
    try:
        await until(lambda: metric(live, "livecommerce_storage_full") == 1, 8, "the metric tells of it")
        await until(lambda: metric(live, "livecommerce_ready") == 0, 8, "and readiness: nothing can be sold")
        assert is_ready(live, "relay-0"), "video goes on"
        login = {"login": "owner", "password": live.passwords["owner"]}
        request = urllib.request.Request(
            f"{live.address}/whep/{SHOW}", data=b"v=0\r\n", headers={"Content-Type": "application/sdp"}
        )

        def whep() -> tuple[int, dict[str, Any]]:
            try:
                urllib.request.urlopen(request, timeout=15)
            except urllib.error.HTTPError as error:
                return error.code, json.loads(error.read())
            raise AssertionError("it was taken")

        for _ in range(3):
            status, said = await asyncio.to_thread(whep)
            assert (status, said["error"]["code"]) == (503, "storage_full"), said
            status, said, _ = await asyncio.to_thread(answer, live, "POST", "/api/login", login)
            assert (status, said["error"]["code"]) == (503, "storage_full"), said
        said, _ = await once(viewer, "滿了嗎")
        assert (said["ok"], said["error"]["code"]) == (False, "storage_full")
        page = await asyncio.to_thread(lambda: urllib.request.urlopen(f"{live.address}/live/{SHOW}", timeout=15))
        assert page.status == 200, "reading goes on"
    finally:
        closed = False
        await keeping
        client.config_set("maxmemory", 0)
        client.close()
        await viewer.close()
    await until(lambda: is_ready(live, "web-0"), 10, "ready again")
