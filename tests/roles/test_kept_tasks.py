"""A task that meets a fault is tried again and the process lives; what a process cannot be without ends it."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from redis.exceptions import ConnectionError, RedisClusterException, ResponseError
from sqlalchemy.exc import OperationalError

from livecommerce.configuration.tree import Settings
from livecommerce.errors import DatabaseAway, Unavailable
from livecommerce.ops import health as health_room
from livecommerce.ops import metrics
from livecommerce.ops.health import Health, Heartbeat
from livecommerce.roles import process
from livecommerce.roles.process import Frame


@pytest.mark.parametrize(
    "fault",
    [
        OSError(111, "Connection refused"),
        ConnectionError("Valkey is gone"),
        RedisClusterException("no node has this slot"),
        ResponseError("OOM command not allowed"),
        OperationalError("SELECT 1", {}, Exception("away")),
        DatabaseAway(),
        Unavailable(),
        TimeoutError(),
        KeyError("a fault of ours"),
    ],
    ids=lambda fault: type(fault).__name__,
)
async def test_no_fault_ends_a_kept_task(monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    monkeypatch.setattr(process, "KEEP_PAUSE_SECONDS", 0.0)
    frame, tries, good = Frame(Settings(), "web", 0), 0, asyncio.Event()

    async def work() -> None:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise fault
        good.set()
        await asyncio.sleep(3600)

    task = frame.keep(work, "try")
    async with asyncio.timeout(5):
        await good.wait()
    assert not frame.failed
    assert not frame.stop_asked.is_set()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_a_kept_task_that_ends_at_the_stop_is_not_begun_again() -> None:
    frame, runs = Frame(Settings(), "worker", 0), 0

    async def work() -> None:
        nonlocal runs
        runs += 1
        frame.ask_stop("over")

    async with asyncio.timeout(5):
        await frame.keep(work, "try")
    assert runs == 1


async def test_readiness_is_looked_at_without_being_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health_room, "WATCH_SECONDS", 0.01)
    monkeypatch.setattr(health_room, "READY_CACHE_SECONDS", 0.0)
    monkeypatch.setattr(health_room, "CHECK_SECONDS_MAX", 0.05)
    told: list[str] = []

    class Log:
        def error(self, event: str, **_: object) -> None:
            told.append(event)

        warning = error

    monkeypatch.setattr(health_room, "log", Log())
    stalled = asyncio.Event()
    looks = 0

    async def check() -> str | None:
        nonlocal looks
        looks += 1
        if stalled.is_set():
            await asyncio.sleep(3600)
        return None

    health = Health(Heartbeat(), {"valkey": check})
    health.started = True
    watching = asyncio.create_task(health.watch())

    async def ready_is(value: int) -> None:
        async with asyncio.timeout(5):
            while metrics.READY._value.get() != value:
                await asyncio.sleep(0.01)

    await ready_is(1)
    stalled.set()
    await ready_is(0)
    seen = looks
    async with asyncio.timeout(5):
        while looks < seen + 3:
            await asyncio.sleep(0.01)
    stalled.clear()
    await ready_is(1)
    watching.cancel()
    assert told == ["not ready", "ready again"]
