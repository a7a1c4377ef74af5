"""Sending: the packets that were flushed arrive at every lane, by few calls, and no nonce is used for two of them."""

from __future__ import annotations

import errno
import os
import random
import socket
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livecommerce.media.tracks.fanout import FanOut
from livecommerce.media.tracks.lane import Lane
from livecommerce.media.tracks.track import (
    Track,
)
from livecommerce.media.transport.srtp import GCM_PROFILE, GcmOutbound, libsrtp_session
from livecommerce.media.transport.udp import Socket
from livecommerce.media.wire import rtp
from tests.media.crowd import RecordingOutbound
from tests.media.packets import CORES, IDR, PICTURE, Witness, core_name, packet

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
