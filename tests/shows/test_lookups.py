"""What lists ask of live shows, on a real store."""

from __future__ import annotations

from redis.asyncio import Redis

from livecommerce.shows.commands import Actor, Start
from livecommerce.shows.executor import Executor
from livecommerce.shows.lookups import people, stages
from livecommerce.shows.projection import Projector
from livecommerce.shows.store import ShowStore

SHOP, SHOW = "shop", "demo"  # of the fixture `store`


async def test_stages_of_shows_that_are_there_and_that_are_not_yet(
    valkey: Redis, store: ShowStore, executor: Executor
) -> None:
    assert await stages(valkey, SHOP, [SHOW, "nowhere"]) == [("scheduled", 0), ("preparing", 0)]
    await executor.execute(SHOW, Start(id="start-0001"), Actor("ling", "owner"))
    (stage, started_ms), _ = await stages(valkey, SHOP, [SHOW, "nowhere"])
    assert stage == "live"
    assert abs(started_ms - store.now_ms()) < 60_000
    assert await stages(valkey, SHOP, []) == []


async def test_people_go_by_the_name_and_the_handle_of_the_chat(valkey: Redis, store: ShowStore) -> None:
    await store.name(SHOW, "vera", "小美")
    names, handles = await people(valkey, SHOP, SHOW, ["vera", "otto"])
    projector = Projector((await store.load(SHOW))["salt"])
    assert names == {"vera": "小美"}, "who has no name has none"
    assert handles == {"vera": projector.by("vera"), "otto": projector.by("otto")}
    assert await people(valkey, SHOP, SHOW, []) == ({}, {})
