"""The shop and the stage of shows on air, kept for a moment: thousands of players ask for HLS in the same one."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

KEPT_SECONDS = 0.3  # what ended is hidden within a second, the relay's own look included
LIVE = "live"
KEPT_MAX = 1_000  # shows of one process; all are forgotten when it is full

Place = tuple[str, str]


class Places:
    def __init__(self, place_of: Callable[[str], Awaitable[Place]]) -> None:
        self._place_of = place_of
        self._kept: dict[str, tuple[float, Place]] = {}

    async def get(self, show: str) -> Place:
        """(shop, stage).

        Raises:
            ShowUnknown, Unavailable.
        """
        at, place = self._kept.get(show, (float("-inf"), ("", "")))
        if time.monotonic() - at < KEPT_SECONDS:
            return place
        place = await self._place_of(show)
        if place[1] != LIVE:  # few ask, and a start must be seen at once
            return place
        if len(self._kept) >= KEPT_MAX:
            self._kept.clear()
        self._kept[show] = (time.monotonic(), place)
        return place
