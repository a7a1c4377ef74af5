"""Where one sender's timestamps lie on the canonical line: offsets, their corrections, and clocks that jump. Pure.

An encoder may set its clock anew on the same SSRC: a camera wakes up, a computer takes the time from the network, a
plugin begins to count at zero. Nothing but the times of arrival tells then how the new clock relates to the old one.
"""

from __future__ import annotations

from livecommerce.media.wire.rtp import signed

# Corrections of timestamps that late packets may still be older than: three seconds of frames.
CORRECTIONS_MAX = 90
# B-frames go back by less; a clock that goes back by more was set.
BACK_SECONDS = 1.0
# Further ahead of its arrival than the earliest of the last frames no frame can be: what stood in a queue comes late,
# never early. The rest is for senders that write their times carelessly.
AHEAD_SECONDS = 3.0
# Queues on a host's way hold some seconds. How late the line is counts no longer than this, and is forgotten by a tenth
# of time: else a clock that stood still for an hour could then jump by an hour unseen.
LATE_SECONDS_MAX, LATE_FORGOTTEN = 10.0, 0.1


class SourceClock:
    """Attributes: `correction` are ticks by which the next frames still have to be moved."""

    def __init__(self, clock: int) -> None:
        self._clock = clock
        # From which source timestamp on which offset holds; those of the clock before a jump are for late packets.
        self._offsets: list[tuple[int, int]] = []
        self._before: list[tuple[int, int]] = []
        self._late = 0.0
        self.correction = 0

    def begin(self, timestamp: int, place: int | None) -> None:
        """Another sender: its `timestamp` is `place` on the line; None where it begins the line."""
        self._offsets, self._before = [(timestamp, 0 if place is None else place - timestamp)], []
        self._late, self.correction = 0.0, 0

    def jump(self, timestamp: int, place: int) -> None:
        """The sender's clock was set: from `timestamp` on it goes on at `place`."""
        self._before = self._offsets
        self._offsets = [(timestamp, place - timestamp)]
        self._late, self.correction = 0.0, 0

    @staticmethod
    def _by(offsets: list[tuple[int, int]], timestamp: int) -> int:
        for since, offset in reversed(offsets):
            if signed(timestamp - since) >= 0:
                return timestamp + offset & 0xFFFFFFFF
        return timestamp + offsets[0][1] & 0xFFFFFFFF

    def canonical(self, timestamp: int, near: int) -> int:
        """By the frame's own timestamp, so that all its packets agree, the late ones too.

        Args:
            near: where the line is; after a jump it tells which of the two clocks a packet is of.
        """
        found = self._by(self._offsets, timestamp)
        if self._before:
            before = self._by(self._before, timestamp)
            if abs(signed(before - near)) < abs(signed(found - near)):
                return before
        return found

    def is_jump(self, step: int, elapsed_seconds: float) -> bool:
        """Whether a clock that runs can have gone on by `step` ticks with the first packet of a new frame."""
        elapsed = elapsed_seconds * self._clock
        late = self._late + elapsed - step
        if step < -BACK_SECONDS * self._clock or late < -AHEAD_SECONDS * self._clock:
            return True
        self._late = min(max(0.0, late - elapsed * LATE_FORGOTTEN), LATE_SECONDS_MAX * self._clock)
        return False

    def correct(self, timestamp: int, elapsed: int) -> None:
        """Moves timestamps from this new frame on: ahead at once, back at half the pace of time.

        Args:
            elapsed: ticks since the frame before.
        """
        step = max(self.correction, -elapsed // 2)
        self._offsets = [*self._offsets, (timestamp, self._offsets[-1][1] + step)][-CORRECTIONS_MAX:]
        self.correction -= step
