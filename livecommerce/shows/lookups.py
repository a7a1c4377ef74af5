"""What lists ask of live shows: which stage they are in, and under what names their viewers bought. One read each."""

from __future__ import annotations

from collections.abc import Sequence

from redis.asyncio import Redis

from livecommerce.shows.model import Keys
from livecommerce.shows.projection import Projector


async def stages(redis: Redis, shop: str, shows: Sequence[str]) -> list[tuple[str, int]]:
    """(stage, Unix milliseconds of its start or 0) of each; "preparing" while a show is not in the live store yet."""
    if not shows:
        return []
    async with redis.pipeline(transaction=False) as pipe:
        for show in shows:
            pipe.hmget(Keys(shop, show).state, "stage", "started_ms")
        found = await pipe.execute()
    return [(stage.decode() if stage else "preparing", int(started or 0)) for stage, started in found]


async def people(redis: Redis, shop: str, show: str, viewers: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """(chat names, public handles) by viewer, as the show knows them; who has no name is missing in the first."""
    if not viewers:
        return {}, {}
    keys = Keys(shop, show)
    async with redis.pipeline(transaction=False) as pipe:
        pipe.hget(keys.state, "salt")
        pipe.hmget(keys.names, list(viewers))
        salt, names = await pipe.execute()
    projector = Projector(salt.decode() if salt else "")
    known = {viewer: name.decode() for viewer, name in zip(viewers, names, strict=True) if name}
    return known, {viewer: projector.by(viewer) for viewer in viewers}
