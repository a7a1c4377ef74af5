"""Pictures that come in another order than they are shown: each has its own time, and times of decoding grow."""

from __future__ import annotations

import io
import random
from itertools import pairwise

import av
import pytest

from livecommerce.media.hls.playlist import media_playlist
from livecommerce.media.hls.window import OPUS, PART_TICKS
from livecommerce.media.packaging.access_units import AccessUnit, ParameterSets
from livecommerce.media.packaging.decode_order import DEPTH_MAX, DEPTH_UNKNOWN, HELD_SECONDS, DecodeOrder
from livecommerce.media.packaging.stand_in import stand_in_units
from livecommerce.media.recording.reader import read_recording
from livecommerce.media.wire.rtp import VIDEO_CLOCK
from tests.media.hls.test_window import on_air, segments
from tests.media.payload_files import RATE, read_payloads
from tests.media.recording.test_recording import record, times, whole
from tests.media.studio import Studio

FRAME = VIDEO_CLOCK // 30
# As x264 writes it for main and high profile; the drawing is baseline.
HIGH = ParameterSets((bytes.fromhex("6764000aacd9428df9210000030001000003001e0f122596"),), (b"\x68\xeb",))
BASELINE = stand_in_units()[0].parameters
# What x264 sends with three B-frames in two layers, one second at four pictures a step.
PYRAMID = [0, 4, 2, 1, 3, 8, 6, 5, 7, 12, 10, 9, 11]


def unit(shown: int, *, is_key: bool = False, parameters: ParameterSets = HIGH) -> AccessUnit:
    """The picture that is shown as the `shown`-th."""
    return AccessUnit(shown * FRAME, (b"\x65" if is_key else b"\x41",), is_key, parameters)


def pushed(order: DecodeOrder, shown: list[int], parameters: ParameterSets = HIGH) -> list[AccessUnit]:
    """Pictures one after the other, the first a key picture."""
    return [
        one
        for index, number in enumerate(shown)
        for one in order.push(unit(number, is_key=not index, parameters=parameters), shown[0] / 30 + index / 30)
    ]


def shown_in(units: list[AccessUnit]) -> list[int]:
    """Which picture each one is; its time of decoding grows, and it is not shown before it is decoded."""
    assert all(after.timestamp > before.timestamp for before, after in pairwise(units))
    assert all(one.composition >= 0 for one in units)
    return [(one.timestamp + one.composition) // FRAME for one in units]


def test_baseline_pictures_pass_at_once_as_they_came():
    order = DecodeOrder()
    for number in range(40):
        one = unit(number, is_key=number % 10 == 0, parameters=BASELINE)
        assert order.push(one, number / 30) == [one]


def test_pictures_of_other_profiles_pass_at_once_when_they_have_shown_to_be_in_order():
    order = DecodeOrder()
    given = pushed(order, list(range(40)))
    assert shown_in(given) == list(range(40)), "none is held any more"
    assert not any(one.composition for one in given)


def test_a_picture_is_decoded_before_all_that_are_shown_from_it_on():
    order = DecodeOrder()
    given = pushed(order, PYRAMID) + order.due(99.0)
    assert shown_in(given) == PYRAMID
    assert [round(one.timestamp / FRAME, 2) for one in given[:8]] == [0, 0.33, 0.67, 1, 3, 3.67, 4.33, 5]


def test_a_key_picture_is_shown_when_it_is_decoded_and_ends_what_was_held():
    order = DecodeOrder()
    given = pushed(order, PYRAMID)
    assert len(given) == len(PYRAMID) - DEPTH_UNKNOWN
    given += order.push(unit(13, is_key=True), 0.5)
    assert shown_in(given) == PYRAMID
    for number in (17, 15, 14):
        given += order.push(unit(number), 0.6)
    assert shown_in(given) == [*PYRAMID, 13, 17], "two are held, now that it is known how many are needed"
    assert given[-2].composition == 0


def test_what_is_held_goes_on_where_no_picture_follows():
    order = DecodeOrder()
    pushed(order, PYRAMID)
    arrived = (len(PYRAMID) - 1) / 30
    assert order.due(arrived + HELD_SECONDS) == []
    assert len(order.due(arrived + HELD_SECONDS + 0.1)) == DEPTH_UNKNOWN
    assert order.due(99.0) == []


def test_an_encoder_that_begins_to_reorder_late_has_growing_times_all_the_same():
    order = DecodeOrder()
    shown = [*range(30), *(29 + number for number in PYRAMID[1:])]
    given = shown_in(pushed(order, shown) + order.due(99.0))
    assert given[:31] == shown[:31]
    assert given[34:] == shown[34:], "three are shown late, once"


def test_a_depth_that_was_needed_once_is_given_up_down_to_the_usual():
    order = DecodeOrder()
    pushed(order, [0, *range(10, 0, -1)])
    held = []
    for start in range(20, 300, 20):
        pushed(order, list(range(start, start + 20)))
        held.append(len(order._held))
    assert held == [9, 8, 7, 6, 5, 4, *[DEPTH_UNKNOWN] * 8]


def test_a_clock_that_was_set_back_is_no_order():
    order = DecodeOrder()
    pushed(order, list(range(100, 140)))
    given = order.push(unit(10), 5.0)
    assert shown_in(given) == [10], "what to do with it is the timeline's to say"


@pytest.mark.parametrize("seed", range(20))
def test_any_order_that_a_decoder_has_room_for_is_shown_as_it_is_meant(seed: int):
    chance = random.Random(seed)
    order, shown = DecodeOrder(), []
    for start in range(0, 400, 40):
        later = sorted(range(start + 1, start + 40), key=lambda number: number + chance.uniform(0, 2.5))
        shown += [(start, True), *((number, False) for number in later)]
    given = []
    for index, (number, is_key) in enumerate(shown):
        given += order.push(unit(number, is_key=is_key), index / 30)
        assert len(order._held) <= DEPTH_MAX
    given += order.due(99.0)
    late = sum(one != number for one, (number, _) in zip(shown_in(given), shown, strict=True))
    assert late <= 2, "while the depth was learnt"


# What a real encoder sends: x264 by its usual settings, two key pictures a show of six seconds.


def test_a_recording_has_every_picture_in_the_order_of_showing(tmp_path):
    studio = Studio()
    recording = record(tmp_path, [], studio=studio, close=False)
    studio.feed(read_payloads("b_frames"))
    studio.packager.finish()
    recording.finish()
    recording.writer.close()
    for source in (str(tmp_path / "take-0001.mp4"), whole(tmp_path)):
        pictures, sounds, _ = times(source)
        assert pictures == pytest.approx([index / RATE for index in range(90)], abs=0.001)
        assert sounds[-1] > 5.5
    assert read_recording(tmp_path).duration_ms == pytest.approx(6_000, abs=40)


def test_hls_has_every_picture_in_the_order_of_showing_and_parts_are_as_long_as_they_say():
    studio = Studio()
    window, _ = on_air([], studio)
    studio.feed(read_payloads("b_frames"))
    studio.packager.tick(studio.now + 1.0)
    window.end()
    pictures, last = [], 0.0
    for segment in window.segments:
        data = window.initialization(OPUS, segment.initialization) + window.segment(OPUS, segment.number)
        with av.open(io.BytesIO(data)) as container:
            shown = [frame.time for frame in container.decode(video=0)]
        assert shown == sorted(shown)
        pictures += shown
        assert last == pytest.approx(shown[0], abs=0.001), "a segment begins where the one before ended"
        last = shown[0] + segment.ticks / VIDEO_CLOCK
        assert all(part.ticks <= PART_TICKS for part in segment.parts)
    assert pictures == pytest.approx([index / RATE for index in range(90)], abs=0.001)
    assert "#EXT-X-DISCONTINUITY\n" not in media_playlist(window, OPUS)
    assert sum(duration for duration, _ in segments(media_playlist(window, OPUS))) == pytest.approx(6.0, abs=0.04)


def test_a_lost_picture_costs_those_up_to_the_next_key_picture_and_no_more(tmp_path):
    studio = Studio()
    recording = record(tmp_path, [], studio=studio, close=False)
    payloads = read_payloads("b_frames")
    videos = [index for index, one in enumerate(payloads) if one.kind == "video"]
    lost = videos[12]
    studio.feed(payloads[:lost])
    studio._numbers["video"] += 1
    studio.feed(payloads[lost + 1 :])
    studio.packager.tick(studio.now + 1.0)
    recording.finish()
    recording.writer.close()
    pictures, _, _ = times(whole(tmp_path))
    after = [time for time in pictures if time >= 2.0]
    assert after == pytest.approx([index / RATE for index in range(30, 90)], abs=0.001)
    assert len(pictures) < 90
    assert pictures == sorted(pictures)
