"""A viewer's end: its lanes of the canonical tracks, its repairs, its reports, its replay of the current GOP."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from livecommerce.errors import SdpRefused
from livecommerce.media import rtcp, rtp, sdp
from livecommerce.media.freezes import Freezes
from livecommerce.media.lane import Lane
from livecommerce.media.peer import Path, Peer, PeerState
from livecommerce.media.srtp import GcmRtcpInbound, Keys, LibsrtpInbound, Outbound, outbound, rtcp_inbound

if TYPE_CHECKING:
    from livecommerce.media.mux import Mux
    from livecommerce.media.stream import Stream

log = logging.getLogger(__name__)

# A viewer that asks for more repairs than this in a second has a broken line; the next keyframe heals it.
REPAIRS_PER_SECOND_MAX = 400
CNAME = b"livecommerce"
# What is lost or asked for again, as a share of what was sent. A line that drops every third packet comes to a half
# and still shows pictures; one that drops every second comes to one and shows none, and repairs only fill it further:
# then sound alone, tried again after ever longer pauses.
PAUSE_LOSS = 0.6
# A line that only mixes up the order asks for nearly as much and shows every picture. Where nearly each packet is asked
# for, nothing else is looked at. Below that the viewer's own word is needed: packets missing after the repairs too, or
# asks for keyframes, which browsers repeat once a second or more often.
PAUSE_LOSS_ALONE = 0.9
UNREPAIRED_LOSS = 0.2
BLIND_SECONDS = 2.5
# Fewer packets than this between two reports (a host away) say nothing about the line.
JUDGED_PACKETS_MIN = 20
PAUSE_REPORTS = 4
PAUSE_SECONDS = (8.0, 16.0, 32.0, 60.0)
# After a return the first reports still count the gap itself as loss.
RETURN_SECONDS = 4.0
STEADY_SECONDS = 60.0
# Unix to NTP epoch.
NTP_OFFSET = 2_208_988_800
REPLAY_AGAIN_SECONDS = 1.0


def ntp_now() -> int:
    """Wall clock as NTP 64 bit fixed point."""
    return int((time.time() + NTP_OFFSET) * 0x100000000) & 0xFFFFFFFFFFFFFFFF


class ViewerPlan:
    """What was agreed with a viewer: payload types and the answer's m-lines.

    Raises:
        SdpRefused: where H.264 baseline is not offered or the offer receives nothing.
    """

    def __init__(self, offer: sdp.Offer, stream: Stream) -> None:
        self.answered: list[sdp.Answered] = []
        self.payload_types: dict[str, int] = {}
        for section in (offer.video, offer.audio):
            if section is None or section.direction in ("sendonly", "inactive"):
                continue
            is_video = section.kind == "video"
            offered = sdp.choose_video(section) if is_video else sdp.choose_audio(section)
            track = stream.tracks[section.kind]
            codec = sdp.Codec(offered.payload_type, offered.name, offered.clock, 1 if is_video else 2)
            codec.parameters = (
                {"level-asymmetry-allowed": "1", "packetization-mode": "1"}
                | {"profile-level-id": offered.parameters.get("profile-level-id", "42e01f")}
                if is_video
                else {"minptime": "10", "useinbandfec": "1"}
            )
            codec.feedback = offered.feedback & {"nack", "nack pli", "ccm fir"} if is_video else set()
            self.payload_types[section.kind] = codec.payload_type
            lines = (
                "sendonly",
                f"msid:livecommerce {section.kind}",
                f"ssrc:{track.ssrc} cname:{CNAME.decode()}",
                f"ssrc:{track.ssrc} msid:livecommerce {section.kind}",
            )
            self.answered.append(sdp.Answered(section, (codec,), lines))
        if not self.answered:
            raise SdpRefused("The offer receives neither video nor audio (a=recvonly).")


class Viewer(Peer):
    """A playing peer of one stream."""

    role = "viewer"

    def __init__(self, mux: Mux, stream: Stream, offer: sdp.Offer, plan: ViewerPlan, now: float) -> None:
        super().__init__(mux, stream.show, offer, now)
        self.stream = stream
        self.plan = plan
        self.lanes: dict[str, Lane] = {}
        self.fraction_lost = 0.0
        self.round_trip_ms: float | None = None
        self.repairs = 0
        self.repairs_failed = 0
        self.freezes = Freezes()
        self.replayed_at = float("-inf")
        self.paused_until: float | None = None
        self._pauses = self._bad_reports = 0
        self._keyframe_asked_at = float("-inf")
        self._judged = (0, 0)
        self._returned_at = float("-inf")
        self._outbound: Outbound | None = None
        self._inbound: GcmRtcpInbound | LibsrtpInbound | None = None
        self._allowance = float(REPAIRS_PER_SECOND_MAX)
        self._allowance_at = now

    def connected(self, keys: Keys) -> None:
        if self.path is None:
            return
        self._outbound = outbound(keys)
        self._inbound = rtcp_inbound(keys)
        for kind, payload_type in self.plan.payload_types.items():
            lane = Lane(self.stream.tracks[kind], payload_type, self._outbound, self.path.address)
            lane.stream_path = self.path if self.path.is_stream else None
            self.lanes[kind] = lane
        self.stream.admit(self)

    def moved(self, path: Path) -> None:
        self.stream.withdraw(self)
        for lane in self.lanes.values():
            lane.address = path.address
            lane.stream_path = path if path.is_stream else None
        self.stream.place(self)

    def receive_rtcp(self, datagram: bytes, now: float) -> None:
        compound = self._inbound.open(datagram) if self._inbound is not None else None
        if compound is None:
            return
        self.heard_at = now
        for item in rtcp.parse(compound):
            if isinstance(item, rtcp.Nack):
                self._repair(item, now)
            elif isinstance(item, rtcp.KeyframeRequest):
                self._keyframe_asked_at = now
                self.stream.keyframe_wanted_by(self, now)
            elif isinstance(item, rtcp.ReceiverReport):
                self._note_blocks(item.blocks, now)

    def _note_blocks(self, blocks: tuple[rtcp.ReportBlock, ...], now: float) -> None:
        for block in blocks:
            for kind, lane in self.lanes.items():
                if lane.track.ssrc != block.ssrc:
                    continue
                if kind == "video" or len(self.lanes) == 1:
                    self.fraction_lost = block.fraction_lost / 256
                if kind == "video":
                    self._judge_line(now)
                clocks = lane.track.clocks(now, ntp_now())
                if block.last_sender_report and clocks is not None:
                    elapsed = (clocks[0] >> 16) - block.last_sender_report - block.delay & 0xFFFFFFFF
                    if elapsed < 0x100000:  # 16 s: older than that is a reset clock
                        self.round_trip_ms = elapsed / 65.536

    def _judge_line(self, now: float) -> None:
        if self.paused_until is not None or now - self._returned_at < RETURN_SECONDS:
            return
        # A report counts what a repair brought as received, so what was asked for again counts with it.
        asked, sent = self.repairs + self.repairs_failed, self.lanes["video"].packets - self.repairs
        asked_before, sent_before = self._judged
        if sent - sent_before < JUDGED_PACKETS_MIN:
            return
        self._judged = (asked, sent)
        line_loss = self.fraction_lost + (asked - asked_before) / (sent - sent_before)
        is_blind = now - self._keyframe_asked_at < BLIND_SECONDS or self.fraction_lost >= UNREPAIRED_LOSS
        is_bad = line_loss >= (PAUSE_LOSS if is_blind else PAUSE_LOSS_ALONE)
        self._bad_reports = self._bad_reports + 1 if is_bad else 0
        if not self._bad_reports and now - self._returned_at > STEADY_SECONDS:
            self._pauses = 0
        if self._bad_reports >= PAUSE_REPORTS and "audio" in self.lanes:
            self._bad_reports = 0
            self.paused_until = now + PAUSE_SECONDS[min(self._pauses, len(PAUSE_SECONDS) - 1)]
            self._pauses += 1
            log.info(
                "viewer %s %s: sound only, the line loses %.0f %%",
                self.show,
                self.session[:6],
                line_loss * 100,
            )
            self.stream.pause_picture(self)

    def return_picture(self, now: float) -> None:
        """The pause is over: the stream sends pictures again, from a keyframe on."""
        self.paused_until = None
        self._returned_at = now

    def _repair(self, request: rtcp.Nack, now: float) -> None:
        """The identical packets again (RFC 4585): same number, same bytes, so the nonce rule holds."""
        lane = next((lane for lane in self.lanes.values() if lane.track.ssrc == request.media_ssrc), None)
        if lane is None or not lane.is_started or (self.paused_until is not None and lane.track.kind == "video"):
            return
        self._allowance = min(
            REPAIRS_PER_SECOND_MAX, self._allowance + (now - self._allowance_at) * REPAIRS_PER_SECOND_MAX
        )
        self._allowance_at = now
        track = lane.track
        found = []
        for sequence in request.sequences:
            number = rtp.unwrap(sequence - lane.phase & 0xFFFF, track.head)
            packet = track.packet(number)
            if packet is None or self._allowance < 1:
                self.repairs_failed += 1
                continue
            self._allowance -= 1
            found.append(packet)
        self.repairs += len(found)
        self.stream.fan_outs[track.kind].send_to(found, lane)

    def send_reports(self, now: float) -> None:
        """Sender reports of all started lanes in one compound: what lip sync and round trips are computed from."""
        if self._outbound is None or self.state is PeerState.CLOSED:
            return
        compound = b""
        wall = ntp_now()
        for lane in self.lanes.values():
            clocks = lane.track.clocks(now, wall) if lane.is_started else None
            if clocks is not None:
                compound += rtcp.sender_report(lane.track.ssrc, *clocks, lane.packets, lane.octets)
                compound += rtcp.source_description(lane.track.ssrc, CNAME)
        if compound:
            self.send(self._outbound.seal_rtcp(compound))

    def statistics(self) -> dict[str, object]:
        """Per-viewer figures: loss 0..1, round trip in ms, packets and repairs, freezes as its page counts them."""
        return {
            "session": self.session[:6],
            "state": self.state.value,
            "loss": round(self.fraction_lost, 4),
            "rtt_ms": None if self.round_trip_ms is None else round(self.round_trip_ms, 1),
            "packets": sum(lane.packets for lane in self.lanes.values()),
            "octets": sum(lane.octets for lane in self.lanes.values()),
            "repairs": self.repairs,
            **self.freezes.figures(),
            "layer": "sound" if self.paused_until is not None else "picture",
            "transport": "tcp" if self.path is not None and self.path.is_stream else "udp",
        }
