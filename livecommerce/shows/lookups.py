"""Whose show is it: asked before everything else, also of ids that somebody has made up, in any number.

What is found never changes and is remembered. Ids that no show has are remembered for a moment (a show made in another
process is seen then). All that is asked in one moment is one question, so made-up ids take neither connections nor
turns from the shows that are.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

from livecommerce.errors import ShowUnknown
from livecommerce.shows.gathering import Gathering

KNOWN_MAX = 10_000  # shows whose shop is remembered
UNKNOWN_SECONDS, UNKNOWN_MAX = 1.0, 10_000
AT_ONCE, WAITING_MAX = 1_000, 20_000

Read = Callable[[list[str]], Awaitable[Sequence[bytes | None]]]


class Lookups:
    def __init__(self, read: Read) -> None:
        self._read = read
        self._shops: dict[str, str] = {}
        self._unknown: dict[str, float] = {}
        self._asked = Gathering("look up shows", self._ask, at_once=AT_ONCE, waiting=WAITING_MAX)

    async def shop_of(self, show: str) -> str:
        """
        Raises:
            ShowUnknown: there is no such show. Unavailable, Busy.
        """
        shop = self._shops.get(show)
        if shop is None and self._unknown.get(show, 0.0) <= time.monotonic():
            shop = await self._asked.ask("", show)
        if shop is None:
            raise ShowUnknown()
        return shop

    def is_made(self, show: str) -> None:
        """It is there from now on: whoever makes it sees it at once."""
        self._unknown.pop(show, None)

    async def settle(self, seconds: float) -> None:
        await self._asked.settle(seconds)

    async def _ask(self, _key: str, shows: list[str]) -> list[str | None]:
        once = list(dict.fromkeys(shows))
        answered: dict[str, str] = {}  # not read from what is remembered: that may be emptied in the middle of these
        for show, found in zip(once, await self._read(once), strict=True):
            if found is None:
                if len(self._unknown) >= UNKNOWN_MAX:
                    self._unknown.clear()
                self._unknown[show] = time.monotonic() + UNKNOWN_SECONDS
                continue
            if len(self._shops) >= KNOWN_MAX:
                self._shops.clear()
            self._shops[show] = answered[show] = found.decode()
        return [answered.get(show) for show in shows]
