"""One joined socket as the tick loop sees it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal, Protocol

from livecommerce.realtime.close_codes import CloseCode
from livecommerce.realtime.frames import Serializer, event_payload, frame_of

if TYPE_CHECKING:
    from livecommerce.accounts.identity import Identity
    from livecommerce.realtime.channel import Channel

Audience = Literal["viewer", "staff"]
AUDIENCES: tuple[Audience, ...] = ("viewer", "staff")


class Door(Protocol):
    """How bytes reach one socket: the transport itself (fast path) or stock queues."""

    def buffered(self) -> int:
        """Bytes that the peer has not taken yet."""

    def write(self, frame: bytes) -> None:
        """One whole WebSocket frame."""

    def goodbye(self, close_code: CloseCode) -> None: ...


class Viewer:
    """A socket in a show. `behind` is the offset up to which it has all, while it is too slow for more; else None."""

    __slots__ = (
        "address", "audience", "behind", "channel", "door", "eio_sid", "identity", "joined_at", "name", "resume_from",
        "serializer", "sid", "since_slow", "transport", "viewer",
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
        self.transport: asyncio.Transport | None = None
        self.behind: str | None = None
        self.since_slow = 0.0
        self.joined_at = 0.0
        self.resume_from: tuple[object, object] = (None, None)  # epoch and offset of the handshake

    def send(self, name: str, data: object) -> None:
        """An event for this viewer alone."""
        if self.door is not None:
            self.door.write(frame_of(self.serializer, event_payload(self.serializer, name, data)))

    def unplug(self) -> None:
        """The socket closes: frames no longer go to its transport."""
        self.transport = None

    def goodbye(self, close_code: CloseCode) -> None:
        """Says why and closes; nothing is written after that."""
        self.transport = None
        if self.door is not None:
            self.door.goodbye(close_code)
