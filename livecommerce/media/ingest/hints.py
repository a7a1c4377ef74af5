"""What a host should know first of its stream, as one word; the studio says it with what to change. Pure.

Each cause is known from figures of one second. The order is that of the harm: what shows nothing to anybody comes
before what shows it badly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

# One lost packet of twenty is seen as broken pictures, whatever is repaired.
LOSS_MAX = 0.05
# Nobody could join for so long: this encoder answers no request and has no interval.
KEYFRAME_AGE_SECONDS = 12.0
# Browsers answer a request within a frame, encoders with an interval of 1 to 2 s by the next one.
KEYFRAME_WAIT_SECONDS = 2.5
# How long a slow keyframe is told: it is seen only when somebody joins.
KEYFRAME_TOLD_SECONDS = 60.0
# How long a jump is told: one is over at once, and the host may look some moments later.
JUMP_TOLD_SECONDS = 30.0
# Two senders are told for as long after the last sign of the second one.
MIXED_TOLD_SECONDS = 10.0
# An encoder may pass its rate for moments; past this share viewers on ordinary phones fall behind.
OVER_LIMIT_SHARE = 1.3
KBPS_LEAST, FRAMES_LEAST = 300, 10


class Seen(NamedTuple):
    """A second of a stream. Seconds are ages.

    Attributes:
        picture: "camera" while packets of pictures come, "unasked" where the host announced sound alone, "missing"
            where its camera has sent nothing for some seconds, or never.
        is_closed: pictures come, and nobody can enter (`Layer.is_closed`).
        lacks_sets: keyframes come without parameter sets, which are not known otherwise.
        is_renewed: recovery points come instead of keyframes.
        is_mixed: packets of two encoders come as one picture.
        is_reordered: pictures come in another order than they are shown (B-frames).
        keyframe_wanted: seconds since somebody asked for a keyframe that has not come; None where nobody waits.
        clock_jumped: seconds since a clock of the host was set anew; None where none was.
        are_clocks_apart: sender reports say of picture and sound what their arrival contradicts.
        keyframe_slow: seconds since the last keyframe that came late; None where none did.
        limit_kbps: what the host was asked to stay under, 0 where nothing was agreed.
    """

    picture: Literal["camera", "unasked", "missing"]
    is_closed: bool
    lacks_sets: bool
    is_renewed: bool
    is_mixed: bool
    is_reordered: bool
    loss: float
    keyframe_wanted: float | None
    keyframe_slow: float | None
    clock_jumped: float | None
    are_clocks_apart: bool
    is_baseline: bool
    has_sound: bool
    kbps: float
    frames: float
    limit_kbps: int


def _waits(seen: Seen, seconds: float) -> bool:
    return seen.keyframe_wanted is not None and seen.keyframe_wanted > seconds


# (hint, how it is known): the first that holds. docs/media.md has the same table with what the host reads.
CAUSES: tuple[tuple[str, Callable[[Seen], bool]], ...] = (
    ("no_video", lambda seen: seen.picture == "missing"),
    ("no_parameter_sets", lambda seen: seen.is_closed and seen.lacks_sets),
    ("intra_refresh", lambda seen: seen.is_renewed and (seen.is_closed or _waits(seen, KEYFRAME_WAIT_SECONDS))),
    ("streams_mixed", lambda seen: seen.is_mixed),
    ("b_frames", lambda seen: seen.is_reordered),
    ("packet_loss", lambda seen: seen.loss > LOSS_MAX),
    # What follows speaks of pictures, or of sound that a host without pictures cannot lack.
    ("sound_alone", lambda seen: seen.picture == "unasked"),
    ("no_keyframes", lambda seen: seen.is_closed or _waits(seen, KEYFRAME_AGE_SECONDS)),
    (
        "clock_jumped",
        lambda seen: seen.clock_jumped is not None and seen.clock_jumped < JUMP_TOLD_SECONDS,
    ),
    ("clocks_apart", lambda seen: seen.are_clocks_apart),
    (
        "keyframes_slow",
        lambda seen: (
            _waits(seen, KEYFRAME_WAIT_SECONDS)
            or (seen.keyframe_slow is not None and seen.keyframe_slow < KEYFRAME_TOLD_SECONDS)
        ),
    ),
    ("over_limit", lambda seen: 0 < seen.limit_kbps * OVER_LIMIT_SHARE < seen.kbps),
    ("no_audio", lambda seen: not seen.has_sound),
    ("profile_not_baseline", lambda seen: not seen.is_baseline),
    ("bitrate_low", lambda seen: seen.kbps < KBPS_LEAST or seen.frames < FRAMES_LEAST),
)


def hint_of(seen: Seen) -> str:
    """`good`, or the first cause that holds."""
    return next((hint for hint, holds in CAUSES if holds(seen)), "good")
