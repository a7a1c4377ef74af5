"""Whether what a host's sender reports say of picture and sound can be true. Pure.

A report tells at which moment of the sender's wall clock a timestamp was sampled, and so which sound belongs to which
picture (RFC 3550 section 6.4.1). Encoders exist whose two tracks take that moment from two clocks: each counted from
its own start, seconds or hours apart, or one of them set anew in the middle of a show. How both arrive tells it:
what belongs together is sent within moments. Where the reports are further from that than any encoder can be, the
times of arrival decide, as they do where nobody reports at all.
"""

from __future__ import annotations

from livecommerce.media.tracks.track import Track

# Sound that comes later than its picture: microphones on a radio link and mixers take up to 0.3 s. Recordings and HLS
# wait half a second for it before silence takes its place, so what is believed has to stay below that.
LATE_SECONDS_MAX = 0.4
# Sound that comes earlier than its picture: an encoder that looks forty pictures ahead and reorders them, or pictures
# that wait for a thin line, hold the picture back for up to three seconds while the sound is sent at once.
EARLY_SECONDS_MAX = 3.0
# One odd second is a line that stood still.
DOUBTS = 3


def is_believable(early_seconds: float, margin_seconds: float = 0.0) -> bool:
    """Args:
    early_seconds: by which the reports say that sound arrives before its picture; below 0 after it.
    """
    return -LATE_SECONDS_MAX - margin_seconds <= early_seconds <= EARLY_SECONDS_MAX + margin_seconds


class Agreement:
    """Attributes: `is_broken` while reports and arrival contradict each other, for seconds."""

    def __init__(self) -> None:
        self.is_broken = False
        self._doubts = 0

    def look(self, picture: Track, sound: Track) -> None:
        """Once a second."""
        seen, heard = picture.reported_ahead(), sound.reported_ahead()
        is_odd = seen is not None and heard is not None and not is_believable(heard - seen)
        self._doubts = min(DOUBTS, self._doubts + 1) if is_odd else max(0, self._doubts - 1)
        self.is_broken = self._doubts == DOUBTS or (self.is_broken and self._doubts > 0)
