"""A packager fed with a broadcast, at the broadcast's own speed of time: no clock, no sleep."""

from __future__ import annotations

from collections.abc import Iterable

from livecommerce.media.packaging.packager import Packager
from livecommerce.media.tracks.track import CanonicalPacket
from tests.media.broadcast import Frame, Sender

ORIGIN_MS = 1_700_000_000_000


class Studio:
    """Attributes: `asked` are the times (seconds) at which a key picture was asked for."""

    def __init__(self, sender: Sender | None = None, clocks=lambda: None) -> None:
        self.sender = sender or Sender()
        self.asked: list[float] = []
        self.packager = Packager(self.asked.append, clocks)
        self.now = 0.0

    def wall_ms(self, ticks: int) -> int:
        return ORIGIN_MS + ticks // 90

    def send(self, frames: Iterable[Frame], lose=lambda packet: False) -> None:
        """Each frame arrives when it was made."""
        for frame in frames:
            self.now = frame.seconds
            packets = [
                CanonicalPacket(packet.number, packet.timestamp, packet.marker, packet.payload, False)
                for packet in self.sender.packets(frame)
                if not lose(packet)
            ]
            self.packager.take(frame.kind, packets, self.now)
            self.packager.tick(self.now)
