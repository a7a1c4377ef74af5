"""Sender reports that put sound and picture apart: no sound is lost, and what cannot be true is not believed."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from livecommerce.media.packaging.timeline import SILENCE, Clock, TimedFrame, Timeline
from livecommerce.media.wire.rtp import AUDIO_CLOCK, VIDEO_CLOCK
from tests.media.packaging.test_timeline import ends_meet, picture, sound

SECONDS = 30.0
Say = Callable[[float], float]


def show(
    say: Say, *, late_seconds: Say = lambda moment: 0.0, jitter: random.Random | None = None
) -> tuple[Timeline, list[tuple[TimedFrame, float | None]]]:
    """A show with reports each second.

    Args:
        say: seconds by which the report of a moment puts sound later than its picture's place.
        late_seconds: by which sound arrives after the picture of the same moment.

    Returns:
        all frames with the moment each was made at, None for silence.
    """
    timeline, found = Timeline(), []
    events: list[tuple[float, int, str, float]] = [
        (index / 30, 0, "video", index / 30) for index in range(round(SECONDS * 30))
    ]
    arrived = 0.0
    for index in range(round(SECONDS * 50)):
        moment = index / 50
        wait = late_seconds(moment) + (jitter.uniform(0, 0.06) if jitter is not None else 0.0)
        arrived = max(arrived, moment + wait)  # in order, as packets are put
        events.append((arrived, index, "audio", moment))
    events += [(index + 0.5, 0, "report", index + 0.5) for index in range(round(SECONDS))]
    for now, _, kind, moment in sorted(events):
        if kind == "report":
            ntp = round((3_900_000_000 + moment) * (1 << 32))
            seen = Clock(ntp, round(1_000_000 + moment * VIDEO_CLOCK) & 0xFFFFFFFF)
            heard = Clock(ntp + round(say(moment) * (1 << 32)), round(5_000_000 + moment * AUDIO_CLOCK) & 0xFFFFFFFF)
            timeline.align(seen, heard)
            continue
        frames: Any
        if kind == "video":
            _, frames = timeline.video(picture(moment, moment == 0), now) or (None, [])
        else:
            frames = timeline.audio(sound(moment), now)
        found += [(frame, None if frame.data == SILENCE else moment) for frame in frames]
    return timeline, found


def kept(found: list[tuple[TimedFrame, float | None]], since: float = 0.0) -> float:
    """The share of sounds made from a moment on that have a place."""
    return sum(moment is not None and moment >= since for _, moment in found) / ((SECONDS - since) * 50)


def apart(found: list[tuple[TimedFrame, float | None]]) -> list[float]:
    """Where sounds lie, against where they were made; in seconds, over the second half."""
    return [frame.time / AUDIO_CLOCK - moment for frame, moment in found if moment is not None and moment > SECONDS / 2]


NEVER = [-3.9e9, -86_400, -3_600, -5, -1, -0.6, 4, 5, 3_600, 3.9e9]
MAYBE = [-0.35, -0.2, 0, 0.5, 1, 2.5]


@pytest.mark.parametrize("seconds", NEVER)
def test_what_cannot_be_is_not_believed_and_arrival_decides(seconds: float) -> None:
    timeline, found = show(lambda moment: seconds)
    assert ends_meet(found)
    assert kept(found) > 0.97
    assert timeline.silent_frames < 3
    assert max(map(abs, apart(found))) < 0.045


@pytest.mark.parametrize("seconds", MAYBE)
def test_what_can_be_is_believed(seconds: float) -> None:
    _, found = show(lambda moment: seconds)
    assert ends_meet(found)
    assert kept(found) > 0.95
    assert apart(found) == pytest.approx([seconds] * len(apart(found)), abs=0.045)


@pytest.mark.parametrize("seconds", [-3_600, -1, 0.5, 3_600])
def test_a_clock_that_is_set_in_the_show_loses_no_sound(seconds: float) -> None:
    _, found = show(lambda moment: seconds if moment > 10 else 0.0)
    assert ends_meet(found)
    assert kept(found) > 0.97
    assert max(map(abs, apart(found))) < 0.545


@pytest.mark.parametrize("late", [0.3, 0.5, 1.0, 4.0])
@pytest.mark.parametrize("is_honest", [True, False])
def test_sound_that_comes_late_is_heard(late: float, is_honest: bool) -> None:
    """Reports that tell the truth put it back; by more than is waited for, it stays where it arrived."""
    _, found = show(lambda moment: 0.0 if is_honest else late, late_seconds=lambda moment: late)
    assert ends_meet(found)
    assert kept(found, since=2.0) > 0.93
    is_put_back = is_honest and late < 0.4
    assert apart(found) == pytest.approx([0.0 if is_put_back else late] * len(apart(found)), abs=0.06)


@pytest.mark.parametrize("late", [0.3, 2.0])
def test_sound_that_becomes_late_is_heard_again(late: float) -> None:
    _, found = show(lambda moment: 0.0, late_seconds=lambda moment: late if moment > 8 else 0.0)
    assert ends_meet(found)
    assert kept(found, since=12.0) > 0.95


@pytest.mark.parametrize("seconds", [-0.5, -0.4, 3.0, 3.1])
def test_at_the_bound_sound_does_not_go_to_and_fro(seconds: float) -> None:
    timeline, found = show(lambda moment: seconds, jitter=random.Random(4))
    places = [frame.time / AUDIO_CLOCK - moment for frame, moment in found if moment is not None]
    steps = [abs(after - before) for before, after in pairwise(places)]
    assert sum(step > 0.1 for step in steps) <= 1
    assert timeline.skipped_frames < 40
