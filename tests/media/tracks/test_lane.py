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
from tests.media.packets import feed, packet


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


def filled(count: int = 100) -> Track:
    track = Track("video", 90_000)
    feed(track, list(range(count)))
    return track


def lane_of(track: Track) -> Lane:
    return Lane(track, 102, GcmOutbound(bytes(28)), ("127.0.0.1", 9))


def test_what_was_sent_is_found_by_the_viewers_number_and_nothing_else_is() -> None:
    track = filled()
    lane = lane_of(track)
    begin = track.head - 49
    lane.start(begin)
    for number in range(begin, track.head + 1):
        packet_ = track.packet(number)
        assert packet_ is not None
        lane.reach(packet_)
        found = lane.find(number + lane.phase & 0xFFFF)
        assert found == (lane, packet_)
    assert lane.find(track.head + 1 + lane.phase & 0xFFFF) is None, "not sent yet"
    assert lane.find(track.head + 0x8000 + lane.phase & 0xFFFF) is None


def test_indices_go_on_without_a_gap_when_the_layer_changes() -> None:
    small, large = filled(), filled()
    large.join(small)
    lane = lane_of(small)
    begin = small.head - 9
    lane.start(begin)
    first = small.packet(small.head)
    assert first is not None
    lane.reach(first)
    last_index = lane.reached + lane.shift
    place = large.head - 5
    lane.change(large, place)
    begun = large.packet(place)
    assert begun is not None
    assert place + lane.shift == last_index + 1
    lane.reach(begun)
    assert lane.find(last_index + 1 & 0xFFFF) == (lane, begun)
    found = lane.find(last_index & 0xFFFF)
    assert found is not None
    assert found[1] is first, "by the layer that sent it"
    assert found[0].track is small


@pytest.mark.parametrize("fault", ["live", "not started", "a number that is not there"])
def test_a_change_that_would_break_a_number_is_refused(fault: str) -> None:
    track = filled()
    lane = lane_of(track)
    if fault != "not started":
        lane.start(track.head - 9)
    lane.is_live = fault == "live"
    number = track.head + 10 if fault.startswith("a number") else track.head
    before = (lane.shift, lane.phase, lane.track, lane.reached)
    with pytest.raises(RuntimeError):
        lane.change(track, number)
    assert (lane.shift, lane.phase, lane.track, lane.reached) == before


def test_a_change_never_turns_back_the_viewers_clock() -> None:
    ahead, behind = filled(), filled()
    behind.join(ahead)
    lane = lane_of(ahead)
    lane.start(ahead.head)
    newest = ahead.packet(ahead.head)
    assert newest is not None
    newest.timestamp = 500_000
    lane.reach(newest)
    place = behind.head - 50
    begun = behind.packet(place)
    assert begun is not None
    lane.change(behind, place)
    assert rtp.signed(begun.timestamp + lane.time_shift - 500_000) == 1


def test_another_way_through_the_network_is_every_lanes_way() -> None:
    small, large = filled(), filled()
    large.join(small)
    lane = lane_of(small)
    lane.start(small.head)
    sent = small.packet(small.head)
    assert sent is not None
    lane.reach(sent)
    lane.change(large, large.head)
    lane.move(("192.0.2.7", 7), None)
    assert {each.address for each in (lane, *lane.past)} == {("192.0.2.7", 7)}
    assert lane.past
