"""A viewer's end: its lanes of the canonical tracks, its repairs, its reports, its replay of the current GOP."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from livecommerce.errors import SdpRefused
from livecommerce.media import rtcp, sdp
from livecommerce.media.fanout import FanOut
from livecommerce.media.ladder import Ladder, Report
from livecommerce.media.lane import Lane
from livecommerce.media.peer import Path, Peer, PeerState
from livecommerce.media.srtp import GcmRtcpInbound, Keys, LibsrtpInbound, Outbound, outbound, rtcp_inbound

if TYPE_CHECKING:
    from livecommerce.media.layer import Layer
    from livecommerce.media.mux import Mux
    from livecommerce.media.stream import Stream
    from livecommerce.media.track import CanonicalPacket

log = logging.getLogger(__name__)

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
        self.video_mid = ""
        for section in (offer.video, offer.audio):
            if section is None or section.direction in ("sendonly", "inactive"):
                continue
            is_video = section.kind == "video"
            offered = sdp.choose_video(section) if is_video else sdp.choose_audio(section)
            if is_video:
                self.video_mid = section.mid
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
        self.estimate_kbps: float | None = None
        self.ladder = Ladder(now, has_sound="audio" in plan.payload_types)
        self.sound_place: FanOut | None = None
        self._keyframe_asked_at = float("-inf")
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
            lane.move(path.address, path if path.is_stream else None)
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
                if lane.ssrc != block.ssrc:
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
        lane = self.lanes["video"]
        alive = self.stream.alive()
        if not alive or not lane.is_live:
            return
        asked = self.repairs + self.repairs_failed
        report = Report(self.fraction_lost, asked, lane.packets - self.repairs, self._keyframe_asked_at)
        if self.ladder.report(report, [layer.rung for layer in alive], now):
            log.info("viewer %s %s: a smaller picture, the line loses too much", self.show, self.session[:6])
            self.stream.choose(self, alive, now)

    def show_at_most(self, height: int | None, name: str, now: float) -> None:
        """The page shows a picture of so many pixels (0: none), or chose a layer by its name."""
        self.ladder.height_max, self.ladder.name_max = height, name
        if "video" in self.lanes:
            self.stream.choose(self, self.stream.alive(), now)

    def _repair(self, request: rtcp.Nack, now: float) -> None:
        """The identical packets again (RFC 4585): same number, same bytes, so the nonce rule holds."""
        lane = next((lane for lane in self.lanes.values() if lane.ssrc == request.media_ssrc), None)
        if lane is None or not lane.is_started or (self.stream.is_paused(self) and lane.track.kind == "video"):
            return
        self._allowance = min(
            REPAIRS_PER_SECOND_MAX, self._allowance + (now - self._allowance_at) * REPAIRS_PER_SECOND_MAX
        )
        self._allowance_at = now
        wanted: dict[Lane, list[CanonicalPacket]] = {}
        for sequence in request.sequences:
            found = lane.find(sequence)
            if found is None or self._allowance < 1:
                self.repairs_failed += 1
                continue
            self._allowance -= 1
            self.repairs += 1
            wanted.setdefault(found[0], []).append(found[1])
        for sender, packets in wanted.items():
            self.stream.send_again(sender, packets)
            if sender is not lane:
                lane.packets += len(packets)

    def send_reports(self, now: float) -> None:
        """Sender reports of all started lanes in one compound: what lip sync and round trips are computed from."""
        if self._outbound is None or self.state is PeerState.CLOSED:
            return
        compound = b""
        wall = ntp_now()
        for lane in self.lanes.values():
            clocks = lane.track.clocks(now, wall) if lane.is_started else None
            if clocks is not None:
                ntp, timestamp = clocks[0], clocks[1] + lane.time_shift & 0xFFFFFFFF
                compound += rtcp.sender_report(lane.ssrc, ntp, timestamp, lane.packets, lane.octets)
                compound += rtcp.source_description(lane.ssrc, CNAME)
        if compound:
            self.send(self._outbound.seal_rtcp(compound))

    @property
    def _layer(self) -> Layer | None:
        """The layer of the picture it gets at the moment."""
        video = self.lanes.get("video")
        return None if video is None or self.stream.is_paused(self) else self.stream.layer_of(video)

    @property
    def layer_name(self) -> str:
        """The rid of its layer, "picture" where there is only one, "sound" where it gets no picture."""
        layer = self._layer
        return "sound" if layer is None else layer.rid or "picture"

    def statistics(self) -> dict[str, object]:
        """Per-viewer figures: loss 0..1, round trip in ms, packets, repairs; `height` in pixels, 0 for sound alone."""
        layer = self._layer
        return {
            "session": self.session[:6],
            "state": self.state.value,
            "loss": round(self.fraction_lost, 4),
            "rtt_ms": None if self.round_trip_ms is None else round(self.round_trip_ms, 1),
            "packets": sum(lane.packets for lane in self.lanes.values()),
            "octets": sum(lane.octets for lane in self.lanes.values()),
            "repairs": self.repairs,
            "layer": self.layer_name,
            "height": layer.height if layer is not None else 0,
            "transport": "tcp" if self.path is not None and self.path.is_stream else "udp",
        }
