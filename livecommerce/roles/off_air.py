"""Tells that a stream is lost, and ended, where its relay cannot: it was killed, or stopped before the host was back.

What a relay tells of a stream stands until it tells otherwise. One that is gone tells nothing, and pages would show
`live` for ever.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, cast

from redis.asyncio import Redis

from livecommerce.media.client.carried import carried
from livecommerce.ops.logs import logger
from livecommerce.shows.model import Keys
from livecommerce.shows.packing import decoded, unpack
from livecommerce.shows.store import ShowStore

log = logger(__name__)

LOOK_SECONDS = 3.0
ENDED_SECONDS = 60.0  # a host may come back so long, as with a relay that lives (media/stream.py)
LOST_SECONDS = 10.0  # without any relay's word: after an outage of the store all of them need a moment to say it again
REASON = "the relay is gone"


class OffAir:
    def __init__(self, redis: Redis, shows: ShowStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._shows = shows
        self._clock = clock
        self._over: set[str] = set()  # shows that have ended: not asked again
        self._absent: dict[str, float] = {}  # show -> since when no relay has said that it carries it

    async def run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        on_air = await self._on_air()
        found = await carried(self._redis, list(on_air))
        now = self._clock()
        self._absent = {show: self._absent.get(show, now) for show in on_air if show not in found}
        for show, since in self._absent.items():
            if now - since >= ENDED_SECONDS:
                await self._tell(show, "ended")
            elif now - since >= LOST_SECONDS and on_air[show] == "live":
                await self._tell(show, "lost")

    async def _tell(self, show: str, state: str) -> None:
        log.warning("a stream is off the air, its relay is gone", show=show, state=state)
        await self._shows.media(show, state, reason=REASON)

    async def _on_air(self) -> dict[str, str]:
        """{show: state} of every open show whose picture is said to be live or lost."""
        everyone = {decoded(show): decoded(shop) for show, shop in (await self._redis.hgetall(Keys.SHOWS)).items()}
        found: dict[str, str] = {}
        for show, shop in everyone.items():
            if show in self._over:
                continue
            asked = self._redis.hmget(Keys(shop, show).state, "stage", "media")
            stage, media = await cast("Any", asked)
            if stage and decoded(stage) == "ended":
                self._over.add(show)
            state = unpack(media)["state"] if media else "none"
            if state in ("live", "lost"):
                found[show] = state
                self._over.discard(show)
        return found
