"""A pin names the picture that arrives with it, by the media clock that all viewers share."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

from livecommerce.shows.executor import Executor
from livecommerce.shows.state import media_timestamp
from livecommerce.shows.store import ShowStore
from tests.shows.world import SHOW, give


async def pinned(executor: Executor, **fields: Any) -> int | None:
    await give(executor, "pin", **fields)
    state = await executor.store.load(SHOW)
    found: int | None = state["pins"][-1]["media_timestamp"]
    return found


async def test_without_a_relay_a_pin_names_no_picture(executor: Executor) -> None:
    assert await pinned(executor, code="A01") is None


async def test_a_pin_names_the_picture_of_its_moment(executor: Executor, store: ShowStore, valkey: Redis) -> None:
    await store.media_clock(SHOW, 2**32 - 1)
    told_at = (await store.load(SHOW))["clock"][1]
    first = await pinned(executor, code="A01")
    at = (await store.load(SHOW))["pins"][-1]["at"]
    assert first == (2**32 - 1 + 90 * (at - told_at)) % 2**32
    # A relay that told nothing more: its clock is forgotten, and the next pin is shown at once.
    assert 0 < await valkey.ttl(f"lc:{{shop}}:show:{SHOW}:clock") <= 20
    await valkey.delete(f"lc:{{shop}}:show:{SHOW}:clock")
    assert await pinned(executor, code="A02") is None


def test_the_media_clock_runs_at_90_khz_and_wraps() -> None:
    assert media_timestamp(None, 5) is None
    assert media_timestamp([1000, 2_000], 3_000) == 91_000
    assert media_timestamp([2**32 - 90, 2_000], 2_001) == 0
    assert media_timestamp([0, 2_000], 1_999) == 2**32 - 90
