"""What recording and HLS get of the picture: one continuous track, whichever layer it comes from.

They follow the best layer there is. Where it changes, numbers and timestamps go on, so that to them it is a picture
that has changed its size at a keyframe.
"""

from __future__ import annotations

import copy

from livecommerce.media.tracks.track import CanonicalPacket
from livecommerce.media.viewers.layer import Layer
from livecommerce.media.wire.rtp import signed

# A better layer is followed after it has stood so long: each change costs recordings a new initialization. The first
# one is followed at once: a host's layers begin one after the other.
STEADY_SECONDS = 3.0


class Follower:
    """Attributes: `layer` is followed now; `wanted` will be from its next keyframe on."""

    def __init__(self, layer: Layer) -> None:
        self.layer = self.wanted = layer
        self._shift = self._time_shift = 0
        self._entered = 0
        self._given: tuple[int, int] | None = None
        self._passed = -1
        self._better_since: float | None = None
        self._steady_seconds = 0.0

    def look(self, alive: list[Layer], now: float) -> None:
        """Once a second: what is to be followed. `alive` from the smallest to the largest."""
        wanted = self.wanted
        self._choose(alive, now)
        if self.wanted is not wanted:
            self._passed = self.wanted.track.keyframe_start

    def _choose(self, alive: list[Layer], now: float) -> None:
        best = alive[-1] if alive else self.layer
        if self._given is None:  # nobody has seen anything yet
            self.layer = best
        if best is self.layer:
            self._better_since, self.wanted = None, best
        elif self.layer not in alive:
            self.wanted = best
        else:
            self._better_since = now if self._better_since is None else self._better_since
            if now - self._better_since >= self._steady_seconds:
                self.wanted = best

    def take(self, layer: Layer, packets: list[CanonicalPacket]) -> list[CanonicalPacket]:
        """What of a layer's flushed packets is to be passed on."""
        if layer is self.wanted and layer is not self.layer:
            if layer.track.keyframe_start in (self._passed, -1) or layer.track.keyframe_start > layer.track.head:
                packets = []
            else:
                self._change(layer)
                packets = layer.track.between(layer.track.keyframe_start, layer.track.head)
        elif layer is not self.layer:
            packets = []
        found = [packet for packet in packets if packet.number >= self._entered]
        if self._shift or self._time_shift:
            found = [self._moved(packet) for packet in found]
        if found:
            self._given = max(found[-1].number, self._given[0] if self._given else 0), found[-1].timestamp
        return found

    def _change(self, layer: Layer) -> None:
        track = layer.track
        begin = track.packet(track.keyframe_start)
        self.layer, self._better_since, self._steady_seconds = layer, None, STEADY_SECONDS
        self._entered = track.keyframe_start
        if self._given is None or begin is None:
            return
        number, timestamp = self._given
        self._shift = number + 1 - track.keyframe_start
        self._time_shift = max(0, signed(timestamp + 1 - begin.timestamp))

    def _moved(self, packet: CanonicalPacket) -> CanonicalPacket:
        moved = copy.copy(packet)
        moved.number += self._shift
        moved.timestamp = moved.timestamp + self._time_shift & 0xFFFFFFFF
        return moved

    @property
    def report(self) -> tuple[int, int] | None:
        """(NTP 64 bit, timestamp as given out) of the followed layer's last sender report."""
        report = self.layer.track.report
        return None if report is None else (report[0], report[1] + self._time_shift & 0xFFFFFFFF)
