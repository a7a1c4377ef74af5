"""The canonical track and the nonce rule: hosts come, go and jump; viewers see one stream, each byte once."""

from __future__ import annotations

import errno
import itertools
import os
import random
import socket
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from livecommerce.media.compiled import compiled
from livecommerce.media.tracks.fanout import FanOut
from livecommerce.media.tracks.lane import Lane
from livecommerce.media.tracks.track import (
    OVERTAKEN_MAX,
    RING_PACKETS,
    WRAP_MARGIN,
    CanonicalPacket,
    Track,
    equalise,
    phase_for,
    runs,
)
from livecommerce.media.transport.srtp import GCM_PROFILE, GcmOutbound, libsrtp_session
from livecommerce.media.transport.udp import Socket
from livecommerce.media.wire import rtp
from tests.media.crowd import RecordingOutbound

# Both ways of sending, where the compiled one was built.
CORES = list(dict.fromkeys((compiled.core(), None)))


def core_name(core: Any) -> str:
    return "Python" if core is None else "compiled"


IDR, PICTURE = b"\x65", b"\x61"


def packet(sequence: int, *, body: bytes = PICTURE, timestamp: int = 0, marker: bool = True) -> rtp.RtpPacket:
    return rtp.RtpPacket(102, marker, sequence & 0xFFFF, timestamp, 9, body + b"x" * 20, 0, b"")


def feed(track: Track, sequences: list[int], now: float = 1.0) -> list[CanonicalPacket]:
    for sequence in sequences:
        track.take(packet(sequence, timestamp=sequence * 3_000), now)
    return track.flush(1.0)


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

    def test_each_sender_owes_a_keyframe(self) -> None:
        track = Track("video", 90_000)
        assert not track.lacks_keyframe()  # nobody sends
        for begins_at in (1.0, 3.0):
            track.begin_source()
            assert not track.lacks_keyframe()
            track.take(packet(1, timestamp=1), begins_at)
            assert track.lacks_keyframe()
            track.take(packet(2, body=IDR, timestamp=2), begins_at + 0.1)
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


class Witness:
    """A viewer's socket that finds out under which nonce each datagram was sealed, whoever sealed it."""

    def __init__(self) -> None:
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.udp.setblocking(False)
        self.udp.bind(("127.0.0.1", 0))
        self.used: dict[int, bytes] = {}
        self.opened = 0

    def look(self, lane: Lane) -> None:
        """Takes what has arrived for the lane: each datagram must open under the index its number stands for."""
        while True:
            try:
                datagram = self.udp.recv(2_048)
            except BlockingIOError:
                return
            sequence = int.from_bytes(datagram[2:4], "big")
            newest = lane.track.highest + lane.shift
            index = rtp.unwrap(sequence, newest)
            nonce = lane.nonce_base ^ index
            AESGCM(lane.gcm._key).decrypt(nonce.to_bytes(12, "big"), datagram[12:], datagram[:12])
            assert self.used.setdefault(nonce, datagram) == datagram, "one nonce for two packets"
            self.opened += 1


@pytest.fixture(params=CORES, ids=core_name)
def core(request: pytest.FixtureRequest) -> Any:
    """The compiled core where it was built, and None: Python alone."""
    return request.param


@pytest.fixture
def sink() -> Any:
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setblocking(False)
    udp.bind(("127.0.0.1", 0))
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    yield udp
    udp.close()


STEPS = st.lists(
    st.sampled_from(
        ["frame", "frame", "frame", "lose", "late", "keyframe", "host", "jump", "repair", "replay", "join"]
    ),
    max_size=120,
)


class TestNonces:
    @pytest.mark.parametrize("core", CORES, ids=core_name)
    @settings(max_examples=60, deadline=None)
    @given(STEPS, st.integers(0, 0xFFFF), st.integers(0, 1 << 32))
    def test_no_nonce_is_ever_used_for_two_packets(self, core: Any, steps: list[str], start: int, seed: int) -> None:
        """Over loss, repair, replay, host reconnect, encoder restart and wrap-around, as the viewers see it."""
        rng = random.Random(seed)
        track = Track("video", 90_000)
        track.highest = track.head = track._floor = 0x10000 + start
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.setblocking(False)
        fan_out = FanOut(track, Socket(udp, core))
        lanes: dict[Lane, Witness] = {}
        sequence, skipped = rng.randrange(65_536), []
        try:
            for step in steps:
                sequence, skipped = self._step(step, track, fan_out, lanes, rng, sequence, skipped)
                for lane, witness in lanes.items():
                    witness.look(lane)
        finally:
            for each in (udp, *(witness.udp for witness in lanes.values())):
                each.close()
        for lane, witness in lanes.items():
            assert isinstance(lane.outbound, RecordingOutbound)
            assert witness.opened == lane.packets
            assert bool(lane.outbound.used) == (core is None and witness.opened > 0)

    def _step(
        self,
        step: str,
        track: Track,
        fan_out: FanOut,
        lanes: dict[Lane, Witness],
        rng: random.Random,
        sequence: int,
        skipped: list[int],
    ) -> tuple[int, list[int]]:
        if step in ("frame", "keyframe"):
            for index in range(rng.randrange(1, 12)):
                body = (IDR if step == "keyframe" else PICTURE) + rng.randbytes(rng.randrange(1, 60))
                track.take(packet(sequence + index, body=body, timestamp=sequence, marker=False), sequence / 30)
            sequence += 12
            skipped = [*skipped, sequence - 1][-20:]
            fan_out.send(track.flush(1.0))
        elif step == "lose":
            sequence += rng.randrange(1, 400)
        elif step == "late" and skipped:
            track.take(packet(rng.choice(skipped), body=PICTURE + rng.randbytes(9)), sequence / 30)
            fan_out.send(track.flush(1.0))
        elif step in ("host", "jump"):
            sequence = rng.randrange(65_536)
            if step == "host":
                track.begin_source()
        elif step == "join" and len(lanes) < 6:
            witness = Witness()
            outbound = RecordingOutbound(rng.randbytes(28))
            lane = Lane(track, rng.choice((102, 96)), outbound, witness.udp.getsockname())
            lane.start(track.keyframe_start if track.has_keyframe() else track.head + 1)
            fan_out.send_to(track.between(track.head - 50, track.head), lane)
            fan_out.add(lane)
            lanes[lane] = witness
        elif lanes and step in ("repair", "replay"):
            lane = rng.choice(list(lanes))
            first = track.head - rng.randrange(0, 2_000)
            fan_out.send_to(track.between(first, first + (20 if step == "repair" else 2_000)), lane)
        return sequence, skipped

    def test_a_lane_never_starts_twice(self) -> None:
        lane = Lane(Track("video", 90_000), 102, GcmOutbound(bytes(28)), ("127.0.0.1", 9))
        lane.start(70_000)
        with pytest.raises(RuntimeError):
            lane.start(70_001)


class TestWrap:
    @pytest.mark.parametrize("number", range(0x1FE00, 0x20200, 64))
    def test_no_viewer_starts_near_a_wrap(self, number: int) -> None:
        sequence = number + phase_for(number) & 0xFFFF
        assert WRAP_MARGIN <= sequence <= 0x10000 - WRAP_MARGIN

    @pytest.mark.parametrize("before_wrap", [1, 40, 299, 300, 1_000, 3_999, 30_000])
    def test_a_viewer_who_loses_its_first_packets_decrypts_after_the_wrap(
        self, before_wrap: int, core: Any, sink: Any
    ) -> None:
        """Real libsrtp as the viewer, who counts rollovers by itself."""
        track = Track("video", 90_000)
        track.highest = track.head = track._floor = 0x20000 - before_wrap - OVERTAKEN_MAX - 1
        master = bytes(range(28))
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        fan_out = FanOut(track, Socket(sender, core))
        lane = Lane(track, 102, GcmOutbound(master), sink.getsockname())
        lane.start(track.head + 1)
        fan_out.add(lane)
        receiver = libsrtp_session(GCM_PROFILE, master, inbound=True)
        opened = 0
        for index in range(before_wrap + 500):
            track.take(packet(index, timestamp=index), index / 100)
            fan_out.send(track.flush(1.0))
            datagram = sink.recv(2_048)
            if index >= 300:  # the first 300 never arrive
                opened += len(receiver.unprotect(datagram)) > 12
        sender.close()
        assert opened == before_wrap + 200

    def test_eight_hours_go_by(self, core: Any, sink: Any) -> None:
        """4.3 million packets, of which each thousandth is looked at: 66 wraps of the number, by real libsrtp."""
        track = Track("video", 90_000)
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        fan_out = FanOut(track, Socket(sender, core))
        lane = Lane(track, 102, GcmOutbound(bytes(28)), sink.getsockname())
        lane.start(track.head + 1)
        fan_out.add(lane)
        receiver = libsrtp_session(GCM_PROFILE, bytes(28), inbound=True)
        first = track.head + 1 + OVERTAKEN_MAX
        for number in range(0, 150 * 3_600 * 8, 1_000):
            track.take(packet(number, timestamp=number * 600 & 0xFFFFFFFF), number / 150)
            fan_out.send(track.flush(1.0))
            opened = rtp.parse(receiver.unprotect(sink.recv(2_048)))
            assert opened is not None
            assert opened.sequence == first + number + lane.phase & 0xFFFF
        assert track.head - first >= 65 * 65_536
        sender.close()


class TestSending:
    def test_segments_arrive_as_the_packets_they_are(self, core: Any, sink: Any) -> None:
        self._round_trip(sink, core, has_gso=True)

    def test_without_segmentation_the_same_packets_arrive(self, core: Any, sink: Any) -> None:
        self._round_trip(sink, core, has_gso=False)

    def _round_trip(self, sink: Any, core: Any, *, has_gso: bool) -> None:
        track = Track("video", 90_000)
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        out = Socket(sender, core)
        out.has_gso = has_gso
        fan_out = FanOut(track, out)
        lane = Lane(track, 102, GcmOutbound(bytes(28)), sink.getsockname())
        lane.start(track.head + 1)
        fan_out.add(lane)
        bodies = [PICTURE + bytes((index,)) * size for index, size in enumerate((700, 701, 700, 300))]
        for index, body in enumerate(bodies):
            track.take(packet(index, body=body, marker=index == 3), 1.0)
        fan_out.send(track.flush(1.0))
        receiver = libsrtp_session(GCM_PROFILE, bytes(28), inbound=True)
        parsed = [rtp.parse(receiver.unprotect(sink.recv(2_048))) for _ in bodies]
        assert [each.payload for each in parsed if each is not None] == [body + b"x" * 20 for body in bodies]
        assert [each.marker for each in parsed if each is not None] == [False, False, False, True]
        assert out.counters.packets == 4
        assert out.counters.calls == (1 if has_gso else 4)
        sender.close()

    @pytest.mark.parametrize(
        ("sizes", "has_gso", "shares"),
        [((700, 700), True, True), ((700, 300), True, False), ((100, 100), True, False), ((700, 700), False, False)],
        ids=["equal pictures", "short tail", "sound larger than pictures", "no segmentation"],
    )
    def test_a_sound_rides_with_a_picture(
        self, core: Any, sizes: tuple[int, ...], has_gso: bool, shares: bool, sink: Any
    ) -> None:
        pictures, sounds = Track("video", 90_000), Track("audio", 48_000)
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        out = Socket(sender, core)
        out.has_gso = has_gso
        fans = {track.kind: FanOut(track, out) for track in (pictures, sounds)}
        outbound = RecordingOutbound(bytes(28))
        video, audio = (Lane(track, 102, outbound, sink.getsockname()) for track in (pictures, sounds))
        video.start(pictures.head + 1)
        audio.start(sounds.head + 1)
        video.rider = audio
        fans["audio"].add(audio, is_riding=True)
        fans["video"].add(video)
        for index, size in enumerate(sizes):
            pictures.take(rtp.RtpPacket(102, index == 1, index, 0, 9, b"\x61" * size, 0, b""), 1.0)
        sounds.take(rtp.RtpPacket(111, True, 7, 0, 8, b"sound" * 30, 0, b""), 1.0)
        (sound,) = sounds.flush(1.0)
        rode = fans["video"].send(pictures.flush(1.0), (sounds, sound))
        assert rode is shares
        (fans["audio"].send_alone if rode else fans["audio"].send)([sound])
        receiver = libsrtp_session(GCM_PROFILE, bytes(28), inbound=True)
        arrived = [rtp.parse(receiver.unprotect(sink.recv(2_048))) for _ in range(3)]
        assert sorted(len(each.payload) for each in arrived if each) == sorted((*sizes, 150))
        assert {each.ssrc for each in arrived if each} == {pictures.ssrc, sounds.ssrc}
        assert (video.packets, audio.packets) == (2, 1)
        assert out.counters.calls == (1 if shares else 3 if not has_gso else 2)
        with pytest.raises(BlockingIOError):
            sink.recv(2_048)
        sender.close()

    @pytest.mark.parametrize(
        ("error", "segmented_before", "stays_on"),
        [(errno.EIO, 100, False), (errno.EINVAL, 0, False), (errno.EINVAL, 100, True), (errno.EMSGSIZE, 100, True)],
        ids=["no offload", "never worked", "one narrow path", "one small MTU"],
    )
    def test_a_path_that_refuses_segmentation_is_served_plainly(
        self, error: int, segmented_before: int, stays_on: bool, sink: Any
    ) -> None:
        class Refusing:
            def __init__(self, real: socket.socket) -> None:
                self._real = real

            def setsockopt(self, *_: Any) -> None: ...

            def sendmsg(self, buffers: Any, control: Any, flags: int, address: Any) -> int:
                if control:
                    raise OSError(error, os.strerror(error))
                return self._real.sendmsg(buffers, control, flags, address)

            def sendto(self, data: bytes, address: Any) -> int:
                return self._real.sendto(data, address)

        real = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        out = Socket(Refusing(real), None)  # type: ignore[arg-type]
        out.counters.segmented = segmented_before
        track = Track("video", 90_000)
        fan_out = FanOut(track, out)
        lane = Lane(track, 102, GcmOutbound(bytes(28)), sink.getsockname())
        lane.start(track.head + 1)
        fan_out.add(lane)
        for sequence in (1, 2, 3):
            track.take(packet(sequence, marker=sequence == 3), 1.0)
        fan_out.send(track.flush(1.0))
        assert out.has_gso is stays_on
        assert [len(sink.recv(2_048)) for _ in range(3)] == [12 + 21 + 16] * 3
        real.close()
