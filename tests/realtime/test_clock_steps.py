"""A clock that steps back or forth: nobody waits longer than the rule says, and nobody dead counts as alive."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from livecommerce.accounts.rate_limit import PREFIX, Bucket, RateLimit
from livecommerce.intake.rate import WINDOW_MS, WINDOWS_MAX, CommentRate
from livecommerce.media.client.directory import RELAYS_KEY, RelayDirectory
from livecommerce.realtime.presence import EXPIRY_MS, Presence, keys_of
from livecommerce.shows.kinds import SHOW_KINDS
from livecommerce.shows.moderation import may_act, mute_wait_ms, slow_wait_ms
from livecommerce.shows.registry import Registry
from livecommerce.shows.store import ShowStore
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.settings import Stock

MINUTES_10 = 600_000
NOW = 1_800_000_000_000


def show(slow_seconds: int = 0, **buyer: Any) -> dict[str, Any]:
    return {"settings": {"slow_seconds": slow_seconds}, "buyers": {"anna": buyer}, "show": {"stage": "live"}}


@pytest.mark.parametrize("back_ms", [5_000, MINUTES_10, 86_400_000])
def test_nobody_is_muted_by_a_clock_that_stepped_back(back_ms: int) -> None:
    rate = CommentRate()
    for number in range(8):
        rate.take("anna", f"comment-{number}", NOW + number)
    later = NOW - back_ms
    assert rate.wait_ms("anna", 8, NOW + 10) <= WINDOW_MS
    assert rate.wait_ms("anna", 8, later) == 0
    rate.take("anna", "comment-9", later)
    assert rate.wait_ms("anna", 8, later + 1) == 0, "counted anew from here"
    assert slow_wait_ms(show(slow_seconds=30), NOW, later) == 0
    assert slow_wait_ms(show(slow_seconds=0), NOW, later) == 0


@pytest.mark.parametrize("forth_ms", [0, 1, WINDOW_MS, MINUTES_10])
def test_waits_are_capped_by_their_own_rule(forth_ms: int) -> None:
    rate = CommentRate()
    for number in range(64):
        rate.seen("anna", f"comment-{number}", NOW + 1_500)  # another process's clock, a little ahead
    assert rate.wait_ms("anna", 8, NOW + forth_ms) <= WINDOWS_MAX * WINDOW_MS + 1_500
    assert slow_wait_ms(show(slow_seconds=30), NOW + 1_500, NOW + forth_ms) <= 30_000


def test_a_mute_is_never_told_longer_than_it_was_given() -> None:
    buyer = {"muted_until": NOW + 60_000, "muted_for_ms": 60_000}
    assert mute_wait_ms(buyer, NOW) == 60_000
    assert mute_wait_ms(buyer, NOW - MINUTES_10) == 60_000
    assert mute_wait_ms(buyer, NOW + 60_000) == 0
    assert mute_wait_ms({"muted_until": NOW + 60_000}, NOW) == 60_000, "a record of an older release"
    refusal = may_act(show(**buyer), "anna", NOW - MINUTES_10)
    assert refusal is not None
    assert refusal.retry_after_ms == 60_000


async def test_our_own_clock_being_set_changes_no_time(valkey: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = StockEngine(valkey, Stock())
    store, presence = ShowStore(valkey, engine, Registry(SHOW_KINDS)), Presence(valkey, "one")
    presence.on_clock = store.compare_clock
    await presence.refresh("demo", ["anna"], {"anna"})
    before = store.now_ms(), presence.now_ms()
    real = time.time
    for step in (-600.0, 86_400.0):
        monkeypatch.setattr(time, "time", lambda step=step: real() + step)
        assert abs(store.now_ms() - before[0]) < 60_000
        assert abs(presence.now_ms() - before[1]) < 60_000
    await engine.close()


async def test_the_stores_clock_is_followed(valkey: Redis) -> None:
    engine = StockEngine(valkey, Stock())
    store, presence = ShowStore(valkey, engine, Registry(SHOW_KINDS)), Presence(valkey, "one")
    presence.on_clock = store.compare_clock
    store.compare_clock(NOW - MINUTES_10)
    await presence.refresh("demo", ["anna"], {"anna"})
    seconds, _ = await valkey.time()
    assert abs(store.now_ms() - seconds * 1000) < 60_000
    await engine.close()


async def test_a_bucket_counted_in_the_future_counts_no_more(valkey: Redis) -> None:
    limit, bucket = RateLimit(valkey), Bucket("login:anna", 2, 2.0)
    assert [await limit.take([bucket]) for _ in range(2)] == [0, 0]
    assert await limit.take([bucket]) > 0
    seconds, _ = await valkey.time()
    await valkey.hset(f"{PREFIX}login:anna", "at", str(seconds * 1000 + MINUTES_10))
    assert await limit.take([bucket]) == 0


async def test_the_dead_of_before_the_step_are_taken_back(valkey: Redis) -> None:
    dead, alive = Presence(valkey, "dead"), Presence(valkey, "alive")
    await dead.refresh("demo", ["bella"], {"bella"})
    seconds, _ = await valkey.time()
    await valkey.hset(keys_of("demo")[0], "p:dead", str(seconds * 1000 + MINUTES_10 + EXPIRY_MS))
    await alive.refresh("demo", ["anna"], {"anna"})
    await alive.refresh("demo", ["anna"], set())
    assert alive.figures("demo", 1)["now"] == 1


async def test_a_relay_that_beat_in_the_future_is_not_alive(valkey: Redis, tmp_path: Path) -> None:
    seconds, _ = await valkey.time()
    entry = f'{{"control":"/run/x.sock","at_ms":{seconds * 1000 + MINUTES_10}}}'
    await valkey.hset(RELAYS_KEY, "dead", entry)
    directory = RelayDirectory(valkey)
    assert await directory.relays() == {}
    await directory.close()
