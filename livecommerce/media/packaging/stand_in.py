"""Pictures in place of a camera that sends none: so HLS and recordings have a picture beside the sound all the time.

Players of HLS and of MP4 cannot begin with sound and get a picture later, nor the other way round: what they get is
always both. The drawing is `stand_in.h264` (scripts/draw_stand_in.py); pages lay their own, with the shop's name, over.
"""

from __future__ import annotations

import functools
from pathlib import Path

from livecommerce.media.packaging.access_units import AccessUnit, ParameterSets
from livecommerce.media.wire.h264 import IDR, PICTURE_PARAMETERS, SEQUENCE_PARAMETERS
from livecommerce.media.wire.rtp import VIDEO_CLOCK

# Ten to a segment of 3 s, and each fills a part of HLS: above 85 % of PART_TICKS, as RFC 8216bis asks.
STAND_IN_TICKS = 3 * VIDEO_CLOCK // 10
_START = b"\0\0\1"


@functools.cache
def stand_in_units() -> tuple[AccessUnit, ...]:
    """The drawing's pictures in order, each group of ten with a key picture first. Timestamps are 0."""
    data = (Path(__file__).parent / "stand_in.h264").read_bytes().replace(b"\0" + _START, _START)
    units = [unit for unit in data.split(_START) if unit]
    sequence = next(unit for unit in units if unit[0] & 0x1F == SEQUENCE_PARAMETERS)
    picture = next(unit for unit in units if unit[0] & 0x1F == PICTURE_PARAMETERS)
    parameters = ParameterSets((sequence,), (picture,))
    slices = [unit for unit in units if 1 <= unit[0] & 0x1F <= IDR]
    return tuple(AccessUnit(0, (unit,), unit[0] & 0x1F == IDR, parameters) for unit in slices)


def is_stand_in(parameters: ParameterSets) -> bool:
    """Whether a picture set-up is the drawing's."""
    return parameters == stand_in_units()[0].parameters


class StandIn:
    """The pictures one after the other, for ever."""

    def __init__(self) -> None:
        self._units = stand_in_units()
        self._keys = [index for index, unit in enumerate(self._units) if unit.is_key]
        self._index = 0

    @property
    def next(self) -> AccessUnit:
        """The picture whose turn it is; the first one is a key picture."""
        return self._units[self._index]

    def advance(self) -> None:
        self._index = (self._index + 1) % len(self._units)

    def restart(self) -> None:
        """A key picture is next, and another one than the last: two alike in a row are one to a decoder."""
        if not self.next.is_key:
            self._index = next((index for index in self._keys if index > self._index), self._keys[0])
