"""A packager fed with a broadcast, at the broadcast's own speed of time: no clock, no sleep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from livecommerce.media.packaging.packager import Packager
from livecommerce.media.tracks.track import CanonicalPacket
from tests.media.broadcast import Frame, Sender
from tests.media.payload_files import Payload

ORIGIN_MS = 1_700_000_000_000


class Studio:
    """Attributes:
    asked: times (seconds) at which a key picture was asked for.
    has_camera: what the stream says of its camera.
    """

    def __init__(self, sender: Sender | None = None, clocks=lambda: None) -> None:
        self.sender = sender or Sender()
        self.asked: list[float] = []
        self.has_camera = True
        self.packager = Packager(self.asked.append, clocks, has_picture=lambda: self.has_camera)
        self.now = 0.0
        self._numbers: Counter[str] = Counter(video=70_000, audio=80_000)

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

    def feed(self, payloads: Iterable[Payload]) -> None:
        """Packets of a file, each when it came."""
        for one in payloads:
            self.now = one.at
            packet = CanonicalPacket(self._numbers[one.kind], one.timestamp, one.marker, one.body, False)
            self._numbers[one.kind] += 1
            self.packager.take(one.kind, [packet], self.now)
            self.packager.tick(self.now)
