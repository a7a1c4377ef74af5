"""A relay that is gone says nothing any more: others say it for its shows."""

from __future__ import annotations

from redis.asyncio import Redis

from livecommerce.media.client.carried import carried, tell_carried
from livecommerce.media.client.directory import RELAYS_KEY
from livecommerce.media.stream import RESUME_SECONDS
from livecommerce.roles.off_air import ENDED_SECONDS, LOST_SECONDS, OffAir
from livecommerce.shows.store import ShowStore
from tests.shows.conftest import store
from tests.shows.world import SHOW

__all__ = ["store"]


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


async def media_of(store: ShowStore) -> str:
    return str((await store.load(SHOW, chat=0, whole=False))["media"]["state"])


async def test_a_stream_whose_relay_is_gone_is_lost_and_after_a_minute_ended(valkey: Redis, store: ShowStore) -> None:
    clock = Clock()
    watch = OffAir(valkey, store, clock)
    assert ENDED_SECONDS == RESUME_SECONDS, "as with a relay that lives"
    await store.media(SHOW, "live")
    await tell_carried(valkey, "relay-0", [SHOW])
    await watch.look()
    clock.now += 1000
    await watch.look()
    assert await media_of(store) == "live", "a relay carries it"
    await valkey.delete(f"lc:carried:{SHOW}")  # as its time runs out
    await watch.look()
    clock.now += LOST_SECONDS - 1
    await watch.look()
    assert await media_of(store) == "live", "a relay that was killed is back by then"
    clock.now += 1
    await watch.look()
    assert await media_of(store) == "lost"
    clock.now += ENDED_SECONDS - LOST_SECONDS - 1
    await watch.look()
    assert await media_of(store) == "lost"
    clock.now += 1
    await watch.look()
    assert await media_of(store) == "ended"


async def test_a_host_who_comes_back_in_time_is_not_put_off_the_air(valkey: Redis, store: ShowStore) -> None:
    clock = Clock()
    watch = OffAir(valkey, store, clock)
    await store.media(SHOW, "lost")
    await watch.look()
    clock.now += ENDED_SECONDS - 1
    await store.media(SHOW, "live")
    await tell_carried(valkey, "relay-1", [SHOW])
    await watch.look()
    clock.now += ENDED_SECONDS
    await watch.look()
    assert await media_of(store) == "live"


async def test_a_relays_word_runs_out_by_itself(valkey: Redis) -> None:
    await tell_carried(valkey, "relay-0", ["one", "two"])
    assert await carried(valkey, ["one", "two", "three"]) == {"one", "two"}
    assert 0 < await valkey.ttl("lc:carried:one") <= 10


async def test_a_relay_of_an_older_version_says_nothing_and_is_believed_while_it_beats(valkey: Redis) -> None:
    now_ms = int((await valkey.time())[0]) * 1000
    await valkey.set("lc:relay-of:one", "relay-0")
    await valkey.hset(RELAYS_KEY, "relay-0", f'{{"control": "/run/0", "at_ms": {now_ms}}}')
    assert await carried(valkey, ["one", "two"]) == {"one"}
    await valkey.hset(RELAYS_KEY, "relay-0", f'{{"control": "/run/0", "at_ms": {now_ms - 60_000}}}')
    assert await carried(valkey, ["one", "two"]) == set()
