"""The public snapshot of a show, read at most a few times a second however many ask.

A thousand people who open the page in one second share a handful of reads. A snapshot that is a moment old costs
nobody anything: the page resumes the event log from the snapshot's own offset.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from livecommerce.shows.kind import Parts
from livecommerce.shows.projection import Projector
from livecommerce.shows.store import ShowStore

KEPT_SECONDS = 0.25
SHOWS_MAX = 500  # kept at a time; past it the oldest goes


class Snapshots:
    """`get(show)`: the snapshot everyone may see."""

    def __init__(self, shows: ShowStore, viewers: Callable[[str], Awaitable[int]]) -> None:
        self._shows = shows
        self._viewers = viewers
        self._kept: dict[str, tuple[float, asyncio.Task[Parts]]] = {}

    async def get(self, show: str) -> Parts:
        """
        Raises:
            ShowUnknown, Unavailable
        """
        now = asyncio.get_running_loop().time()
        kept = self._kept.get(show)
        if kept is None or now - kept[0] > KEPT_SECONDS or _failed(kept[1]):
            self._forget(now)
            kept = self._kept[show] = (now, asyncio.create_task(self._read(show), name=f"snapshot {show}"))
            kept[1].add_done_callback(_failed)  # looked at, also where all who waited have gone
        # Shielded: one who leaves must not end the read the others wait for.
        return await asyncio.shield(kept[1])

    def _forget(self, now: float) -> None:
        old = [show for show, (at, task) in self._kept.items() if now - at > KEPT_SECONDS and task.done()]
        for show in old:
            del self._kept[show]
        while len(self._kept) >= SHOWS_MAX:
            self._kept.pop(next(iter(self._kept)))

    async def _read(self, show: str) -> Parts:
        state = await self._shows.load(show)
        return self._shows.kinds.snapshot(state, Projector(state["salt"]), await self._viewers(show))


def _failed(task: asyncio.Task[Parts]) -> bool:
    """A refusal is not kept: the store may be back with the next request."""
    return task.done() and (task.cancelled() or task.exception() is not None)
