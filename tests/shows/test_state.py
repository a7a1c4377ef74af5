"""What is read out of a state: the picture a pin names, the product a bare `+1` means, counters; and drafts of it."""

from __future__ import annotations

from typing import Any, cast

import pytest
from redis.asyncio import Redis

from livecommerce.shows.executor import Executor
from livecommerce.shows.state import PIN_HISTORY_MS, Draft, State, current_pin, media_timestamp, pinned_for, stock_of
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


PINS = [
    {"pin": "p1", "code": "A01", "at": 0},
    {"pin": "p2", "code": "A02", "at": 10_000},
    {"pin": "p3", "code": None, "at": 20_000},
]


@pytest.mark.parametrize(
    ("pins", "seen", "now", "expected"),
    [
        ([], None, 5, None),
        (PINS[:1], None, 5, "A01"),
        (PINS[:2], "p1", 10_000 + PIN_HISTORY_MS, "A01"),
        (PINS[:2], "p1", 10_001 + PIN_HISTORY_MS, None),  # that page is too far behind: it is asked back
        ([*PINS[:2], {**PINS[0], "pin": "p4", "at": 15_000}], "p1", 10_001 + PIN_HISTORY_MS, "A01"),  # shown again
        (PINS[:2], "p9", 11_000, None),
        (PINS, None, 21_000, None),
        (PINS, "p2", 21_000, "A02"),
        (PINS, "p3", 21_000, None),
    ],
)
def test_a_bare_claim_means_what_its_page_showed(pins: Any, seen: str | None, now: int, expected: str | None) -> None:
    state = cast("State", {"pins": pins})
    assert pinned_for(state, seen, now) == expected
    assert (current_pin(state) or {}).get("code") == (pins[-1]["code"] if pins else None)


async def test_counters_of_other_shows_are_left_out(store: ShowStore) -> None:
    state = await store.load(SHOW)
    state["stock"]["Z99"] = [1, 0, 0, 0, 1]
    assert set(stock_of(state)) == {sku for item in state["items"].values() for sku in item["skus"]}


def test_a_draft_copies_what_is_touched_once_and_leaves_the_given_state() -> None:
    before = cast("State", {"pins": [1], "names": {}})
    draft = Draft(before)
    assert draft.own("pins") is draft.own("pins")
    draft.own("pins").append(2)
    assert (before["pins"], draft.state["pins"]) == ([1], [1, 2])
    assert draft.state["names"] is before["names"]
