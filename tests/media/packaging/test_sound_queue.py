"""Sounds are given out once, in order, without a hole between them, and never pile up."""

from __future__ import annotations

import pytest

from livecommerce.media.packaging.fragmented_mp4 import AUDIO_TRACK, Run, Sample
from livecommerce.media.packaging.sound_queue import FRAMES_WAITING_MAX, SoundQueue
from livecommerce.media.packaging.timeline import TimedFrame


def queue_of(*times: int) -> SoundQueue:
    queue = SoundQueue()
    for time in times:
        queue.put(TimedFrame(time, b"%d" % time, 960))
    return queue


@pytest.mark.parametrize(
    ("times", "end", "start", "durations"),
    [
        ((0, 960, 1_920), 1_920, 0, [960, 960]),
        ((0, 960, 1_920), 10_000, 0, [960, 960, 960]),
        ((100, 1_100), 10_000, 100, [1_000, 960]),
        ((960,), 960, 0, []),
        ((), 960, 0, []),
    ],
    ids=["until the end", "all", "a hole is bridged", "none is due", "none is there"],
)
def test_what_a_fragment_gets(times: tuple[int, ...], end: int, start: int, durations: list[int]) -> None:
    run = queue_of(*times).take(end)
    expected = [Sample(b"%d" % time, ticks) for time, ticks in zip(times, durations, strict=False)]
    assert run == Run(AUDIO_TRACK, start, expected)


def test_each_frame_is_given_once_and_the_rest_waits() -> None:
    queue = queue_of(0, 960, 1_920)
    assert [sample.data for sample in queue.take(960).samples] == [b"0"]
    assert [sample.data for sample in queue.take(5_000).samples] == [b"960", b"1920"]
    assert queue.take(5_000).samples == []


def test_a_recording_that_began_elsewhere_moves_its_sound() -> None:
    assert queue_of(960).take(5_000, shift=48_000).decode_time == 48_960


def test_sound_of_pictures_that_are_not_there_is_dropped() -> None:
    queue = queue_of(0, 960, 1_920)
    queue.drop_before(960)
    assert [sample.data for sample in queue.take(5_000).samples] == [b"960", b"1920"]


def test_what_never_gets_its_picture_does_not_pile_up() -> None:
    queue = queue_of(*range(0, 960 * (3 * FRAMES_WAITING_MAX), 960))
    kept = queue.take(1 << 40).samples
    assert len(kept) <= FRAMES_WAITING_MAX
    assert kept[-1].data == b"%d" % (960 * (3 * FRAMES_WAITING_MAX - 1))
