"""A viewer's end: its lanes of the canonical tracks, its repairs, its reports, its replay of the current GOP."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from livecommerce.errors import SdpRefused
from livecommerce.media import rtcp, rtp, sdp
from livecommerce.media.fanout import Lane
from livecommerce.media.peer import Path, Peer, PeerState
from livecommerce.media.srtp import GcmRtcpInbound, Keys, LibsrtpInbound, Outbound, outbound, rtcp_inbound

if TYPE_CHECKING:
    from livecommerce.media.mux import Mux
    from livecommerce.media.stream import Stream

# A viewer that asks for more repairs than this in a second has a broken line; the next keyframe heals it.
REPAIRS_PER_SECOND_MAX = 400
CNAME = b"livecommerce"
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
        self.replayed_at = float("-inf")
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
                clocks = lane.track.clocks(now, ntp_now())
                if block.last_sender_report and clocks is not None:
                    elapsed = (clocks[0] >> 16) - block.last_sender_report - block.delay & 0xFFFFFFFF
                    if elapsed < 0x100000:  # 16 s: older than that is a reset clock
                        self.round_trip_ms = elapsed / 65.536

    def _repair(self, request: rtcp.Nack, now: float) -> None:
        """The identical packets again (RFC 4585): same number, same bytes, so the nonce rule holds."""
        lane = next((lane for lane in self.lanes.values() if lane.track.ssrc == request.media_ssrc), None)
        if lane is None or not lane.is_started:
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
        """Per-viewer figures: loss 0..1, round trip in ms, packets and repairs."""
        return {
            "session": self.session[:6],
            "state": self.state.value,
            "loss": round(self.fraction_lost, 4),
            "rtt_ms": None if self.round_trip_ms is None else round(self.round_trip_ms, 1),
            "packets": sum(lane.packets for lane in self.lanes.values()),
            "octets": sum(lane.octets for lane in self.lanes.values()),
            "repairs": self.repairs,
            "transport": "tcp" if self.path is not None and self.path.is_stream else "udp",
        }
