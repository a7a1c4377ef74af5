"""The canonical track: hosts come, go and jump; viewers see one stream, each packet once."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livecommerce.media.tracks.track import (
    RING_PACKETS,
    CanonicalPacket,
    Track,
    equalise,
    runs,
)
from livecommerce.media.wire import rtp
from tests.media.crowd import PARAMETERS
from tests.media.packets import IDR, PICTURE, SEQUENCE, feed, packet


class TestTrack:
    def test_numbers_continue_when_another_host_takes_over(self) -> None:
        track = Track("video", 90_000)
        first = feed(track, [100, 101, 102])
        track.begin_source()
        second = feed(track, [60_000, 60_001], now=2.0)
        numbers = [each.number for each in first + second]
        assert numbers == list(range(numbers[0], numbers[0] + 5))
        assert second[0].timestamp - first[-1].timestamp & 0xFFFFFFFF == 90_000

    def test_a_restarted_encoder_in_the_same_session_continues_too(self) -> None:
        track = Track("video", 90_000)
        before = feed(track, [100, 101])
        after = feed(track, [30_000, 30_001, 30_002])
        assert [each.number - before[-1].number for each in after] == [1, 2]

    def test_the_size_may_be_told_in_sdp_alone(self) -> None:
        track = Track("video", 90_000)
        track.begin_source((PARAMETERS[360],))
        feed(track, [1])
        assert track.picture is not None
        assert (track.picture.width, track.picture.height) == (640, 360)
        track.begin_source((b"\x67\x42", b"\x68\xce\x38\x80"))
        assert track.picture.height == 360, "what is damaged tells nothing"

    def test_order_gaps_and_duplicates(self) -> None:
        track = Track("video", 90_000)
        start = feed(track, [65_533])[0].number
        assert [each.number - start for each in feed(track, [65_535, 1, 1, 65_534, 65_535])] == [1, 2, 4]
        assert [each.number - start for each in feed(track, [0, 0])] == [3]
        assert feed(track, [65_533]) == []

    def test_the_keyframe_begins_with_the_first_packet_of_its_picture(self) -> None:
        track = Track("video", 90_000)
        feed(track, [1, 2])
        for sequence, body in ((3, b"\x67"), (4, b"\x68"), (5, IDR), (6, PICTURE)):
            track.take(packet(sequence, body=body, timestamp=7, marker=sequence == 6), 1.0)
        flushed = track.flush(1.0)
        assert track.keyframe_start == flushed[0].number
        assert track.keyframes == 1
        assert track.between(track.keyframe_start, track.head) == flushed

    @pytest.mark.parametrize("order", list(itertools.permutations(range(5))))
    def test_a_first_keyframe_is_found_in_whatever_order_its_packets_come(self, order: tuple[int, ...]) -> None:
        """SPS, PPS, two pieces of the IDR and a packet of the next picture, as a line with much jitter mixes them."""
        track = Track("video", 90_000)
        bodies = [b"\x67", b"\x68", b"\x7c\x85", b"\x7c\x45", PICTURE]
        for place in order:
            sent = packet(500 + place, body=bodies[place], timestamp=7 if place < 4 else 9, marker=place > 2)
            assert track.take(sent, 1.0) is not None
        flushed = track.flush(1.0)
        assert [each.body[:1] for each in flushed] == [body[:1] for body in bodies]
        assert track.keyframe_start == flushed[0].number
        assert (track.keyframes, track.lacks_keyframe()) == (1, False)

    def test_a_later_keyframe_is_found_though_the_next_picture_came_before_it(self) -> None:
        track = Track("video", 90_000)
        feed(track, [1, 2])
        for sequence, body, timestamp in ((5, PICTURE, 9), (4, IDR, 7), (3, b"\x67", 7)):
            track.take(packet(sequence, body=body, timestamp=timestamp), 1.0)
        flushed = track.flush(1.0)
        assert (track.keyframe_start, track.keyframes) == (flushed[0].number, 1)

    def test_pictures_of_two_sizes_that_take_turns_are_of_two_encoders(self) -> None:
        track, sizes = Track("video", 90_000), (PARAMETERS[360], PARAMETERS[720])
        for second in range(6):
            assert track.mixed_at < 0
            taken = packet(second, body=sizes[second % 2], timestamp=second * 90_000)._replace(
                payload=sizes[second % 2]
            )
            track.take(taken, float(second))
        assert track.mixed_at == 5.0

    @pytest.mark.parametrize(
        ("heights", "seconds"),
        [((180, 360, 720, 360, 180, 360), 1.0), ((720, 360, 720, 360, 720, 360), 20.0), ((720,) * 9, 1.0)],
        ids=["a browser that climbs and falls", "one whose line comes and goes", "one size"],
    )
    def test_other_changes_of_size_are_one_encoders(self, heights: tuple[int, ...], seconds: float) -> None:
        track = Track("video", 90_000)
        for index, height in enumerate(heights):
            taken = packet(index, timestamp=index * 90_000)._replace(payload=PARAMETERS[height])
            track.take(taken, index * seconds)
        assert track.mixed_at < 0

    def test_each_sender_owes_a_keyframe(self) -> None:
        track = Track("video", 90_000)
        assert not track.lacks_keyframe()  # nobody sends
        for begins_at in (1.0, 3.0):
            track.begin_source()
            assert not track.lacks_keyframe()
            track.take(packet(1, timestamp=1), begins_at)
            assert track.lacks_keyframe()
            track.take(packet(2, body=SEQUENCE, timestamp=2, marker=False), begins_at + 0.1)
            assert track.lacks_keyframe(), "parameter sets alone are no picture"
            track.take(packet(3, body=IDR, timestamp=2), begins_at + 0.1)
            assert not track.lacks_keyframe()

    def test_probes_keep_the_numbers_continuous(self) -> None:
        track = Track("video", 90_000)
        track.take(rtp.RtpPacket(102, False, 5, 0, 9, b"", 0, b""), 1.0)
        (probe,) = track.flush(1.0)
        assert (probe.body, probe.is_padded) == (b"\x01", True)

    def test_a_copy_has_the_timestamps_of_its_origin_and_both_tell_what_arrives_when(self) -> None:
        origin, copy = Track("video", 90_000), Track("video", 90_000)
        assert origin.timestamp_at(1.0) is None
        for sequence, timestamp in ((1, 2**32 - 9_000), (2, 0)):
            taken = origin.take(packet(sequence, timestamp=timestamp), 1.0)
            assert taken is not None
            copied = copy.take(packet(sequence, timestamp=taken.timestamp), 1.1)
            assert copied is not None
            assert copied.timestamp == taken.timestamp
        assert (origin.timestamp_at(1.5), copy.timestamp_at(1.5)) == (45_000, 36_000)
        origin.begin_source()  # another host: half a second later by our clock
        returned = origin.take(packet(77, timestamp=123), 1.5)
        assert returned is not None
        assert returned.timestamp == 45_000

    def test_the_ring_forgets(self) -> None:
        track = Track("video", 90_000)
        (first,) = feed(track, [0])
        for sequence in range(1, RING_PACKETS + 10):
            feed(track, [sequence])
        assert track.packet(first.number) is None
        assert track.packet(track.head) is not None
        assert feed(track, [2]) == []

    @settings(deadline=None)
    @given(st.lists(st.one_of(st.integers(0, 65_535), st.just(-1)), max_size=200), st.randoms())
    def test_whatever_hosts_send_each_number_stands_for_one_packet(
        self, sequences: list[int], rng: random.Random
    ) -> None:
        track = Track("video", 90_000)
        seen: dict[int, bytes] = {}
        last = track.head
        for index, sequence in enumerate(sequences):
            if sequence < 0:
                track.begin_source()
                continue
            near = sequence if rng.random() < 0.3 else (sequences[0] + index) & 0xFFFF
            track.take(packet(near, body=PICTURE + rng.randbytes(rng.randrange(1, 40))), index * 0.01)
            if rng.random() < 0.5:
                for each in track.flush(1.0):
                    assert each.number not in seen
                    seen[each.number] = each.header(102, 0, track.ssrc) + each.body
        for number, content in seen.items():
            again = track.packet(number)
            if again is not None:
                assert again.header(102, 0, track.ssrc) + again.body == content
        assert track.head >= last


class TestRuns:
    @given(st.lists(st.integers(1, 1_200), min_size=1, max_size=80))
    def test_each_run_is_one_segmented_send_and_nothing_is_lost(self, sizes: list[int]) -> None:
        packets = [CanonicalPacket(number, 0, False, b"p" * size, False) for number, size in enumerate(sizes)]
        equalise(packets)
        found = list(runs(packets))
        assert [each for run in found for each in run] == packets
        for run in found:
            lengths = [len(each.body) for each in run]
            assert len(set(lengths[:-1])) <= 1
            assert lengths[-1] <= lengths[0]
            assert len(run) <= 32
        for each, size in zip(packets, sizes, strict=True):
            padding = each.body[-1] if each.is_padded else 0
            assert len(each.body) - padding == size
            assert padding <= 64

    def test_the_nearly_equal_packets_of_a_browser_go_in_one_send(self) -> None:
        packets = [
            CanonicalPacket(index, 0, False, b"p" * size, False) for index, size in enumerate((660, 661, 660, 659))
        ]
        equalise(packets)
        assert len(list(runs(packets))) == 1


# Times of pictures in the order they are sent, in frames: an encoder with two B-frames sends I P B B P B B.
IN_ORDER = list(range(60))
WITH_B_FRAMES = [0, *(frame for start in range(1, 58, 3) for frame in (start + 2, start, start + 1))]


@pytest.mark.parametrize(("frames", "is_reordered"), [(IN_ORDER, False), (WITH_B_FRAMES, True)], ids=["none", "two"])
def test_pictures_in_another_order_than_they_are_shown_are_found(frames: list[int], is_reordered: bool) -> None:
    track = Track("video", 90_000)
    for sequence, frame in enumerate(frames):
        track.take(packet(sequence, timestamp=frame * 3_000), 1.0 + sequence / 30)
    track.flush(10.0)
    assert track.is_reordered() is is_reordered


def test_repaired_packets_are_no_other_order() -> None:
    track = Track("video", 90_000)
    late = {7, 20, 31, 32}
    for sequence in [*(one for one in range(60) if one not in late), *late]:
        track.take(packet(sequence, timestamp=sequence * 3_000), 1.0 + sequence / 30)
    track.flush(10.0)
    assert not track.is_reordered()
