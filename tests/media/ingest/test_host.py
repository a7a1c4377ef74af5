"""A host's session: what its offer agrees to, which layer a packet is of, what it is asked and told."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import pytest

from livecommerce.media.errors import SdpRefused
from livecommerce.media.ingest.host import DEAD_SECONDS, RETURNS_MIXED, Host, HostPlan
from livecommerce.media.ingest.source import PICTURE, SOUND, Publisher, SourceName
from livecommerce.media.transport.srtp import GCM_PROFILE, Keys, libsrtp_session
from livecommerce.media.wire import rtcp, rtp, sdp
from tests.media.transport.test_peer import Desk, Way
from tests.media.wire.test_sdp import AUDIO, HEAD, LAYERED, TRANSPORT, VIDEO, offer

KEYS = Keys(GCM_PROFILE, bytes(range(28)), bytes(range(1, 29)))
SIMULCAST = [*LAYERED, "a=rid:l send", "a=rid:h send", "a=simulcast:send l;h"]


@dataclass
class Show:
    """A stream that writes down what it is fed with."""

    show: str = "demo"
    is_watched: bool = True
    begun: list[SourceName] = field(default_factory=list)
    taken: list[tuple[SourceName, rtp.RtpPacket]] = field(default_factory=list)
    reports: list[tuple[SourceName, int, int]] = field(default_factory=list)

    def begin_source(self, source: SourceName) -> None:
        self.begun.append(source)

    def take(self, source: SourceName, packet: rtp.RtpPacket, now: float) -> None:
        self.taken.append((source, packet))

    def note_report(self, source: SourceName, ntp: int, timestamp: int, now: float) -> None:
        self.reports.append((source, ntp, timestamp))

    def end(self, reason: str, now: float) -> None:
        raise AssertionError("a host's silence is the stream's to judge")


class Session:
    """A host and the encoder at the other end of its keys."""

    def __init__(self, video: list[str]) -> None:
        desk = Desk()
        parsed = sdp.parse_offer(offer(HEAD, AUDIO, TRANSPORT, video))
        self.show, self.way = Show(), Way(1)
        self.host = Host(desk, self.show, parsed, HostPlan(parsed, 2_500), publisher=Publisher("ling"), now=100.0)
        desk.register(self.host)
        desk.handshakes.close()
        self._sender = libsrtp_session(KEYS.profile, KEYS.inbound, inbound=False)
        self._receiver = libsrtp_session(KEYS.profile, KEYS.outbound, inbound=True)
        self.host.verified(self.way, nominated=True, now=100.0)
        self.host._connected(KEYS)

    def send(
        self, payload_type: int, sequence: int, ssrc: int, body: bytes = b"\x61x", *, rid: str = "", at: float = 101.0
    ) -> None:
        head = struct.pack("!BBHII", 0x90 if rid else 0x80, payload_type, sequence, sequence * 3_000, ssrc)
        if rid:
            identity = 11 if payload_type == 103 else 10
            words = bytes((identity << 4 | len(rid) - 1,)) + rid.encode()
            words += bytes(-len(words) & 3)
            head += struct.pack("!HH", 0xBEDE, len(words) // 4) + words
        self.host.receive_rtp(self._sender.protect(head + body), at)

    def report(self, compound: bytes) -> None:
        self.host.receive_rtcp(self._sender.protect_rtcp(compound), 101.0)

    def told(self) -> list[rtcp.Item]:
        found = [item for each in self.way.sent for item in rtcp.parse(self._receiver.unprotect_rtcp(each))]
        self.way.sent.clear()
        return found


@pytest.mark.parametrize(
    ("video", "reason"),
    [
        ([line.replace("sendonly", "recvonly") for line in VIDEO], "sends nothing"),
        ([line for line in VIDEO if "H264" not in line], "no H.264"),
        ([line.replace("packetization-mode=1", "packetization-mode=2") for line in VIDEO], "packetization-mode=1"),
        ([line.replace("102", "72").replace("104", "95") for line in VIDEO], "64 to 95"),
        ([line.replace("102", "111") for line in VIDEO], "same payload type"),
        ([line.replace("103", "111") for line in VIDEO], "same payload type"),
        ([*VIDEO, "a=ssrc-group:SIM 1111 1112 1113"], "a=simulcast"),
    ],
)
def test_who_cannot_be_shown_is_refused(video: list[str], reason: str) -> None:
    with pytest.raises(SdpRefused, match=reason):
        HostPlan(sdp.parse_offer(offer(HEAD, AUDIO, TRANSPORT, video)), 2_500)


@pytest.mark.parametrize(
    ("video", "group"),
    [(VIDEO, "FID 1 2"), (VIDEO, "SIM 1"), (VIDEO, ""), (SIMULCAST, "SIM 1 2 3")],
    ids=["repairs", "one size", "nothing", "named as well"],
)
def test_groups_of_ssrcs_that_are_no_layers_of_their_own_are_passed_by(video: list[str], group: str) -> None:
    plan = HostPlan(sdp.parse_offer(offer(HEAD, AUDIO, TRANSPORT, video, [f"a=ssrc-group:{group}"])), 2_500)
    assert PICTURE in plan.sources.values()


def test_repairs_under_a_payload_type_of_rtcp_are_not_agreed() -> None:
    video = [line.replace("103", "80") for line in VIDEO]
    assert HostPlan(sdp.parse_offer(offer(HEAD, AUDIO, TRANSPORT, video)), 2_500).retransmissions == {}


def test_sound_under_a_payload_type_of_rtcp_is_refused() -> None:
    audio = [line.replace("111", "77") for line in AUDIO]
    with pytest.raises(SdpRefused, match="64 to 95"):
        HostPlan(sdp.parse_offer(offer(HEAD, audio, TRANSPORT, VIDEO)), 2_500)


@pytest.mark.parametrize(
    ("sections", "kinds"),
    [
        ([AUDIO, TRANSPORT], {"audio"}),
        ([AUDIO, TRANSPORT, [line.replace("sendonly", "inactive") for line in VIDEO]], {"audio"}),
        ([[line.replace("m=audio 9", "m=audio 0") for line in AUDIO], TRANSPORT, VIDEO], {"video"}),
        ([VIDEO, TRANSPORT], {"video"}),
    ],
    ids=["sound alone", "a camera that is off", "a microphone that is not there", "a picture alone"],
)
def test_half_a_host_is_a_host(sections: list[list[str]], kinds: set[str]) -> None:
    plan = HostPlan(sdp.parse_offer(offer(HEAD, *sections)), 2_500)
    assert {answered.section.kind for answered in plan.answered} == kinds


def test_a_host_that_sends_nothing_is_refused() -> None:
    silent = [[line.replace("sendonly", "inactive") for line in lines] for lines in (AUDIO, TRANSPORT, VIDEO)]
    with pytest.raises(SdpRefused, match="sends neither video nor audio"):
        HostPlan(sdp.parse_offer(offer(HEAD, *silent)), 2_500)


def test_packets_feed_the_stream_by_their_kind() -> None:
    session = Session(VIDEO)
    session.send(111, 1, 8)
    session.send(102, 7, 9)
    session.send(102, 8, 9)
    assert [source for source, _ in session.show.taken] == [SOUND, PICTURE, PICTURE]
    assert session.show.begun == [SOUND, PICTURE], "each sender is announced once"
    session.send(102, 9, 10)
    assert session.show.begun == [SOUND, PICTURE, PICTURE], "another SSRC is another sender"
    assert session.host.kinds == {"audio", "video"}


@pytest.mark.parametrize("ssrcs", [(9, 10), (9, 10, 11)], ids=["two", "three"])
def test_encoders_under_one_name_are_told_and_the_newest_is_kept_to(ssrcs: tuple[int, ...]) -> None:
    session = Session(VIDEO)
    for number in range(2 * RETURNS_MIXED):
        for ssrc in ssrcs:
            session.send(102, 1_000 * ssrc + number, ssrc)
    assert session.host.mixed_at == 101.0
    begun, taken = len(session.show.begun), len(session.show.taken)
    for ssrc in ssrcs:
        session.send(102, 1_000 * ssrc + 500, ssrc)
    assert (len(session.show.begun), len(session.show.taken)) == (begun, taken + 1), "they take turns no more"
    other = next(ssrc for ssrc in ssrcs if ssrc != session.show.taken[-1][1].ssrc)
    session.send(102, 1_000 * other + 501, other, at=103.0)
    assert session.show.taken[-1][1].ssrc == other, "the one that was kept to has gone"


def test_an_ssrc_that_changes_now_and_then_is_one_encoders() -> None:
    session = Session(VIDEO)
    for number in range(2 * RETURNS_MIXED):
        session.send(102, 100 + number, 9 + number % 2, at=101.0 + number)
    assert len(session.show.taken) == 2 * RETURNS_MIXED
    assert session.host.mixed_at < 0


@pytest.mark.parametrize(
    ("parameters", "sets"),
    [
        (";sprop-parameter-sets=Z0LAFA==,aM44gA==", (b"\x67\x42\xc0\x14", b"\x68\xce\x38\x80")),
        (";sprop-parameter-sets=Z0LAFA==", (b"\x67\x42\xc0\x14",)),
        (";sprop-parameter-sets=Z0LAFA,aM44gA,", (b"\x67\x42\xc0\x14", b"\x68\xce\x38\x80")),
        (';sprop-parameter-sets="Z0LAFA==,aM44gA=="', (b"\x67\x42\xc0\x14", b"\x68\xce\x38\x80")),
        (";sprop-parameter-sets=%%%,ZYiE,,aM44gA==", (b"\x68\xce\x38\x80",)),
        (";sprop-parameter-sets=", ()),
        ("", ()),
    ],
    ids=["both", "SPS alone", "without filling", "in quotes", "what is no set is left out", "empty", "none"],
)
def test_the_parameter_sets_of_the_sdp_are_kept(parameters: str, sets: tuple[bytes, ...]) -> None:
    video = [line + parameters if line.startswith("a=fmtp:102") else line for line in VIDEO]
    assert Session(video).host.parameter_sets == sets


def test_layers_are_told_apart_by_their_rid_until_their_ssrc_is_known() -> None:
    session = Session(SIMULCAST)
    session.send(102, 1, 20)
    assert (session.show.taken, session.host.rejected) == ([], 1)
    session.send(102, 2, 20, rid="l")
    session.send(102, 3, 20)
    session.send(102, 1, 21, rid="h")
    session.send(102, 1, 22, rid="x")
    low, high = SourceName("video", "l"), SourceName("video", "h")
    assert [source for source, _ in session.show.taken] == [low, low, high]
    assert (session.host.layers, session.host.rejected) == (("l", "h"), 2)
    session.send(102, 4, 30, rid="l")
    session.send(102, 5, 20)
    assert [source for source, _ in session.show.taken] == [low, low, high, low], "its old SSRC is nobody's"


@pytest.mark.parametrize(
    ("body", "sequence"),
    [
        (struct.pack("!H", 6) + b"\x61repair", 6),
        (struct.pack("!H", 6), None),
        (b"\x01", None),
        (b"", None),
    ],
    ids=["a repair", "nothing in it", "half a number", "a probe"],
)
def test_a_repair_is_the_packet_it_repeats(body: bytes, sequence: int | None) -> None:
    session = Session(VIDEO)
    session.send(102, 5, 9)
    session.send(103, 900, 50, body)
    repaired = [packet for _, packet in session.show.taken[1:]]
    assert [packet.sequence for packet in repaired] == ([] if sequence is None else [sequence])
    if repaired:
        assert (repaired[0].payload, repaired[0].payload_type, repaired[0].ssrc) == (b"\x61repair", 102, 9)


def test_a_repair_before_anything_is_nothing() -> None:
    session = Session(VIDEO)
    session.send(103, 900, 50, struct.pack("!H", 6) + b"\x61repair")
    assert session.show.taken == []


@pytest.mark.parametrize("datagram", [b"", b"\x80", b"\x80\x66" + bytes(40), bytes(1_200)])
def test_what_its_keys_do_not_open_is_counted_and_nothing_else(datagram: bytes) -> None:
    session = Session(VIDEO)
    session.host.receive_rtp(datagram, 150.0)
    session.host.receive_rtcp(datagram, 150.0)
    assert (session.show.taken, session.host.rejected, session.host.heard_at) == ([], 2, 100.0)


@pytest.mark.parametrize("payload_type", [96, 104, 0, 127])
def test_a_payload_that_was_not_agreed_is_rejected(payload_type: int) -> None:
    session = Session(VIDEO)
    session.send(payload_type, 1, 9)
    assert (session.show.taken, session.host.rejected) == ([], 1)


def test_missing_pictures_are_asked_for_and_missing_sounds_are_not() -> None:
    session = Session(VIDEO)
    for sequence in (1, 2, 5):
        session.send(102, sequence, 9)
        session.send(111, sequence, 8)
    assert session.told() == [rtcp.Nack(9, (3, 4))]


def test_reports_are_passed_on_by_the_sender_they_are_of() -> None:
    session = Session(VIDEO)
    session.send(102, 1, 9)
    session.report(rtcp.sender_report(9, 7 << 32, 90, 1, 1))
    session.report(rtcp.sender_report(10, 8 << 32, 90, 1, 1))
    session.report(rtcp.goodbye([9]))
    assert session.show.reports == [(PICTURE, 7 << 32, 90)]


def test_once_a_second_it_is_told_how_its_packets_arrive() -> None:
    session = Session(VIDEO)
    session.send(102, 1, 9)
    session.send(111, 1, 8)
    session.host.tick(100.5)
    assert [item for item in session.told() if isinstance(item, rtcp.ReceiverReport)] == []
    session.host.tick(101.5)
    (report,) = (item for item in session.told() if isinstance(item, rtcp.ReceiverReport))
    assert sorted(block.ssrc for block in report.blocks) == [8, 9]


def test_a_keyframe_is_asked_for_in_both_ways_and_only_of_who_sends() -> None:
    session = Session(SIMULCAST)
    session.host.request_keyframe(SourceName("video", "l"))
    assert session.told() == []
    session.send(102, 1, 20, rid="l")
    session.host.request_keyframe(SourceName("video", "l"))
    session.host.request_keyframe(SourceName("video", "h"))
    assert session.told() == [rtcp.KeyframeRequest(20), rtcp.KeyframeRequest(20)]


def test_silence_lets_another_host_in() -> None:
    session = Session(VIDEO)
    assert not session.host.is_silent(100.0 + DEAD_SECONDS)
    assert session.host.is_silent(100.1 + DEAD_SECONDS)
    session.send(102, 1, 9)
    assert not session.host.is_silent(101.0 + DEAD_SECONDS)
