"""One joined socket as the tick loop sees it."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Literal, Protocol

from livecommerce.realtime.close_codes import CloseCode
from livecommerce.realtime.frames import Serializer, event_payload, frame_of

if TYPE_CHECKING:
    from livecommerce.http.identity import Identity
    from livecommerce.realtime.channel import Channel
    from livecommerce.realtime.part import Part

Audience = Literal["viewer", "staff"]
AUDIENCES: tuple[Audience, ...] = ("viewer", "staff")


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
        "address", "audience", "behind", "channel", "door", "eio_sid", "identity", "joined_at", "name", "part", "pipe",
        "resume_from", "serializer", "sid", "since_slow", "transport", "viewer",
    )  # fmt: skip

    def __init__(
        self, sid: str, eio_sid: str, channel: Channel, identity: Identity, audience: Audience, address: str
    ) -> None:
        self.sid = sid
        self.eio_sid = eio_sid
        self.channel = channel
        self.identity = identity
        self.viewer = identity.viewer
        self.audience: Audience = audience
        self.address = address
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
