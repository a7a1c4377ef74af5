"""What hangs before a picture that a late sink cannot enter: drawn pictures at its times, until a key picture comes.

Some encoders send one key picture in a whole show (intra refresh, open groups). Recordings have begun with it and go
on; HLS that somebody asks for later could begin with nothing, though its viewers could hear the show.
"""

from __future__ import annotations

from collections.abc import Callable

from livecommerce.media.packaging.packager import Sink
from livecommerce.media.packaging.stand_in import STAND_IN_TICKS, StandIn
from livecommerce.media.packaging.timeline import TimedFrame, TimedUnit


class Curtain:
    """A `packager.Sink` before another one.

    Args:
        is_closed: whether the picture has been without an entrance for so long that it is not waited for.
    """

    def __init__(self, sink: Sink, is_closed: Callable[[float], bool]) -> None:
        self.sink = sink
        self._is_closed = is_closed
        self._is_open = False
        self._stand_in = StandIn()
        self._next_time: int | None = None  # of the next drawn picture; None before the first one

    def video(self, picture: TimedUnit) -> None:
        self._is_open = self._is_open or picture.is_key
        if self._is_open or (self._next_time is None and not self._is_closed(picture.arrived)):
            self.sink.video(picture)
        elif self._next_time is None or picture.time >= self._next_time:
            self._next_time = picture.time + STAND_IN_TICKS
            self.sink.video(TimedUnit(picture.time, self._stand_in.next, picture.arrived))
            self._stand_in.advance()

    def audio(self, frame: TimedFrame) -> None:
        self.sink.audio(frame)

    def jump(self) -> None:
        self.sink.jump()

    def tick(self, now: float) -> None:
        self.sink.tick(now)
