"""How long a page waits for the live store: not less because this process is busy."""

from __future__ import annotations

import asyncio
import time

import pytest

from livecommerce.ops.patience import patiently


async def busy(seconds: float) -> None:
    """Other work of this process: each turn of the loop takes that long."""
    while True:
        time.sleep(seconds)
        await asyncio.sleep(0)


async def answered(turns: int) -> str:
    for _ in range(turns):
        await asyncio.sleep(0)
    return "here"


async def test_a_busy_process_does_not_take_its_own_work_for_silence() -> None:
    """Pages of a rush gave up after 1.5 s of our own work, and asked the database as well."""
    others = asyncio.create_task(busy(0.03))
    try:
        assert await patiently(answered(8), 0.05) == "here"
    finally:
        others.cancel()


async def test_silence_ends_and_so_does_the_call() -> None:
    never = asyncio.Event()
    ended: list[bool] = []

    async def call() -> None:
        try:
            await never.wait()
        finally:
            ended.append(True)

    with pytest.raises(TimeoutError):
        await patiently(call(), 0.05)
    await asyncio.sleep(0)
    assert ended == [True]


async def test_what_the_call_raises_is_raised() -> None:
    async def call() -> None:
        raise KeyError("it")

    with pytest.raises(KeyError):
        await patiently(call(), 1.0)


async def test_who_leaves_takes_the_call_along() -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def call() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    waiting = asyncio.create_task(patiently(call(), 60.0))
    await started.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    async with asyncio.timeout(10):
        await ended.wait()
