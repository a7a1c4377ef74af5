"""A task that is to end does end, even when something in it swallows the cancellation."""

from __future__ import annotations

import asyncio

import pytest

from livecommerce.realtime import tasks
from livecommerce.realtime.tasks import end


async def test_no_task_and_an_ended_one_are_nothing_to_wait_for() -> None:
    await end(None)
    done = asyncio.create_task(asyncio.sleep(0))
    await done
    await end(done)
    assert not done.cancelled()


async def test_a_task_that_swallows_two_cancellations_is_ended_by_the_third(monkeypatch: pytest.MonkeyPatch) -> None:
    swallowed = []

    async def stubborn() -> None:
        while True:
            try:
                await asyncio.sleep(3_600)
            except asyncio.CancelledError:
                if len(swallowed) == 2:
                    raise
                swallowed.append(1)

    real = asyncio.wait
    monkeypatch.setattr(tasks.asyncio, "wait", lambda waiting, timeout: real(waiting, timeout=0.05))
    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await end(task)
    assert task.cancelled()
    assert len(swallowed) == 2
