"""What feeds a stream: a host's session (`Host`) or the copy of another relay's stream (`OriginPull`)."""

from __future__ import annotations

from typing import Protocol

from livecommerce.media.feedback import Reception


class Source(Protocol):
    """A sender of one sound and of one picture in one or several layers.

    Attributes:
        layers: rids of its picture's layers; empty where it has one without a name.
        receptions: how its packets arrive, by the name they are fed under: "audio", "video", "video:<rid>".
    """

    session: str
    publisher: str
    close_reason: str
    media_at: float | None
    receptions: dict[str, Reception]

    @property
    def layers(self) -> tuple[str, ...]: ...

    @property
    def kinds(self) -> frozenset[str]: ...

    @property
    def status(self) -> str: ...

    def is_silent(self, now: float) -> bool: ...

    def tick(self, now: float) -> None: ...

    def request_keyframe(self, source: str) -> None: ...

    def close(self, reason: str) -> None: ...
