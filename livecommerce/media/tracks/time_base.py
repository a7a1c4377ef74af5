"""One timestamp line for all layers of a show's picture, whatever offset each of them comes with. Pure; time is given.

A browser gives every layer a random timestamp offset of its own. Until the first sender reports a layer's place on the
shared line is its time of arrival; from then on the sender's wall clock (RFC 3550 section 6.4.1) corrects it.
"""

from __future__ import annotations

from typing import Protocol

from livecommerce.media.wire.rtp import VIDEO_CLOCK, signed

# What arrival times and a sender's rounding are off by; below it a correction would only add jitter. 3 ms at 90 kHz.
TOLERANCE_TICKS = 270
# Further off than any queue is long: not an error of arrival but another clock, which begins a new relation. 5 s.
APART_TICKS = 450_000


class Timed(Protocol):
    """A track as far as the line needs it: its newest packet's timestamp and arrival."""

    last_timestamp: int
    last_at: float | None


class TimeBase:
    """The line that the tracks in `tracks` share."""

    def __init__(self, clock: int) -> None:
        self.clock = clock
        self._frame_ticks = clock // (30 if clock == VIDEO_CLOCK else 50)
        self.tracks: list[Timed] = []
        self._relation: tuple[int, int] | None = None

    def begin(self) -> None:
        """Another sender, another wall clock."""
        self._relation = None

    def place(self, now: float, track: Timed) -> int | None:
        """The timestamp of a packet that arrives now as the first of its source; later than the track's last one.

        None where nothing has arrived on any track: the packet's own timestamp begins the line.
        """
        least = track.last_timestamp + self._frame_ticks
        known = [(each.last_at, each) for each in self.tracks if each.last_at is not None]
        if not known:
            return None
        at, newest = max(known, key=lambda entry: entry[0])
        if newest is track:
            return max(least, track.last_timestamp + round((now - at) * self.clock))
        timestamp = newest.last_timestamp + round((now - at) * self.clock)
        if track.last_at is not None and signed(timestamp - least) < 0:
            return least
        return timestamp

    def off(self, ntp: int, timestamp: int) -> int:
        """By how many ticks a track's timestamps are to be moved, as its sender report (on our line) says."""
        if self._relation is not None:
            ntp_before, timestamp_before = self._relation
            expected = timestamp_before + ((ntp - ntp_before) * self.clock >> 32)
            off = signed(expected - timestamp)
            if TOLERANCE_TICKS < abs(off) < APART_TICKS:
                return off
        self._relation = (ntp, timestamp)
        return 0
