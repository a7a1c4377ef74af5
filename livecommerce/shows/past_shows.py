"""Where the comments of a past show come from when they are read again: its log, before that the archive.

The log is trimmed; what it has dropped stands beside the recording. Parsing runs in a thread, one request of a process
at a time; nothing is changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from livecommerce.comments import VERSION, CatalogueIndex, ItemWords
from livecommerce.shows.packing import decoded
from livecommerce.shows.projection import Projector
from livecommerce.shows.reparse import Entries, Reading, items_today
from livecommerce.shows.state import State
from livecommerce.shows.store import Entry, ShowStore, events_of

ENTRIES_MAX = 500  # of the log in one read: some megabytes at most

# (show, after, before) -> viewers' lines between two offsets, in order; none unless `after` comes first. Blocking.
Archive = Callable[[str, str, str], Entries]


def _viewers_lines(entries: Iterable[Entry]) -> Entries:
    for entry, fields in entries:
        events = [event for event in events_of(fields) if event["t"] == "chat" and event["kind"] == "viewer"]
        yield decoded(entry), events


class PastShows:
    """`read` one after the other, however many ask."""

    def __init__(self, store: ShowStore, archive: Archive) -> None:
        self._store = store
        self._archive = archive
        self._reading = asyncio.Lock()

    async def read(self, shop: str, show: str, after: str, today: Sequence[ItemWords]) -> dict[str, Any]:
        """The answer of `GET …/reparse`: from the entry behind `after` on, until a limit is met or the log ends.

        Args:
            today: the catalogue as it is now.

        Raises:
            ShowUnknown, Unavailable.
        """
        async with self._reading:
            state = await self._store.load(show, chat=0, whole=False)
            index = await self._index(shop, state, today)
            reading = Reading(index, tuple(state["show"]["packs"]), Projector(state["salt"]))
            first = await self._store.entries(show, "0-0", 1)
            start = decoded(first[0][0]) if first else after
            await asyncio.to_thread(lambda: reading.take(self._archive(show, after, start)))
            is_whole = not reading.is_full and await self._read_log(show, reading.offset or after, reading)
        return {
            "read": reading.read, "changed": len(reading.differences), "differences": reading.differences,
            "version": VERSION, "next": None if is_whole else reading.offset,
        }  # fmt: skip

    async def _index(self, shop: str, state: State, today: Sequence[ItemWords]) -> CatalogueIndex:
        words = (await self._store.shop_words(shop)).words
        packs = tuple(state["show"]["packs"])
        items = items_today(state, today)
        return await asyncio.to_thread(CatalogueIndex.build, items, shop_words=words, packs=packs)

    async def _read_log(self, show: str, after: str, reading: Reading) -> bool:
        """True when the log was read to its end."""
        while not reading.is_full:
            entries = await self._store.entries(show, after, ENTRIES_MAX)
            if not entries:
                return True
            await asyncio.to_thread(reading.take, _viewers_lines(entries))
            after = reading.offset
        return False
