"""A part of a show's viewers, written at its own moment. Pure bookkeeping; the channel ticks.

Thousands of writes at one moment make the last viewer wait for all the others, and every comment that comes in
meanwhile too. So a large crowd is divided: within one interval of the tick each part has its turn, and gets everything
up to its turn. All viewers of a part stand at one offset; a frame goes from there to the offset of the mirror.
"""

from __future__ import annotations

from itertools import islice

from livecommerce.realtime.frames import SERIALIZERS, Serializer
from livecommerce.realtime.viewer import AUDIENCES, Audience, Viewer
from livecommerce.shows.state import Event

PART_VIEWERS = 2_000  # some 20 ms of writing
PARTS_MAX = 10  # a frame is built for each

GroupKey = tuple[Audience, Serializer]


class Part:
    """Viewers by audience and serializer, the offset they stand at, and the events after it."""

    __slots__ = ("count", "count_at", "events", "groups", "offset", "turns")

    def __init__(self, offset: str, count: int = -1, count_at: float = 0.0) -> None:
        self.offset = offset
        self.events: list[Event] = []
        self.groups: dict[GroupKey, dict[str, Viewer]] = {(a, s): {} for a in AUDIENCES for s in SERIALIZERS}
        self.count = count  # viewers as last told, and when (monotonic seconds)
        self.count_at = count_at
        self.turns = 0

    def size(self) -> int:
        return sum(len(group) for group in self.groups.values())

    def news(self, offset: str) -> list[Event]:
        """Its turn: hands over the events up to `offset`, where it stands from now on."""
        events, self.events, self.offset = self.events, [], offset
        self.turns += 1
        return events

    def members(self, group: GroupKey) -> list[Viewer]:
        """Each turn begins with another quarter, so that nobody is always the last."""
        members = self.groups[group].values()
        first = self.turns % 4 * len(members) // 4
        return [*islice(members, first, None), *islice(members, first)]

    def add(self, viewer: Viewer) -> None:
        self.groups[viewer.audience, viewer.serializer][viewer.sid] = viewer
        viewer.part = self

    def remove(self, viewer: Viewer) -> None:
        self.groups[viewer.audience, viewer.serializer].pop(viewer.sid, None)
        viewer.part = None

    def split(self) -> Part:
        """Every second viewer in a part of its own, at the same offset."""
        other = Part(self.offset, self.count, self.count_at)
        for group in self.groups.values():
            for viewer in tuple(group.values())[::2]:
                self.remove(viewer)
                other.add(viewer)
        return other

    def take(self, other: Part) -> None:
        """All viewers of a part that stands at the same offset."""
        for group in other.groups.values():
            for viewer in tuple(group.values()):
                other.remove(viewer)
                self.add(viewer)


def parts_wanted(viewers: int) -> int:
    return max(1, min(PARTS_MAX, -(-viewers // PART_VIEWERS)))
