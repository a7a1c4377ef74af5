"""The host's end: opens its packets, maps them into the canonical tracks and tells it how they arrive."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from livecommerce.media.errors import SdpRefused
from livecommerce.media.ingest.feedback import ArrivalLog, RateLimit, Reception
from livecommerce.media.ingest.source import PICTURE, SOUND, Publisher, Sink, SourceName
from livecommerce.media.transport.peer import Peer, Port
from livecommerce.media.transport.srtp import Keys, LibsrtpInbound, Outbound, outbound
from livecommerce.media.wire import rtcp, rtp, sdp
from livecommerce.media.wire.parameter_sets import parse_sprop

# libwebrtc sends it each 50 to 250 ms; the sooner it comes, the sooner the sender knows its line.
TRANSPORT_FEEDBACK_SECONDS = 0.05
# Loss and round trip are to the sender as old as the last report.
REPORT_SECONDS = 1.0
# Chromium begins with so much instead of 300 kbit/s. With layers it begins with the small ones, and the top one needs
# 600 kbit/s beside them before it starts at all.
START_KBPS, START_LAYERS_KBPS = 1_200, 1_600
# Layers of a half and a quarter of the size take so much on top of the largest.
LAYERS_SHARE = 1.3
# Returns to SSRCs that were left, so many within so long: no stragglers and no change, but senders that are mixed.
RETURNS_MIXED, RETURNS_SECONDS = 30, 10.0
# Then the newest counts until it has been silent for so long.
SSRC_BACK_SECONDS = 1.0
# A sender changes its SSRC once in a show, if ever.
SSRCS_LEFT_MAX = 4
# Silence after which another host may take the show over without asking.
DEAD_SECONDS = 5.0


class HostPlan:
    """What was agreed with a host: payload types, extensions, layers (rids) and the answer's m-lines.

    Raises:
        SdpRefused: where the offer lacks H.264 baseline or sends nothing.
    """

    def __init__(self, offer: sdp.Offer, bitrate_max_kbps: int) -> None:
        self.bitrate_max_kbps = bitrate_max_kbps
        self.answered: list[sdp.Answered] = []
        self.sources: dict[int, SourceName] = {}
        self.retransmissions: dict[int, int] = {}
        self.clocks = {"video": rtp.VIDEO_CLOCK, "audio": rtp.AUDIO_CLOCK}
        self.sequence_extension = self.layer_extension = self.repaired_layer_extension = 0
        self.layers: tuple[str, ...] = ()
        self.parameter_sets: tuple[bytes, ...] = ()
        self.has_estimate = False
        for section in (offer.video, offer.audio):
            if section is None:
                continue
            if section.direction == "inactive":
                continue  # half a host: it has no camera, or no microphone, now
            if section.direction == "recvonly":
                raise SdpRefused(f"The {section.kind} section sends nothing (a={section.direction}).")
            if section.kind == "video":
                self._plan_video(section)
            else:
                self._plan_audio(section)
        if not self.answered:
            raise SdpRefused("The offer sends neither video nor audio (a=inactive).")

    def _extension_lines(self, section: sdp.Section) -> list[str]:
        lines = []
        for uri in (sdp.TRANSPORT_SEQUENCE, sdp.MEDIA_ID):
            if identity := section.extensions.get(uri):
                lines.append(f"extmap:{identity} {uri}")
                if uri == sdp.TRANSPORT_SEQUENCE:
                    self.sequence_extension = identity
        return lines

    def _plan_video(self, section: sdp.Section) -> None:
        offered = sdp.choose_video(section)
        codec = sdp.Codec(offered.payload_type, "H264", offered.clock)
        # The answer repeats the profile. Chromium also takes its first bitrate from here instead of from 300 kbit/s.
        self.layers = section.layers
        if section.has_layers_by_ssrc and not self.layers:
            raise SdpRefused(
                "The video section sends several sizes told apart by SSRC alone (a=ssrc-group:SIM). Send one, or name "
                "them (a=rid with a=simulcast, RFC 8853)."
            )
        if not self.layers:  # each layer has sets of its own, and SDP does not say whose these are
            self.parameter_sets = parse_sprop(offered.parameters.get("sprop-parameter-sets", ""))
        # What is agreed bounds all layers together; the page bounds each of them.
        sum_kbps = round(self.bitrate_max_kbps * (LAYERS_SHARE if self.layers else 1.0))
        codec.parameters = {
            "level-asymmetry-allowed": "1",
            "packetization-mode": "0" if sdp.is_single_nal(offered) else "1",
            "profile-level-id": offered.parameters.get("profile-level-id", "42e01f"),
            "x-google-start-bitrate": str(min(START_LAYERS_KBPS if self.layers else START_KBPS, sum_kbps)),
            "x-google-max-bitrate": str(sum_kbps),
        }
        wanted = {"nack", "nack pli", "ccm fir", "transport-cc", "goog-remb"}
        codec.feedback = offered.feedback & wanted
        self.has_estimate = "goog-remb" in codec.feedback and "transport-cc" not in codec.feedback
        codecs = [codec]
        self.sources[codec.payload_type] = PICTURE
        repair = sdp.retransmission_of(section, offered)
        if repair is not None:
            codecs.append(sdp.Codec(repair.payload_type, "RTX", repair.clock, 1, {"apt": str(codec.payload_type)}))
            self.retransmissions[repair.payload_type] = codec.payload_type
        lines = ["recvonly", *self._extension_lines(section), *self._layer_lines(section), f"b=AS:{sum_kbps + 200}"]
        self.answered.append(sdp.Answered(section, tuple(codecs), tuple(lines)))

    def _layer_lines(self, section: sdp.Section) -> list[str]:
        """Simulcast (RFC 8853): we receive every layer, told apart by its rid until its SSRC is known (RFC 8852)."""
        if not self.layers:
            return []
        self.layer_extension = section.extensions[sdp.LAYER_ID]
        lines = [f"extmap:{self.layer_extension} {sdp.LAYER_ID}"]
        if identity := section.extensions.get(sdp.REPAIRED_LAYER_ID):
            self.repaired_layer_extension = identity
            lines.append(f"extmap:{identity} {sdp.REPAIRED_LAYER_ID}")
        lines += [f"rid:{rid} recv" for rid in self.layers]
        return [*lines, f"simulcast:recv {';'.join(self.layers)}"]

    def _plan_audio(self, section: sdp.Section) -> None:
        offered = sdp.choose_audio(section)
        codec = sdp.Codec(offered.payload_type, "OPUS", offered.clock, 2)
        # In-band FEC instead of NACK: a lost 20 ms is repaired from the next packet.
        # Music is stereo where the host has it so; without these Chromium and OBS send mono (RFC 7587 section 6.1).
        codec.parameters = {"minptime": "10", "useinbandfec": "1", "stereo": "1", "maxaveragebitrate": "128000"}
        codec.feedback = offered.feedback & {"transport-cc"}
        if codec.payload_type in self.sources or codec.payload_type in self.retransmissions:
            raise SdpRefused(
                f"Picture and sound have the same payload type ({codec.payload_type}), so their packets cannot be told "
                "apart. Give each its own."
            )
        self.sources[codec.payload_type] = SOUND
        self.answered.append(sdp.Answered(section, (codec,), ("recvonly", *self._extension_lines(section))))


class Host(Peer):
    """A publishing peer of one stream.

    Args:
        publisher: who publishes, and may take over from whom.
    """

    role = "host"

    def __init__(
        self,
        port: Port,
        sink: Sink,
        offer: sdp.Offer,
        plan: HostPlan,
        *,
        publisher: Publisher,
        now: float,
    ) -> None:
        super().__init__(port, sink.show, offer, now)
        self._sink = sink
        self.plan = plan
        self.publisher = publisher
        self.ssrc = secrets.randbits(31) + 1
        self.media_at: float | None = None
        self.receptions: dict[SourceName, Reception] = {}
        # Of a layer's packets and of their repairs, one SSRC each.
        self._sources: dict[int, SourceName] = {}
        self._ssrcs: dict[tuple[SourceName, bool], int] = {}
        self.arrivals = ArrivalLog()
        self.limit_kbps = plan.bitrate_max_kbps
        self.parameter_sets = plan.parameter_sets
        self.mixed_at = float("-inf")
        # SSRCs that fed a source before the present one; since when one of them came back, and how often.
        self._left: dict[SourceName, list[int]] = {}
        self._returns: dict[SourceName, tuple[float, int]] = {}
        self.limit = RateLimit(plan.bitrate_max_kbps)
        self.rejected = 0
        self.on_connected: Callable[[], None] | None = None
        self.on_packet: Callable[[str], None] | None = None
        self._inbound: LibsrtpInbound | None = None
        self._outbound: Outbound | None = None
        self._report_at = self._feedback_at = now
        self._intra_number = 0

    @property
    def layers(self) -> tuple[str, ...]:
        return self.plan.layers

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of media the answer accepted."""
        return frozenset(name.kind for name in self.plan.sources.values())

    @property
    def status(self) -> str:
        return self.state.value

    @property
    def is_connected(self) -> bool:
        """Its DTLS keys are there: what it sends can be opened."""
        return self._inbound is not None

    def connected(self, keys: Keys) -> None:
        self._inbound = LibsrtpInbound(keys)
        self._outbound = outbound(keys)
        if self.on_connected is not None:
            self.on_connected()

    def is_silent(self, now: float) -> bool:
        """No media for five seconds (or never any since it was accepted)."""
        return now - (self.media_at if self.media_at is not None else self.created_at) > DEAD_SECONDS

    def receive_rtp(self, datagram: bytes, now: float) -> None:
        if self._inbound is None:
            return
        plain = self._inbound.open_rtp(datagram)
        packet = rtp.parse(plain) if plain is not None else None
        if packet is None:
            self.rejected += 1
            return
        self.heard_at = now
        extensions = rtp.extension_values(packet.extension_profile, packet.extension) if packet.extension else {}
        number = extensions.get(self.plan.sequence_extension, b"") if self.plan.sequence_extension else b""
        if len(number) == 2:
            self.arrivals.note(int.from_bytes(number, "big"), now)
        source = self._source_of(packet, extensions)
        if source is None:
            self.rejected += 1
            return
        if (original := self.plan.retransmissions.get(packet.payload_type)) is not None:
            reception = self.receptions.get(source)
            if len(packet.payload) < 3 or reception is None:
                return  # a bandwidth probe
            sequence = int.from_bytes(packet.payload[:2], "big")
            packet = packet._replace(
                payload_type=original, sequence=sequence, payload=packet.payload[2:], ssrc=reception.ssrc
            )
        self._take(source, packet, now)

    def _source_of(self, packet: rtp.RtpPacket, extensions: dict[int, bytes]) -> SourceName | None:
        """The name under which this packet's SSRC feeds the stream; None where nothing of that kind was agreed."""
        original = self.plan.retransmissions.get(packet.payload_type)
        name = self.plan.sources.get(packet.payload_type if original is None else original)
        if name is not PICTURE or not self.plan.layers:
            return name
        known = self._sources.get(packet.ssrc)
        if known is not None:
            return known
        identity = self.plan.layer_extension if original is None else self.plan.repaired_layer_extension
        rid = extensions.get(identity, b"").decode("ascii", "replace") if identity else ""
        if rid not in self.plan.layers:
            return None
        source = SourceName("video", rid)
        role = source, original is not None
        self._sources.pop(self._ssrcs.get(role, -1), None)  # the sender has changed it
        self._ssrcs[role], self._sources[packet.ssrc] = packet.ssrc, source
        return source

    def _take(self, source: SourceName, packet: rtp.RtpPacket, now: float) -> None:
        reception = self.receptions.get(source)
        if reception is None or reception.ssrc != packet.ssrc:
            if reception is not None and not self._is_change(source, reception, packet.ssrc, now):
                return
            # A first packet, or the sender changed its SSRC: a new source either way.
            clock = self.plan.clocks[source.kind]
            reception = self.receptions[source] = Reception(packet.ssrc, clock)
            self._sink.begin_source(source)
        reception.note(packet.sequence, packet.timestamp, len(packet.payload), now)
        self.media_at = now
        self._sink.take(source, packet, now)
        if reception.missing_count and source.kind == "video":
            self._ask_again(reception, now)

    def _is_change(self, source: SourceName, reception: Reception, ssrc: int, now: float) -> bool:
        """Whether a packet under another SSRC than the present one begins a source.

        Where two encoders under one name take turns by the packet, nobody sees anything: the newest is kept to.
        """
        left = self._left.setdefault(source, [])
        if ssrc in left:
            since, returns = self._returns.get(source, (now, 0))
            since, returns = (since, returns + 1) if now - since < RETURNS_SECONDS else (now, 1)
            self._returns[source] = since, returns
            if returns >= RETURNS_MIXED and now - reception.heard_at < SSRC_BACK_SECONDS:
                self.mixed_at = now
                return False
            left.remove(ssrc)
        self._left[source] = [*left, reception.ssrc][-SSRCS_LEFT_MAX:]
        return True

    @property
    def _pictures(self) -> list[Reception]:
        return [reception for source, reception in self.receptions.items() if source.kind == "video"]

    def receive_rtcp(self, datagram: bytes, now: float) -> None:
        compound = self._inbound.open(datagram) if self._inbound is not None else None
        if compound is None:
            self.rejected += 1
            return
        self.heard_at = now
        for item in rtcp.parse(compound):
            if isinstance(item, rtcp.SenderReport):
                for source, reception in self.receptions.items():
                    if reception.ssrc == item.ssrc:
                        reception.note_report(item.ntp, now)
                        self._sink.note_report(source, item.ntp, item.rtp_timestamp, now)

    def _send_rtcp(self, compound: bytes) -> None:
        if self._outbound is not None:
            self.send(self._outbound.seal_rtcp(compound))

    def _ask_again(self, reception: Reception, now: float) -> None:
        wanted = reception.wanted(now)
        if wanted:
            self._send_rtcp(rtcp.nack(self.ssrc, reception.ssrc, wanted))

    def request_keyframe(self, source: SourceName) -> None:
        """PLI and FIR together: some encoders honour only one of them."""
        reception = self.receptions.get(source)
        if reception is None:
            return
        self._intra_number += 1
        self._send_rtcp(
            rtcp.picture_loss(self.ssrc, reception.ssrc)
            + rtcp.full_intra_request(self.ssrc, reception.ssrc, self._intra_number)
        )

    def tick(self, now: float) -> None:
        """Called every 20 ms: repairs, transport feedback, reports."""
        if self._outbound is None:
            return
        pictures = self._pictures
        for reception in pictures:
            if reception.missing_count:
                self._ask_again(reception, now)
        if now - self._feedback_at >= TRANSPORT_FEEDBACK_SECONDS:
            self._feedback_at = now
            media = pictures[0].ssrc if pictures else 0
            for packet in self.arrivals.feedback(self.ssrc, media):
                self._send_rtcp(packet)
        if now - self._report_at >= REPORT_SECONDS:
            self._report_at = now
            blocks = [block for each in self.receptions.values() if (block := each.block(now)) is not None]
            compound = rtcp.receiver_report(self.ssrc, blocks)
            if self.plan.has_estimate and pictures:
                loss = max(each.fraction_lost for each in pictures)
                ssrcs = [each.ssrc for each in pictures]
                compound += rtcp.receiver_estimate(self.ssrc, self.limit.step(loss), ssrcs)
            self._send_rtcp(compound)
