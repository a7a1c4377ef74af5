"""Liveness, readiness and figures of a process, asked over HTTP as probes do."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest
from prometheus_client import REGISTRY

from livecommerce.ops import health as health_module
from livecommerce.ops import metrics
from livecommerce.ops.errors import PortInUse
from livecommerce.ops.health import Degraded, Health, Heartbeat
from livecommerce.ops.internal import serve_internal

HOST = "127.0.0.1"


async def ask(port: int | None, path: str) -> tuple[int, dict[str, object]]:
    async with aiohttp.ClientSession() as session, session.get(f"http://{HOST}:{port}{path}") as answer:
        return answer.status, await answer.json()


@pytest.fixture
async def beating():
    heartbeat = Heartbeat()
    task = asyncio.create_task(heartbeat.beat())
    yield heartbeat
    task.cancel()


async def test_alive_while_the_loop_turns_and_not_after_it_hung(beating: Heartbeat, monkeypatch) -> None:
    monkeypatch.setattr(health_module, "STALE_SECONDS", 0.3)
    async with serve_internal(Health(beating), HOST, 0) as port:
        assert (await ask(port, "/health/live"))[0] == 200
        async with aiohttp.ClientSession() as session:
            asked = asyncio.create_task(session.get(f"http://{HOST}:{port}/health/live"))
            await asyncio.sleep(0.05)
            time.sleep(0.8)  # what must never happen: somebody blocks the loop
            await (await asked).release()
        await asyncio.sleep(health_module.BEAT_SECONDS * 2)
        status, body = await ask(port, "/health/live")
        assert status == 200
        assert float(str(body["loop_lag_seconds_worst"])) > 0.3


async def test_a_stale_heartbeat_is_told(monkeypatch) -> None:
    monkeypatch.setattr(health_module, "STALE_SECONDS", -1.0)
    good, figures = Health(Heartbeat()).live()
    assert not good
    assert "heartbeat_age_seconds" in figures


async def good() -> str | None:
    return None


async def away() -> str | None:
    return "no connection"


async def broken() -> str | None:
    raise OSError("no route")


async def endless() -> str | None:
    await asyncio.sleep(3600)
    return None


@pytest.mark.parametrize(
    ("checks", "status", "wrong"),
    [
        ({"valkey": good, "sql": good}, 200, {}),
        ({"valkey": away, "sql": good}, 503, {"valkey": "no connection"}),
        ({"valkey": broken}, 503, {"valkey": "OSError: no route"}),
        ({"sql": endless}, 503, {"sql": "no answer within 0 s"}),
    ],
)
async def test_ready_when_all_checks_pass(beating: Heartbeat, monkeypatch, checks, status, wrong) -> None:
    monkeypatch.setattr(health_module, "CHECK_SECONDS_MAX", 0.1)
    health = Health(beating, checks)
    async with serve_internal(health, HOST, 0) as port:
        assert (await ask(port, "/health/ready"))[1]["wrong"] == {"process": "is starting"}
        health.started = True
        answered, said = await ask(port, "/health/ready")
        assert (answered, said["ready"], said["wrong"], said["server"]) == (status, not wrong, wrong, "livecommerce")
        health.moving = True
        assert (await ask(port, "/health/ready"))[1]["wrong"] == {"process": "is stopping"}


@pytest.mark.parametrize(
    ("sql", "degraded"),
    [(away, "no connection"), (broken, "OSError: no route"), (endless, "no answer within 0 s"), (good, "")],
)
async def test_without_what_it_can_do_without_it_is_ready_and_says_so(
    beating: Heartbeat, monkeypatch, sql, degraded: str
) -> None:
    monkeypatch.setattr(health_module, "CHECK_SECONDS_MAX", 0.1)
    health = Health(beating, {"valkey": good, "sql": sql})
    health.can_do_without.add("sql")
    health.started = True
    async with serve_internal(health, HOST, 0) as port:
        status, said = await ask(port, "/health/ready")
        wanted = {"sql": degraded} if degraded else {}
        assert (status, said["ready"], said["wrong"], said["degraded"]) == (200, True, {}, wanted)
    assert REGISTRY.get_sample_value("livecommerce_degraded") == float(bool(degraded))
    assert REGISTRY.get_sample_value("livecommerce_ready") == 1
    assert REGISTRY.get_sample_value("livecommerce_check_ready", {"check": "sql"}) == float(not degraded)


async def test_a_trouble_that_gets_worse_is_told_at_once_and_stops_readiness(
    beating: Heartbeat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_module, "READY_CACHE_SECONDS", -1.0)
    told: list[str] = []

    class Log:
        def error(self, event: str, **_: object) -> None:
            told.append(event)

        warning = error

    monkeypatch.setattr(health_module, "log", Log())
    answers: list[str | None] = [Degraded("one node is full"), Degraded("one node is full"), "all are full", None]

    async def storage() -> str | None:
        return answers.pop(0)

    health = Health(beating, {"storage": storage})
    health.started = True
    seen = [(await health.ready())[0] for _ in range(4)]
    assert seen == [True, True, False, True]
    assert told == ["degraded", "not ready", "ready again"]


async def test_many_probes_are_one_check(beating: Heartbeat) -> None:
    asked = 0

    async def count() -> str | None:
        nonlocal asked
        asked += 1
        return None

    health = Health(beating, {"valkey": count})
    health.started = True
    for _ in range(50):
        assert await health.ready() == (True, {})
    assert asked == 1


async def test_figures_of_rooms_appear_in_the_prometheus_format(beating: Heartbeat) -> None:
    figures = metrics.Figures("testroom", lambda: {"viewers": 3, "packets_sent_total": 17.0})
    REGISTRY.register(figures)
    try:
        async with (
            serve_internal(Health(beating), HOST, 0) as port,
            aiohttp.ClientSession() as session,
            session.get(f"http://{HOST}:{port}/metrics") as answer,
        ):
            text = await answer.text()
            assert answer.headers["Content-Type"].startswith("text/plain")
    finally:
        REGISTRY.unregister(figures)
    lines = text.splitlines()
    assert "livecommerce_testroom_viewers 3.0" in lines
    assert "livecommerce_testroom_packets_sent_total 17.0" in lines
    assert any(line.startswith("livecommerce_event_loop_lag_seconds_bucket") for line in lines)
    assert any(line.startswith("process_resident_memory_bytes") for line in lines)


async def test_a_taken_internal_port_is_told_in_words(beating: Heartbeat) -> None:
    async with serve_internal(Health(beating), HOST, 0) as port:
        with pytest.raises(PortInUse, match="LIVECOMMERCE_HTTP_INTERNAL_PORT"):
            async with serve_internal(Health(beating), HOST, port):
                pass


async def test_switched_off_it_serves_nothing(beating: Heartbeat) -> None:
    async with serve_internal(Health(beating), HOST, None) as port:
        assert port is None


async def test_a_store_that_answers_a_busy_process_is_ready(beating: Heartbeat, monkeypatch) -> None:
    """In a rush a process whose store had long answered called itself not ready, and lost its new viewers for it."""
    monkeypatch.setattr(health_module, "CHECK_SECONDS_MAX", 0.05)

    async def slow_turns() -> str | None:
        for _ in range(6):
            await asyncio.sleep(0)
        return None

    async def busy() -> None:
        while True:
            time.sleep(0.03)
            await asyncio.sleep(0)

    others = asyncio.create_task(busy())
    health = Health(beating, {"valkey": slow_turns})
    health.started = True
    try:
        assert await health.ready() == (True, {})
    finally:
        others.cancel()
