"""A viewer's session: what its offer agrees to, what its reports change, how many repairs it gets."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import pytest

from livecommerce.media.errors import SdpRefused
from livecommerce.media.tracks.lane import Lane
from livecommerce.media.tracks.track import CanonicalPacket, Track
from livecommerce.media.transport.peer import PeerState
from livecommerce.media.transport.srtp import CM_PROFILE, GCM_PROFILE, Keys, Outbound, outbound
from livecommerce.media.transport.udp import SendCounters
from livecommerce.media.viewers.layer import Layer
from livecommerce.media.viewers.viewer import LOSSY, REPAIRS_AT_ONCE_MAX, Viewer, ViewerPlan
from livecommerce.media.wire import rtcp, sdp
from livecommerce.media.wire.h264 import Picture
from tests.media.packets import feed
from tests.media.transport.test_peer import Desk, Way
from tests.media.wire.test_sdp import AUDIO, HEAD, TRANSPORT, VIDEO, offer

SEND_TIME = f"a=extmap:4 {sdp.SEND_TIME}"
RECEIVING = [line.replace("sendonly", "recvonly") for line in VIDEO]
LISTENING = [line.replace("sendonly", "recvonly") for line in AUDIO]
KEYS = {
    profile: Keys(profile, bytes(range(length)), bytes(range(1, length + 1)))
    for profile, length in ((GCM_PROFILE, 28), (CM_PROFILE, 30))
}


@dataclass
class Hall:
    """An audience of one that writes down what its viewer asks for."""

    show: str = "demo"
    tracks: dict[str, Track] = field(
        default_factory=lambda: {"video": Track("video", 90_000), "audio": Track("audio", 48_000)}
    )
    repair_ssrc: int = 77
    paused: bool = False
    sent: list[int] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def admit(self, viewer: Viewer) -> None:
        self.said.append("admit")

    def withdraw(self, viewer: Viewer) -> None:
        self.said.append("withdraw")

    def place(self, viewer: Viewer) -> None:
        self.said.append("place")

    def alive(self) -> list[Layer]:
        return []

    def choose(self, viewer: Viewer, alive: list[Layer], now: float) -> None:
        self.said.append("choose")

    def layer_of(self, lane: Lane) -> Layer:
        raise AssertionError("a show of one layer is not asked which")

    def is_paused(self, viewer: Viewer) -> bool:
        return self.paused

    def send_again(self, lane: Lane, packets: list[CanonicalPacket]) -> None:
        self.sent += [packet.number for packet in packets]

    def take_probe_place(self, viewer: Viewer) -> bool:
        return True

    def keyframe_wanted_by(self, viewer: Viewer, now: float) -> None:
        self.said.append("keyframe")


@dataclass
class Seat:
    hall: Hall
    viewer: Viewer
    way: Way
    counters: SendCounters
    browser: Outbound

    def tell(self, compound: bytes, now: float) -> None:
        """A report as the viewer's browser seals it."""
        self.viewer.receive_rtcp(self.browser.seal_rtcp(compound), now)


def seated(*sections: list[str], profile: bytes = GCM_PROFILE) -> Seat:
    hall, desk = Hall(), Desk()
    parsed = sdp.parse_offer(offer(HEAD, LISTENING, TRANSPORT, *(sections or (RECEIVING,))))
    plan = ViewerPlan(parsed, hall.tracks, hall.repair_ssrc)
    counters = SendCounters()
    viewer = Viewer(desk, hall, parsed, plan, counters, 100.0)
    desk.register(viewer)
    way = Way(1)
    viewer.verified(way, nominated=True, now=100.0)
    viewer._connected(KEYS[profile])
    video = viewer.lanes["video"]
    feed(hall.tracks["video"], list(range(600)))
    video.start(hall.tracks["video"].head - 500)
    video.is_live = True
    desk.handshakes.close()
    theirs = Keys(profile, KEYS[profile].outbound, KEYS[profile].inbound)
    return Seat(hall, viewer, way, counters, outbound(theirs))


def numbers(seat: Seat, count: int) -> list[int]:
    """The newest packets as the viewer numbers them."""
    lane = seat.viewer.lanes["video"]
    return [number + lane.phase & 0xFFFF for number in range(lane.track.head - count + 1, lane.track.head + 1)]


class TestPlan:
    @pytest.mark.parametrize(
        ("lines", "repair", "send_time"),
        [
            (RECEIVING, 103, 0),
            ([*RECEIVING, SEND_TIME], 103, 0),
            ([*RECEIVING, SEND_TIME, "a=rtcp-fb:102 goog-remb"], 103, 4),
            ([line for line in RECEIVING if "apt=" not in line], 0, 0),
            ([line for line in RECEIVING if not line.endswith(" nack")], 0, 0),
        ],
        ids=["a browser", "times, no estimate", "estimate", "no RTX", "no NACK"],
    )
    def test_what_is_agreed(self, lines: list[str], repair: int, send_time: int) -> None:
        tracks = Hall().tracks
        plan = ViewerPlan(sdp.parse_offer(offer(HEAD, LISTENING, TRANSPORT, lines)), tracks, 77)
        assert plan.payload_types == {"video": 102, "audio": 111}
        assert (plan.repair_payload_type, plan.send_time_id, plan.video_mid) == (repair, send_time, "1")
        (picture,) = (each for each in plan.answered if each.section.kind == "video")
        assert f"ssrc:{tracks['video'].ssrc} cname:livecommerce" in picture.lines
        assert (f"ssrc-group:FID {tracks['video'].ssrc} 77" in picture.lines) is bool(repair)

    @pytest.mark.parametrize(
        ("profile", "payload_type", "label"), [(None, 102, "42e01f"), (66, 102, "42e01f"), (100, 104, "640c1f")]
    )
    def test_the_label_is_that_of_the_pictures(self, profile: int | None, payload_type: int, label: str) -> None:
        """High pictures were sent under a baseline label, which a strict player refuses to show."""
        tracks = Hall().tracks
        tracks["video"].picture = None if profile is None else Picture(1280, 720, profile, 0, 31)
        plan = ViewerPlan(sdp.parse_offer(offer(HEAD, LISTENING, TRANSPORT, RECEIVING)), tracks, 77)
        assert plan.payload_types["video"] == payload_type
        (picture,) = (each for each in plan.answered if each.section.kind == "video")
        assert picture.codecs[0].parameters["profile-level-id"] == label

    @pytest.mark.parametrize("direction", ["sendonly", "inactive"])
    def test_who_receives_nothing_is_no_viewer(self, direction: str) -> None:
        parsed = sdp.parse_offer(offer(HEAD, TRANSPORT, [line.replace("sendonly", direction) for line in VIDEO]))
        with pytest.raises(SdpRefused, match="neither video nor audio"):
            ViewerPlan(parsed, Hall().tracks, 77)


@pytest.mark.parametrize("profile", [GCM_PROFILE, CM_PROFILE])
class TestReports:
    def test_a_lost_packet_is_sent_again_and_counted(self, profile: bytes) -> None:
        seat = seated(profile=profile)
        ssrc = seat.viewer.lanes["video"].ssrc
        seat.tell(rtcp.nack(9, ssrc, numbers(seat, 3)), 101.0)
        assert len(seat.way.sent) == 3, "by RTX, in a stream of their own"
        assert (seat.viewer.repairs, seat.counters.repairs, seat.hall.sent) == (3, 3, [])
        assert {struct.unpack_from("!I", datagram, 8)[0] for datagram in seat.way.sent} == {77}

    def test_without_rtx_it_is_the_identical_packet(self, profile: bytes) -> None:
        seat = seated([line for line in RECEIVING if "apt=" not in line], profile=profile)
        head = seat.hall.tracks["video"].head
        seat.tell(rtcp.nack(9, seat.viewer.lanes["video"].ssrc, numbers(seat, 2)), 101.0)
        assert seat.hall.sent == [head - 1, head]

    def test_what_is_on_its_way_is_not_sent_twice(self, profile: bytes) -> None:
        seat = seated(profile=profile)
        ask = rtcp.nack(9, seat.viewer.lanes["video"].ssrc, numbers(seat, 1))
        for now in (101.0, 101.005, 101.019, 101.05):
            seat.tell(ask, now)
        assert seat.viewer.repairs == 2

    def test_a_greedy_viewer_gets_what_a_line_may_carry(self, profile: bytes) -> None:
        seat = seated(profile=profile)
        ssrc = seat.viewer.lanes["video"].ssrc
        for place in range(0, 500, 20):
            seat.tell(rtcp.nack(9, ssrc, numbers(seat, 500)[place : place + 20]), 100.0)
        assert seat.viewer.repairs <= 400
        assert seat.viewer.repairs + seat.viewer.repairs_failed >= 490
        assert seat.viewer.repairs >= REPAIRS_AT_ONCE_MAX

    @pytest.mark.parametrize(
        "compound",
        [
            b"",
            rtcp.nack(9, 1, [1, 2, 3]),
            rtcp.nack(9, 0, []),
            rtcp.receiver_report(9, []),
            rtcp.receiver_report(9, [rtcp.ReportBlock(1, 255, 0x7FFFFF, 0xFFFFFFFF, 0, 1, 1)]),
            rtcp.receiver_estimate(9, 1 << 40, [1]),
            rtcp.sender_report(9, 1, 2, 3, 4),
            rtcp.goodbye([9]),
            bytes((0x81, 205, 0, 200)) + bytes(8),
        ],
        ids=[
            "nothing",
            "lost of another stream",
            "lost nothing",
            "no blocks",
            "another stream's report",
            "another stream's estimate",
            "a sender's report",
            "goodbye",
            "cut off",
        ],
    )
    def test_what_is_not_about_its_lanes_changes_nothing(self, profile: bytes, compound: bytes) -> None:
        seat = seated(profile=profile)
        before = list(seat.hall.said)
        seat.tell(bytes((0x80, 201, 0, 1)) + bytes(4) + compound, 101.0)
        assert (seat.viewer.repairs, seat.way.sent, seat.hall.said) == (0, [], before)
        assert (seat.viewer.estimate_kbps, seat.viewer.round_trip_ms) == (None, None)
        assert seat.viewer.heard_at == 101.0, "but it was heard"

    def test_a_keyframe_is_wanted_of_the_audience(self, profile: bytes) -> None:
        seat = seated(profile=profile)
        seat.tell(rtcp.picture_loss(9, seat.viewer.lanes["video"].ssrc), 101.0)
        assert seat.hall.said[-1] == "keyframe"

    def test_who_gets_sound_alone_is_repaired_no_pictures(self, profile: bytes) -> None:
        seat = seated(profile=profile)
        seat.hall.paused = True
        seat.tell(rtcp.nack(9, seat.viewer.lanes["video"].ssrc, numbers(seat, 3)), 101.0)
        assert (seat.viewer.repairs, seat.way.sent) == (0, [])


class TestLine:
    @pytest.mark.parametrize(
        ("blocks", "fraction_lost", "is_lossy"),
        [
            ([(50_000, 9_000, 101.0)], 0.0, False),
            ([(1_000, 0, 100.1), (1_100, 50, 100.5)], 0.0, False),
            ([(1_000, 0, 101.0), (1_100, 50, 102.0)], 0.5, True),
            ([(1_000, 0, 101.0), (1_010, 9, 102.0)], 0.0, False),
            ([(1_000, 0, 101.0), (1_100, 4, 102.0)], 0.04, False),
            ([(1_000, 50, 101.0), (1_100, 20, 102.0)], 0.0, False),
            ([(1_000, 0, 101.0), (900, 5, 102.0)], 0.0, False),
            ([(1_000, 0, 101.0), (1_100, 500, 102.0)], 1.0, True),
        ],
        ids=[
            "the first one says nothing",
            "sooner than a second",
            "half lost",
            "too few packets",
            "a few lost",
            "repairs counted as received",
            "a number that went back",
            "more lost than sent",
        ],
    )
    def test_the_loss_of_the_last_second(
        self, blocks: list[tuple[int, int, float]], fraction_lost: float, is_lossy: bool
    ) -> None:
        seat = seated()
        ssrc = seat.viewer.lanes["video"].ssrc
        for highest, lost, now in blocks:
            seat.tell(rtcp.receiver_report(9, [rtcp.ReportBlock(ssrc, 0, lost, highest, 0, 0, 0)]), now)
        assert seat.viewer.fraction_lost == pytest.approx(fraction_lost)
        assert seat.viewer.is_lossy is is_lossy is (fraction_lost > LOSSY)

    def test_a_round_trip_is_known_from_the_answer_to_our_report(self) -> None:
        seat = seated()
        seat.viewer.send_reports(101.0)
        assert len(seat.way.sent) == 1
        (middle,) = seat.viewer._reported
        ssrc = seat.viewer.lanes["video"].ssrc
        report = rtcp.receiver_report(9, [rtcp.ReportBlock(ssrc, 0, 0, 5, 0, middle, 32_768)])
        seat.tell(report, 101.6)
        assert seat.viewer.round_trip_ms == pytest.approx(100.0, abs=0.1), "half a second was the viewer's own"
        seat.tell(report, 105.0)
        assert seat.viewer.round_trip_ms == pytest.approx(100.0, abs=0.1), "an answer counts once"

    def test_another_way_is_another_line(self) -> None:
        seat = seated()
        estimate = seat.viewer.estimate
        seat.viewer.moved(Way(2))
        assert seat.viewer.estimate is not estimate
        assert {lane.address for lane in seat.viewer.lanes.values()} == {("192.0.2.1", 2)}
        assert seat.hall.said[-2:] == ["withdraw", "place"]

    def test_who_is_gone_is_told_nothing(self) -> None:
        seat = seated()
        seat.viewer.close("gone")
        assert seat.viewer.state is PeerState.CLOSED
        seat.way.sent.clear()
        seat.viewer.send_reports(101.0)
        assert seat.way.sent == []
