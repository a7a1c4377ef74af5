"""When each picture is to be decoded, where an encoder sends pictures in another order than they are shown. Pure.

RTP tells the time at which a picture is shown, and its packets come in the order of decoding (RFC 6184 section 1.3).
The two differ with B-frames: a picture comes after one that is shown later. MP4 wants a time of decoding that grows
(ISO 14496-12 section 8.6.1), and beside it how much later the picture is shown. A picture is decoded before the first
of all those that are shown from it on: so nothing is shown before it is decoded (players that meet such a picture move
all that follows), key pictures are decoded when they are shown, and a segment is as long as it looks. Browsers on
WebRTC show pictures as they come; for them nothing can be done.
"""

from __future__ import annotations

from collections import deque

from livecommerce.media.packaging.access_units import AccessUnit, ParameterSets
from livecommerce.media.wire import h264
from livecommerce.media.wire.rtp import VIDEO_CLOCK

# max_num_reorder_frames is at most the decoded picture buffer's sixteen (ITU-T H.264 annex A.3.1).
DEPTH_MAX = 16
# How many are held while nobody knows: encoders' usual three B-frames in two layers need two. In the first pictures of
# main or high profile only; baseline has no B-frames.
DEPTH_UNKNOWN, UNKNOWN_PICTURES = 3, 16
# A picture from longer ago that comes now was not reordered: its sender's clock was set back.
REORDER_TICKS_MAX = VIDEO_CLOCK
# What is held goes on after this long without another picture, before recordings write their last one.
HELD_SECONDS = 0.5


class DecodeOrder:
    """Gives each picture with its time of decoding as `timestamp`, and what lies between it and the time of showing as
    `composition`. Where nothing is reordered, pictures pass at once as they came.
    """

    def __init__(self) -> None:
        self._parameters: ParameterSets | None = None
        self._depth = self._needed = 0
        self._seen = 0
        self._is_known = True
        self._held: deque[AccessUnit] = deque()
        self._newest: deque[int] = deque(maxlen=DEPTH_MAX)
        self._last: int | None = None
        self._pushed_at = 0.0

    def push(self, unit: AccessUnit, now: float) -> list[AccessUnit]:
        """Takes the next picture in the order of decoding; gives those whose time is known now."""
        self._pushed_at = now
        is_jump = bool(self._newest) and max(self._newest) - unit.timestamp > REORDER_TICKS_MAX
        found = self.flush() if unit.is_key or is_jump else []
        if is_jump:
            self._last = None
        if unit.is_key:
            self._begin(unit.parameters)
        self._learn(unit.timestamp)
        self._held.append(unit)
        while len(self._held) > (self._depth if self._is_known else max(self._depth, DEPTH_UNKNOWN)):
            found.append(self._next())
        return found

    def due(self, now: float) -> list[AccessUnit]:
        """What was held, where no picture follows."""
        return self.flush() if self._held and now - self._pushed_at > HELD_SECONDS else []

    def _begin(self, parameters: ParameterSets) -> None:
        """A key picture: nothing before it is shown after it. A depth that is unusual and not needed goes, by steps."""
        usual = min(self._depth, DEPTH_UNKNOWN)
        self._depth, self._needed = max(self._needed, self._depth - 1, usual), 0
        if parameters != self._parameters:
            picture = h264.parse_sequence_parameters(parameters.sequence[0])
            self._parameters, self._depth, self._seen = parameters, 0, 0
            self._is_known = picture is not None and picture.is_baseline

    def _learn(self, timestamp: int) -> None:
        """The depth is how many pictures that are shown later have come before one."""
        self._needed = max(self._needed, sum(time > timestamp for time in self._newest))
        self._depth = max(self._depth, self._needed)
        self._newest.append(timestamp)
        self._seen += 1
        self._is_known = self._is_known or self._seen > UNKNOWN_PICTURES

    def flush(self) -> list[AccessUnit]:
        """All that is held: nothing follows that is shown before it."""
        found = [self._next() for _ in range(len(self._held))]
        self._newest.clear()
        return found

    def _next(self) -> AccessUnit:
        first = min(self._held, key=lambda one: one.timestamp)
        unit = self._held.popleft()
        if first is unit:
            time = unit.timestamp
        else:
            # Evenly between the last one and the first that is shown from here on.
            waiting = 2 + self._held.index(first)
            last = self._last if self._last is not None else first.timestamp - waiting
            time = last + (first.timestamp - last) // waiting
        if self._last is not None and time <= self._last:
            # More were reordered than was known, once: this one is shown a little late.
            time = self._last + 1
        self._last = time
        shown = max(time, unit.timestamp)
        return unit if time == shown == unit.timestamp else unit._replace(timestamp=time, composition=shown - time)
