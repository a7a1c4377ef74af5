"""What feeds a stream, and what a stream is to it.

A source is a host's session (`Host`) or the copy of another relay's stream (`OriginPull`). Each needs of the stream
only what `Sink` says, so that nothing in here knows of viewers.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from livecommerce.media.ingest.feedback import Reception
from livecommerce.media.wire import rtp


class SourceName(NamedTuple):
    """Under which name packets feed a stream: its sound, its picture, or one layer of it by its rid (RFC 8852)."""

    kind: str
    rid: str = ""


SOUND, PICTURE = SourceName("audio"), SourceName("video")


class Publisher(NamedTuple):
    """Who feeds a stream.

    Attributes:
        name: the same one may replace its own session.
        rank: a higher one may take over: the owner from a host, both from the holder of a token.
        right: what the stream stands on (`accounts.rights`); "" for what nobody can take away.
    """

    name: str
    rank: int = 0
    right: str = ""


class Source(Protocol):
    """A sender of one sound and of one picture in one or several layers.

    Attributes:
        layers: rids of its picture's layers; empty where it has one without a name.
        receptions: how its packets arrive, by the name they are fed under.
        limit_kbps: what it was asked to stay under by layer, 0 where nothing was agreed.
        parameter_sets: of its picture, as its SDP told them.
        mixed_at: when packets of two senders last came as one picture.
    """

    session: str
    publisher: Publisher
    close_reason: str
    media_at: float | None
    receptions: dict[SourceName, Reception]
    limit_kbps: int
    parameter_sets: tuple[bytes, ...]
    mixed_at: float

    @property
    def layers(self) -> tuple[str, ...]: ...

    @property
    def kinds(self) -> frozenset[str]: ...

    @property
    def status(self) -> str: ...

    @property
    def is_connected(self) -> bool: ...

    def is_silent(self, now: float) -> bool: ...

    def tick(self, now: float) -> None: ...

    def request_keyframe(self, source: SourceName) -> None: ...

    def close(self, reason: str) -> None: ...


class Sink(Protocol):
    """The stream as its sources see it. Times are monotonic seconds."""

    show: str

    @property
    def is_watched(self) -> bool: ...

    def begin_source(self, source: SourceName) -> None: ...

    def take(self, source: SourceName, packet: rtp.RtpPacket, now: float) -> None: ...

    def note_report(self, source: SourceName, ntp: int, timestamp: int, now: float) -> None: ...

    def end(self, reason: str, now: float) -> None: ...
