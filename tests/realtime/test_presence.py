"""How many people watch: each once, on however many processes, and the dead are taken back."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from livecommerce.realtime import presence
from tests.realtime.world import SHOW


async def test_people_are_counted_once_and_a_dead_process_falls_out(
    valkey: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "MOVES_MAX", 3)  # a call takes two thousand
    one, two = presence.Presence(valkey, "one"), presence.Presence(valkey, "two")
    crowd = {f"viewer-{number}" for number in range(10)}
    await one.refresh(SHOW, {*crowd, "anna"}, {*crowd, "anna"})
    await two.refresh(SHOW, {"anna", "ben"}, {"anna", "ben"})
    await one.refresh(SHOW, {*crowd, "anna"}, {"anna"})  # told again, counted once
    assert (one.count(SHOW, 11), two.count(SHOW, 2), await presence.count_viewers(valkey, SHOW)) == (12, 12, 12)
    assert one.count(SHOW, 13) == 14, "two more came here since"
    assert one.figures(SHOW, 11)["peak"] == 12
    await two.refresh(SHOW, {"ben"}, {"anna"})
    assert two.count(SHOW, 1) == 12, "anna is still on the other process"

    # The process one is killed: whoever looks after its lease has run out takes its people back.
    await valkey.hset(presence.keys_of(SHOW)[0], "p:one", "1")
    await two.refresh(SHOW, {"ben"}, set())
    assert (two.count(SHOW, 1), await presence.count_viewers(valkey, SHOW)) == (1, 1)
    assert two.figures(SHOW, 1)["peak"] == 12
    # It was not dead, only stalled: it tells everyone again.
    await one.refresh(SHOW, {*crowd, "anna"}, set())
    assert (one.count(SHOW, 11), await presence.count_viewers(valkey, SHOW)) == (12, 12)

    await one.leave(SHOW)
    assert await presence.count_viewers(valkey, SHOW) == 1
    await two.leave(SHOW)
    assert await presence.count_viewers(valkey, SHOW) == 0
    left = {presence.keys_of(SHOW)[0].encode(), presence.course_key(SHOW).encode()}
    assert set(await valkey.keys("lc:presence:*")) == left, "only peak, watch time and the curve stay"
    assert two.figures(SHOW, 0)["now"] == 0


async def test_a_store_that_is_away_costs_nothing_but_the_count(valkey: Redis) -> None:
    away = Redis.from_url("unix:///nowhere/valkey.sock")
    alone = presence.Presence(away, "alone")
    await alone.refresh(SHOW, {"anna"}, {"anna"})
    assert alone.count(SHOW, 1) == 1, "those here are known all the same"
    back = presence.Presence(valkey, "alone")
    back._shows = alone._shows
    await back.refresh(SHOW, {"anna"}, set())  # what could not be told is told now
    assert await presence.count_viewers(valkey, SHOW) == 1
    await away.aclose()


async def test_watch_time_is_people_times_seconds(valkey: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(presence.time, "monotonic", lambda: clock[0])
    one = presence.Presence(valkey, "one")
    await one.refresh(SHOW, {"anna", "ben"}, {"anna", "ben"})
    clock[0] += 30.0
    await one.refresh(SHOW, {"anna"}, {"ben"})
    clock[0] += 10.0
    await one.refresh(SHOW, {"anna"}, set())
    assert one.figures(SHOW, 1) == {"now": 1, "peak": 2, "watch_seconds": 70}


async def test_the_clock_is_the_servers(valkey: Redis) -> None:
    one = presence.Presence(valkey, "one")
    one._clock_offset_ms = 5_000_000.0
    await asyncio.gather(one.refresh(SHOW, {"anna"}, {"anna"}), one.refresh("other", {"anna"}, {"anna"}))
    seconds, _ = await valkey.time()
    assert abs(one.now_ms() / 1000 - seconds) < 60


async def test_the_curve_has_one_figure_in_five_seconds_and_an_end(
    valkey: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = presence.Presence(valkey, "one")
    for _ in range(3):
        await one.refresh(SHOW, {"anna", "ben"}, {"anna", "ben"})
    ((at, people),) = await one.course(SHOW)
    assert people == 2, "told three times within a second"
    old = [f"{at - (number + 1) * 5_000}:{number}" for number in range(presence.COURSE_MAX + 5)]
    await valkey.delete(presence.course_key(SHOW))
    await valkey.rpush(presence.course_key(SHOW), *reversed(old))
    await one.refresh(SHOW, {"anna", "ben"}, set())
    course = await presence.Presence(valkey, "another").course(SHOW)  # a page that was reloaded asks any process
    assert (len(course), course[-1][1], course[-2][1]) == (presence.COURSE_MAX, 2, 0)
    assert [at for at, _ in course] == sorted(at for at, _ in course)
