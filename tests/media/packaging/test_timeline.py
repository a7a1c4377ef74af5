"""Sound stays with its picture: over lost frames, drifting clocks, late reports and a host who is away."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from livecommerce.media.packaging.access_units import AccessUnit, OpusFrame, ParameterSets
from livecommerce.media.packaging.timeline import FRAME_SAMPLES, SILENCE, Clock, Timeline
from livecommerce.media.wire.rtp import AUDIO_CLOCK, VIDEO_CLOCK

SETS = ParameterSets((b"g",), (b"h",))


def picture(seconds, is_key=False):
    return AccessUnit(round(1_000_000 + seconds * VIDEO_CLOCK), (b"e",), is_key, SETS)


def sound(seconds):
    return OpusFrame(round(5_000_000 + seconds * AUDIO_CLOCK), b"\xfcsound", FRAME_SAMPLES)


def played(timeline, seconds, *, lose=lambda index: False, drift=0.0, until=None):
    """Feeds pictures and sounds made at the same moments; the audio clock runs `drift` too fast. Gives all frames with
    the moment at which they were made (None for silence)."""
    found = []
    events = [(index / 30, "video", index) for index in range(round(seconds * 30))]
    events += [(index / 50, "audio", index) for index in range(round(seconds * 50))]
    for moment, kind, index in sorted(events):
        if kind == "video":
            _, silence = timeline.video(picture(moment, index == 0), moment)
            found += [(frame, None) for frame in silence]
        elif not lose(index):
            frames = timeline.audio(sound(moment * (1 + drift)), moment)
            found += [(frame, None if frame.data == SILENCE else moment) for frame in frames]
        if until is not None:
            until(moment)
    return found


def ends_meet(found):
    return all(later.time == before.time + before.duration for (before, _), (later, _) in pairwise(found))


def apart(found):
    """Seconds between where a sound lies and where it was made, for each real frame."""
    return [frame.time / AUDIO_CLOCK - moment for frame, moment in found if moment is not None]


def test_sound_lies_end_to_end_beside_its_pictures():
    found = played(Timeline(), 5)
    assert ends_meet(found)
    assert max(map(abs, apart(found))) < 0.021


@pytest.mark.parametrize(
    "lost", [{100}, {100, 101, 102}, set(range(60, 110)), {index for index in range(250) if index % 3}]
)
def test_silence_stands_for_what_was_lost(lost):
    found = played(Timeline(), 5, lose=lambda index: index in lost)
    assert ends_meet(found)
    assert max(map(abs, apart(found))) < 0.041


def test_a_show_without_sound_is_a_show_with_silence():
    timeline = Timeline()
    found = played(timeline, 5, lose=lambda index: True)
    assert ends_meet(found)
    assert found[-1][0].time / AUDIO_CLOCK > 4.3
    assert {frame.data for frame, _ in found} == {SILENCE}


@pytest.mark.parametrize("drift", [0.001, -0.001])
def test_clocks_that_drift_apart_are_held_together_by_sender_reports(drift):
    timeline = Timeline()

    def report(moment):
        ntp = round((3_900_000_000 + moment) * (1 << 32))
        video = Clock(ntp, round(1_000_000 + moment * VIDEO_CLOCK) & 0xFFFFFFFF)
        timeline.align(video, Clock(ntp, round(5_000_000 + moment * (1 + drift) * AUDIO_CLOCK) & 0xFFFFFFFF))

    found = played(timeline, 120, drift=drift, until=report)
    assert ends_meet(found)
    assert max(map(abs, apart(found))) < 0.04  # without reports it would be 0.12 s apart


def test_the_first_reports_correct_what_arrival_made_wrong():
    timeline = Timeline()
    timeline.video(picture(0, True), 0.0)
    (frame,) = timeline.audio(sound(0.2), 0.3)[-1:]  # 200 ms later than its picture, and 100 ms on the way
    assert frame.time / AUDIO_CLOCK == pytest.approx(0.3, abs=0.021)
    timeline.align(Clock(50 << 32, 1_000_000), Clock(50 << 32, 5_000_000))  # both tracks' zero is one moment
    for index in range(11, 30):
        frames = timeline.audio(sound(index / 50), index / 50 + 0.1)
    assert frames[-1].time / AUDIO_CLOCK == pytest.approx(29 / 50, abs=0.021)


def test_reports_that_jitter_do_not_make_the_sound_stutter():
    timeline, source = Timeline(), random.Random(11)

    def report(moment):
        ntp = round((3_900_000_000 + moment) * (1 << 32))
        jitter = source.uniform(-0.008, 0.008)
        video = Clock(ntp, round(1_000_000 + moment * VIDEO_CLOCK))
        timeline.align(video, Clock(ntp, round(5_000_000 + (moment + jitter) * AUDIO_CLOCK)))

    played(timeline, 60, until=report)
    assert timeline.silent_frames + timeline.skipped_frames <= 2


def test_a_host_away_for_minutes_leaves_a_hole_and_for_seconds_silence():
    timeline = Timeline()
    timeline.video(picture(0, True), 0.0)
    timeline.audio(sound(0), 0.0)
    _, silence = timeline.video(picture(30), 30.0)
    assert len(silence) == pytest.approx(29.5 * 50, abs=1)
    _, silence = timeline.video(picture(300), 300.0)
    assert silence == []
    (frame,) = timeline.audio(sound(300), 300.0)[-1:]
    assert frame.time / AUDIO_CLOCK == pytest.approx(300, abs=0.03)


def test_nothing_has_a_place_before_the_first_key_picture():
    timeline = Timeline()
    assert timeline.audio(sound(0), 0.0) == []
    assert timeline.video(picture(0), 0.0) is None
    assert timeline.video(picture(1, True), 1.0)[0].time == 0
    assert timeline.video(picture(1), 1.0) is None  # the same time twice
