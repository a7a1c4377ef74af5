"""The joined sockets of a show as the tick sees them: a `Viewer` each, in parts that are written to in turn. Pure
bookkeeping; the channel ticks.

Thousands of writes at one moment make the last viewer wait for all the others, and every comment that comes in
meanwhile too. So a large crowd is divided: within one interval of the tick each part has its turn, and gets everything
up to its turn. All viewers of a part stand at one offset; a frame goes from there to the offset of the mirror.
"""

from __future__ import annotations

import asyncio
import sys
from itertools import islice
from typing import Literal, Protocol

from livecommerce.http.identity import Identity
from livecommerce.realtime.close_codes import CloseCode
from livecommerce.realtime.frames import SERIALIZERS, Serializer, event_payload, frame_of
from livecommerce.shows.state import Event

Audience = Literal["viewer", "staff"]
AUDIENCES: tuple[Audience, ...] = ("viewer", "staff")
GroupKey = tuple[Audience, Serializer]

PART_VIEWERS = 2_000  # some 20 ms of writing
PARTS_MAX = 10  # a frame is built for each


class Door(Protocol):
    """How bytes reach one socket: the transport itself (fast path) or stock queues."""

    def buffered(self) -> int:
        """Bytes that the peer has not taken yet."""

    def write(self, frame: bytes) -> None:
        """One whole WebSocket frame."""

    def goodbye(self, close_code: CloseCode) -> None: ...


class Pipe(Protocol):
    """What the broadcast needs of a transport."""

    def get_write_buffer_size(self) -> int: ...

    def write(self, frame: bytes) -> None: ...


class Blocked:
    """The pipe of a viewer that frames may not simply be written to: always full."""

    def get_write_buffer_size(self) -> int:
        return sys.maxsize

    def write(self, frame: bytes) -> None:
        raise AssertionError("written to a full pipe")


BLOCKED = Blocked()


class Viewer:
    """A socket in a show. `behind` is the offset up to which it has all, while it is too slow for more; else None.

    `pipe` is the transport while frames may go straight to it; else it is blocked, and the broadcast takes its slow
    way through `door`. So the loop over all viewers looks at one thing of each.
    """

    __slots__ = (
        "address", "audience", "behind", "door", "eio_sid", "identity", "joined_at", "name", "part", "pipe",
        "resume_from", "serializer", "sid", "since_slow", "transport", "viewer",
    )  # fmt: skip

    def __init__(self, sid: str, eio_sid: str, identity: Identity, audience: Audience, address: str) -> None:
        self.sid = sid
        self.eio_sid = eio_sid
        self.identity = identity
        self.viewer = identity.viewer
        self.audience: Audience = audience
        self.address = address  # the mark of it that bans go by, never the address itself
        self.name = ""
        self.serializer: Serializer = "json"
        self.door: Door | None = None
        self.part: Part | None = None  # of the channel, once joined
        self.transport: asyncio.Transport | None = None
        self.pipe: Pipe = BLOCKED
        self.behind: str | None = None
        self.since_slow = 0.0
        self.joined_at = 0.0
        self.resume_from: tuple[object, object] = (None, None)  # epoch and offset of the handshake

    def send(self, name: str, data: object) -> None:
        """An event for this viewer alone."""
        if self.door is not None:
            self.door.write(frame_of(self.serializer, event_payload(self.serializer, name, data)))

    def plug(self, transport: asyncio.Transport | None) -> None:
        """Frames go straight to this transport from now on."""
        self.transport = transport
        self.set_slow_since(0.0)

    def unplug(self) -> None:
        """The socket closes: frames no longer go to its transport."""
        self.transport = None
        self.pipe = BLOCKED

    def set_slow_since(self, since: float) -> None:
        """Monotonic seconds at which it stopped keeping up; 0 when it does."""
        self.since_slow = since
        self.pipe = BLOCKED if since or self.transport is None else self.transport

    def goodbye(self, close_code: CloseCode) -> None:
        """Says why and closes; nothing is written after that."""
        self.unplug()
        if self.door is not None:
            self.door.goodbye(close_code)


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
