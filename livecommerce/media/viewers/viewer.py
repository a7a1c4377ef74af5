"""A viewer's end: its lanes of the canonical tracks, its repairs, its reports, its replay of the current GOP."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Protocol

from livecommerce.media.errors import SdpRefused
from livecommerce.media.tracks.fanout import FanOut
from livecommerce.media.tracks.lane import Lane
from livecommerce.media.tracks.retransmission import RetransmissionLane
from livecommerce.media.tracks.track import CanonicalPacket, Track
from livecommerce.media.transport.peer import Path, Peer, PeerState, Port
from livecommerce.media.transport.srtp import GcmRtcpInbound, Keys, LibsrtpInbound, Outbound, outbound, rtcp_inbound
from livecommerce.media.transport.udp import SendCounters
from livecommerce.media.viewers.estimate import Estimate
from livecommerce.media.viewers.ladder import Ladder, Report
from livecommerce.media.viewers.layer import Layer
from livecommerce.media.wire import rtcp, sdp
from livecommerce.media.wire.freezes import Freezes

log = logging.getLogger(__name__)

# A viewer that asks for more repairs than this in a second has a broken line; the next keyframe heals it.
REPAIRS_PER_SECOND_MAX = 400
# Where the viewer's line is known: as many packets of 10 kbit as it carries, and a few where it carries nearly nothing.
REPAIRS_PER_SECOND_MIN = 10.0
# After an interruption of a second or two the gap is asked for at once.
REPAIRS_AT_ONCE_MAX = 128.0
REPAIR_KILOBITS = 10.0
# Browsers ask again every 50 ms or so, on a line with a queue before the first repair can be there.
REPEAT_SECONDS_MIN = 0.02
# Numbers repaired lately: more than are asked for within a round trip.
REPAIRS_KEPT = 64
CNAME = b"livecommerce"
# A viewer who loses more than every twentieth packet is counted as having a bad line.
LOSSY = 0.05
# A browser that asks for repairs reports with each of its asks; shares are of the packets of about a second, not of the
# two since the last ask. Fewer packets than this (a host away) say nothing about the line, nor does a first report.
JUDGED_SECONDS_MIN = 0.8
JUDGED_PACKETS_MIN, JUDGED_PACKETS_MAX = 20, 10_000
# Unix to NTP epoch.
NTP_OFFSET = 2_208_988_800
# A decoder that asks again sooner has not seen the replay that is on its way.
REPLAY_AGAIN_SECONDS = 1.0
# Two compounds of two reports each: answers take less than the second until the next.
REPORTS_KEPT = 4
# A tick of 20 ms: 32 packets of 1,200 bytes are 15 Mbit/s, more than a probe may ask for.
PROBE_PACKETS_MAX = 32


def ntp_now() -> int:
    """Wall clock as NTP 64 bit fixed point."""
    return int((time.time() + NTP_OFFSET) * 0x100000000) & 0xFFFFFFFFFFFFFFFF


def _source(ssrc: int, section: sdp.Section) -> tuple[str, str]:
    return f"ssrc:{ssrc} cname:{CNAME.decode()}", f"ssrc:{ssrc} msid:livecommerce {section.kind}"


class ViewerPlan:
    """What was agreed with a viewer: payload types and the answer's m-lines.

    Args:
        tracks: of the stream, by kind; the answer names their SSRCs.
        repair_ssrc: of repairs by RTX.

    Attributes:
        repair_payload_type: RTX of the pictures; 0 where not offered, then repairs are the identical bytes.
        send_time_id: header extension id of abs-send-time; 0 where the viewer estimates no bitrate.
        video_mid: what the viewer calls the picture.

    Raises:
        SdpRefused: where no H.264 that we carry is offered or the offer receives nothing.
    """

    def __init__(self, offer: sdp.Offer, tracks: Mapping[str, Track], repair_ssrc: int) -> None:
        self.answered: list[sdp.Answered] = []
        self.payload_types: dict[str, int] = {}
        self.repair_payload_type = self.send_time_id = 0
        self.video_mid = offer.video.mid if offer.video is not None else ""
        for section in (offer.video, offer.audio):
            if section is None or section.direction in ("sendonly", "inactive"):
                continue
            is_video = section.kind == "video"
            track = tracks[section.kind]
            profile = f"{track.picture.profile:02x}" if is_video and track.picture is not None else ""
            offered = sdp.choose_video(section, profile=profile) if is_video else sdp.choose_audio(section)
            codec = sdp.Codec(offered.payload_type, offered.name, offered.clock, 1 if is_video else 2)
            codec.parameters = (
                {"level-asymmetry-allowed": "1"}
                | {"packetization-mode": "0" if sdp.is_single_nal(offered) else "1"}
                | {"profile-level-id": offered.parameters.get("profile-level-id", "42e01f")}
                if is_video
                else {"minptime": "10", "useinbandfec": "1", "sprop-stereo": "1"}
            )
            codec.feedback = offered.feedback & {"nack", "nack pli", "ccm fir"} if is_video else set()
            self.payload_types[section.kind] = codec.payload_type
            codecs, lines = [codec], ["sendonly", f"msid:livecommerce {section.kind}", *_source(track.ssrc, section)]
            repair = sdp.retransmission_of(section, offered) if "nack" in codec.feedback else None
            if repair is not None:
                codecs.append(sdp.Codec(repair.payload_type, "RTX", repair.clock, 1, {"apt": str(codec.payload_type)}))
                lines += [f"ssrc-group:FID {track.ssrc} {repair_ssrc}", *_source(repair_ssrc, section)]
                self.repair_payload_type = repair.payload_type
                lines += self._estimate_lines(section, offered, codec)
            self.answered.append(sdp.Answered(section, tuple(codecs), tuple(lines)))
        if not self.answered:
            raise SdpRefused("The offer receives neither video nor audio (a=recvonly).")

    def _estimate_lines(self, section: sdp.Section, offered: sdp.Codec, codec: sdp.Codec) -> list[str]:
        """REMB where the viewer can read times of sending: it looks for queues itself and says one number a second.

        transport-cc would have the relay look: 10 to 20 feedback packets a second and viewer, each 15 µs of its core.
        """
        identity = section.extensions.get(sdp.SEND_TIME, 0)
        if not identity or "goog-remb" not in offered.feedback:
            return []
        self.send_time_id = identity
        codec.feedback.add("goog-remb")
        return [f"extmap:{identity} {sdp.SEND_TIME}"]


class Seats(Protocol):
    """The audience as one of its viewers sees it (`Audience`)."""

    show: str
    tracks: dict[str, Track]
    repair_ssrc: int

    def admit(self, viewer: Viewer) -> None: ...

    def withdraw(self, viewer: Viewer) -> None: ...

    def place(self, viewer: Viewer) -> None: ...

    def alive(self) -> list[Layer]: ...

    def choose(self, viewer: Viewer, alive: list[Layer], now: float) -> None: ...

    def layer_of(self, lane: Lane) -> Layer: ...

    def is_paused(self, viewer: Viewer) -> bool: ...

    def send_again(self, lane: Lane, packets: list[CanonicalPacket]) -> None: ...

    def take_probe_place(self, viewer: Viewer) -> bool: ...

    def keyframe_wanted_by(self, viewer: Viewer, now: float) -> None: ...


class Viewer(Peer):
    """A playing peer of one stream.

    Args:
        counters: of the port; repairs and probes are counted there.
    """

    # Forty attributes are too many for a dict that shares its keys: this saves more than a KiB a viewer.
    __slots__ = (
        "_allowance",
        "_allowance_at",
        "_counters",
        "_inbound",
        "_judged",
        "_keyframe_asked_at",
        "_lane_of",
        "_outbound",
        "_repaired",
        "_reported",
        "estimate",
        "fraction_lost",
        "freezes",
        "ladder",
        "lanes",
        "plan",
        "repair_lane",
        "repairs",
        "repairs_failed",
        "replayed_at",
        "right",
        "round_trip_ms",
        "seats",
        "sound_place",
        "watcher",
    )

    role = "viewer"

    def __init__(
        self, port: Port, seats: Seats, offer: sdp.Offer, plan: ViewerPlan, counters: SendCounters, now: float
    ) -> None:
        super().__init__(port, seats.show, offer, now)
        self.seats = seats
        self.plan = plan
        self.watcher = self.right = ""  # whose it is, and what it stands on (`accounts.rights`)
        self._counters = counters
        self.lanes: dict[str, Lane] = {}
        self._lane_of: dict[int, Lane] = {}
        self.repair_lane: RetransmissionLane | None = None
        self.estimate = Estimate(now)
        self.fraction_lost = 0.0
        self.round_trip_ms: float | None = None
        self.repairs = 0
        self.repairs_failed = 0
        self.freezes = Freezes()
        self.replayed_at = float("-inf")
        self.ladder = Ladder(now, has_sound="audio" in plan.payload_types)
        self.sound_place: FanOut | None = None
        self._keyframe_asked_at = float("-inf")
        self._judged = (now, 0, 0, 0)
        self._repaired: dict[int, float] = {}
        self._reported: dict[int, float] = {}
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
            send_time_id = self.plan.send_time_id if kind == "video" else 0
            lane = Lane(
                self.seats.tracks[kind], payload_type, self._outbound, self.path.address, send_time_id=send_time_id
            )
            lane.stream_path = self.path if self.path.is_stream else None
            self.lanes[kind] = self._lane_of[lane.ssrc] = lane
        if repair := self.plan.repair_payload_type:
            self.repair_lane = RetransmissionLane(self.seats.repair_ssrc, repair, self._outbound)
        self.seats.admit(self)

    def moved(self, path: Path) -> None:
        self.seats.withdraw(self)
        for lane in self.lanes.values():
            lane.move(path.address, path if path.is_stream else None)
        if (video := self.lanes.get("video")) is not None:
            self.estimate = Estimate(time.monotonic(), video.octets)
        self.seats.place(self)

    def receive_rtcp(self, datagram: bytes, now: float) -> None:
        compound = self._inbound.open(datagram) if self._inbound is not None else None
        if compound is None:
            return
        self.heard_at = now
        for item in rtcp.parse(compound):
            if isinstance(item, rtcp.ReceiverReport):
                self._note_blocks(item.blocks, now)
            elif isinstance(item, rtcp.Bitrate):
                if not self._lane_of.keys().isdisjoint(item.ssrcs):
                    self.estimate.note_told(item.bits_per_second / 1_000, now)
            elif isinstance(item, rtcp.Nack):
                self._repair(item, now)
            elif isinstance(item, rtcp.KeyframeRequest):
                self._keyframe_asked_at = now
                self.seats.keyframe_wanted_by(self, now)

    def _note_blocks(self, blocks: tuple[rtcp.ReportBlock, ...], now: float) -> None:
        for block in blocks:
            if (lane := self._lane_of.get(block.ssrc)) is None:
                continue
            if lane.track.kind == "video" or len(self.lanes) == 1:
                self._note_line(block, lane, now)
            if (sent_at := self._reported.pop(block.last_sender_report, None)) is not None:
                self.round_trip_ms = max(0.0, now - sent_at - block.delay / 65_536) * 1_000
                self.estimate.note_round_trip(self.round_trip_ms, sent_at, now)

    def _note_line(self, block: rtcp.ReportBlock, lane: Lane, now: float) -> None:
        """What the line lost in the last second: for the estimate, and whether pictures make sense on it."""
        at, highest_before, lost_before, asked_before = self._judged
        sent = block.highest_sequence - highest_before & 0xFFFFFFFF
        if now - at < JUDGED_SECONDS_MIN or sent < JUDGED_PACKETS_MIN:
            return
        asked = self.repairs + self.repairs_failed
        self._judged = (now, block.highest_sequence, block.packets_lost, asked)
        if sent > JUDGED_PACKETS_MAX:
            return
        lost = self.fraction_lost = min(1.0, max(0, block.packets_lost - lost_before) / sent)
        if lane.track.kind != "video" or not lane.is_live:
            return
        if self.repair_lane is not None:
            # Repairs in a stream of their own do not count as received: this is what the line lost, repaired or not. To
            # get through, each packet has to be sent lost / (1 - lost) times more: what is asked for elsewhere.
            self.estimate.note_loss(lost, lane.octets, now)
            report = Report(lost, lost / max(1 - lost, 0.01), True, self._keyframe_asked_at)
        else:
            # The report counts what a repair brought as received, so what was asked for again counts with it.
            line_loss = lost + (asked - asked_before) / sent
            self.estimate.note_loss(min(1.0, line_loss), lane.octets, now)
            report = Report(lost, line_loss, False, self._keyframe_asked_at)
        alive = self.seats.alive()
        if alive and self.ladder.report(report, [layer.rung for layer in alive], now):
            log.info("viewer %s %s: less of a picture, the line loses %.0f %%", self.show, self.session[:6], lost * 100)
            self.seats.choose(self, alive, now)

    def show_at_most(self, height: int | None, name: str, now: float) -> None:
        """The page shows a picture of so many lines (0: none), or chose a layer by its name."""
        self.ladder.height_max, self.ladder.name_max = height, name
        if "video" in self.lanes:
            self.seats.choose(self, self.seats.alive(), now)

    def _repair(self, request: rtcp.Nack, now: float) -> None:
        """What the lane has sent under these numbers again: by RTX, or the identical bytes (RFC 4585)."""
        lane = self._lane_of.get(request.media_ssrc)
        if lane is None or not lane.is_started or (lane.track.kind == "video" and self.seats.is_paused(self)):
            return
        self._allow_repairs(now)
        repaired = self._repaired
        again_after = now - max(REPEAT_SECONDS_MIN, (self.round_trip_ms or 0.0) / 1_000)
        wanted: dict[Lane, list[CanonicalPacket]] = {}
        for sequence in request.sequences:
            if repaired.get(sequence, again_after) > again_after:
                continue  # it is on its way
            found = lane.find(sequence)
            if found is None or self._allowance < 1:
                self.repairs_failed += 1
                continue
            self._allowance -= 1
            self.repairs += 1
            self._counters.repairs += 1
            wanted.setdefault(found[0], []).append(found[1])
            repaired[sequence] = now
        while len(repaired) > REPAIRS_KEPT:
            del repaired[next(iter(repaired))]
        for sender, packets in wanted.items():
            if self.repair_lane is None or lane.track.kind != "video":
                self.seats.send_again(sender, packets)
                continue
            for packet in packets:
                self.send(self.repair_lane.seal(packet, sender, now))

    def _allow_repairs(self, now: float) -> None:
        """No more repairs than the line carries: on one that is too narrow they would only fill it further."""
        most, queue_kbps = float(REPAIRS_PER_SECOND_MAX), self.estimate.queue_kbps
        if queue_kbps is not None:
            most = min(most, max(REPAIRS_PER_SECOND_MIN, queue_kbps / REPAIR_KILOBITS))
        saved_max = max(most, REPAIRS_AT_ONCE_MAX)
        self._allowance = min(saved_max, self._allowance + (now - self._allowance_at) * most)
        self._allowance_at = now

    @property
    def _picture_octets(self) -> int:
        lane, repairs = self.lanes.get("video"), self.repair_lane
        return (lane.octets if lane is not None else 0) + (repairs.octets if repairs is not None else 0)

    @property
    def estimate_kbps(self) -> float | None:
        """What this viewer's line carries of pictures, in kbit/s; None until something is known."""
        return self.estimate.kbps

    @property
    def is_lossy(self) -> bool:
        """True for a bad line, as the studio and the metrics count them."""
        return self.fraction_lost > LOSSY

    @property
    def can_probe(self) -> bool:
        """True where a higher estimate can be proven: repeats need a stream of their own."""
        return self.repair_lane is not None

    def probe(self, target_kbps: float, now: float) -> bool:
        """Tries for a second whether the line carries `target_kbps`: repeats recent packets beside the pictures.

        If it does, `estimate_kbps` says so within three seconds of now. Call it as often as a higher estimate is
        wanted: whether one begins is decided here (pauses after failures, loss, RTX, how many run in this stream).

        Returns:
            True where a probe begins now.
        """
        lane = self.lanes.get("video")
        if not self.can_probe or lane is None or not lane.is_live:
            return False
        if not self.estimate.is_probe_due(target_kbps, now) or not self.seats.take_probe_place(self):
            return False
        self.estimate.begin_probe(target_kbps, self._picture_octets, now)
        self._counters.probes += 1
        return True

    def continue_probe(self, now: float) -> bool:
        """Sends what is due of the probe; False when it is over and answered."""
        probe, repairs, lane = self.estimate.probe, self.repair_lane, self.lanes["video"]
        if probe is None or repairs is None:
            return False
        if probe.is_sent:
            self.estimate.give_up_probe(now)
        elif now >= probe.ends_at:
            probe.is_sent = True
            self.send_reports(now)
        elif lane.is_live:
            due = probe.octets_due(self._picture_octets, now)
            first = max(lane.first, lane.track.head - PROBE_PACKETS_MAX + 1)
            for packet in lane.track.between(first, lane.track.head):
                if due <= 0:
                    break
                datagram = repairs.seal(packet, lane, now)
                self.send(datagram)
                due -= len(datagram)
        return self.estimate.probe is not None

    def send_reports(self, now: float) -> None:
        """Sender reports of all started lanes in one compound: what lip sync and round trips are computed from."""
        if self._outbound is None or self.state is PeerState.CLOSED:
            return
        compound = b""
        wall = ntp_now()
        for lane in self.lanes.values():
            clocks = lane.track.clocks(now, wall) if lane.is_started else None
            if clocks is not None:
                self._reported[clocks[0] >> 16 & 0xFFFFFFFF] = now
                ntp, timestamp = clocks[0], clocks[1] + lane.time_shift & 0xFFFFFFFF
                compound += rtcp.sender_report(lane.ssrc, ntp, timestamp, lane.packets, lane.octets)
                compound += rtcp.source_description(lane.ssrc, CNAME)
        while len(self._reported) > REPORTS_KEPT:
            del self._reported[next(iter(self._reported))]
        if compound:
            self.send(self._outbound.seal_rtcp(compound))

    @property
    def _layer(self) -> Layer | None:
        """The layer of the picture it gets at the moment."""
        video = self.lanes.get("video")
        return None if video is None or self.seats.is_paused(self) else self.seats.layer_of(video)

    @property
    def layer_name(self) -> str:
        """The rid of its layer, "picture" where there is only one, "sound" where it gets no picture."""
        layer = self._layer
        return "sound" if layer is None else layer.rid or "picture"

    def statistics(self) -> dict[str, object]:
        """Per-viewer figures: loss 0..1, round trip in ms, packets and repairs, freezes as its page counts them.

        `estimate_kbps` is what the line carries; `height` that of the layer in pixels, 0 for sound alone.
        """
        layer = self._layer
        return {
            "session": self.session[:6],
            "state": self.state.value,
            "loss": round(self.fraction_lost, 4),
            "rtt_ms": None if self.round_trip_ms is None else round(self.round_trip_ms, 1),
            "packets": sum(lane.packets for lane in self.lanes.values()),
            "octets": sum(lane.octets for lane in self.lanes.values()),
            "repairs": self.repairs,
            **self.freezes.figures(),
            "rtx": self.repair_lane is not None,
            "estimate_kbps": None if self.estimate_kbps is None else round(self.estimate_kbps),
            "probes": self.estimate.probes,
            "probes_proven": self.estimate.probes_proven,
            "layer": self.layer_name,
            "height": layer.height if layer is not None else 0,
            "transport": "tcp" if self.path is not None and self.path.is_stream else "udp",
        }
