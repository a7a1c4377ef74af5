"""A lane: where its numbers begin, how they wrap, what of them may be asked for again."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from livecommerce.media.tracks.fanout import FanOut
from livecommerce.media.tracks.lane import Lane
from livecommerce.media.tracks.track import (
    OVERTAKEN_MAX,
    WRAP_MARGIN,
    Track,
    phase_for,
)
from livecommerce.media.transport.srtp import GCM_PROFILE, GcmOutbound, libsrtp_session
from livecommerce.media.transport.udp import Socket
from livecommerce.media.wire import rtp
from tests.media.packets import packet


def test_a_lane_never_starts_twice() -> None:
    lane = Lane(Track("video", 90_000), 102, GcmOutbound(bytes(28)), ("127.0.0.1", 9))
    lane.start(70_000)
    with pytest.raises(RuntimeError):
        lane.start(70_001)


@pytest.mark.parametrize("number", range(0x1FE00, 0x20200, 64))
def test_no_viewer_starts_near_a_wrap(number: int) -> None:
    sequence = number + phase_for(number) & 0xFFFF
    assert WRAP_MARGIN <= sequence <= 0x10000 - WRAP_MARGIN


@pytest.mark.parametrize("before_wrap", [1, 40, 299, 300, 1_000, 3_999, 30_000])
def test_a_viewer_who_loses_its_first_packets_decrypts_after_the_wrap(before_wrap: int, core: Any, sink: Any) -> None:
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


def test_eight_hours_go_by(core: Any, sink: Any) -> None:
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
