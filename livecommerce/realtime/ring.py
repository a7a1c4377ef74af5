"""The last log entries of a show in memory: what a page missed is answered from here, not from Valkey."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque

from livecommerce.shows.state import Event
from livecommerce.stock.stream_ids import stream_key

# Two minutes of a busy show at 20 entries a second. An entry may hold a batch of 256, so events count too: 10,000 chat
# lines are 12 MiB, and what is older costs a page that comes back a snapshot.
ENTRIES_MAX = 2_400
EVENTS_MAX = 10_000


class Ring:
    """Entries after `base`, in order."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._entries: deque[tuple[tuple[int, int], str, list[Event]]] = deque()
        self._events = 0

    def append(self, offset: str, events: list[Event]) -> None:
        self._entries.append((stream_key(offset), offset, events))
        self._events += len(events)
        while len(self._entries) > ENTRIES_MAX or self._events > EVENTS_MAX:
            _, self.base, dropped = self._entries.popleft()
            self._events -= len(dropped)

    def after(self, offset: str) -> list[Event] | None:
        """All events after an offset, None when it is older than what is kept or lies in the future."""
        try:
            key = stream_key(offset)
        except ValueError:
            return None
        if key < stream_key(self.base):
            return None
        keys = [entry[0] for entry in self._entries]
        last = keys[-1] if keys else stream_key(self.base)
        if key > last:
            return None
        start = bisect_right(keys, key)
        return [event for index in range(start, len(keys)) for event in self._entries[index][2]]
