"""A lane: one track towards one viewer, with all that makes this viewer's packets differ from everybody else's.

Payload type, number phase, SSRC and header extension differ by viewer; payload and timestamp never do. A lane's fields
change only while it is withdrawn from the fan-outs, which group lanes by what they share.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from livecommerce.media.srtp import CmOutbound, GcmOutbound, Outbound
from livecommerce.media.stun import Address
from livecommerce.media.track import CanonicalPacket, Track, phase_for


class StreamPath(Protocol):
    """A TCP connection that carries framed datagrams (RFC 4571)."""

    def send(self, datagram: bytes) -> None: ...


class LaneKey(NamedTuple):
    """Lanes with the same key share headers and packet indices."""

    ssrc: int
    payload_type: int
    phase: int
    shift: int
    send_time_id: int


class Sent(Protocol):
    """What was sent to a lane: packets and the octets of their payloads, as sender reports tell them."""

    packets: int
    octets: int


class Tally:
    """`Sent` of a lane that the compiled core does not serve; the core has a `Tally` of its own."""

    __slots__ = ("octets", "packets")

    def __init__(self) -> None:
        self.packets = self.octets = 0


class Lane:
    """One track towards one viewer.

    Attributes:
        ssrc: what this viewer knows the track by.
        send_time_id: extension id of abs-send-time that the viewer offered; 0 for none.
        shift: added to a canonical number gives the viewer's SRTP packet index (RFC 3711 section 3.3.1).
        cursor: next number to replay while catching up; None when live.
        sent: packets and octets so far.
        rider: the same viewer's sound lane, when its packets may travel in this picture lane's sends.
    """

    __slots__ = (
        "address",
        "cursor",
        "is_started",
        "outbound",
        "payload_type",
        "phase",
        "rider",
        "send_time_id",
        "sent",
        "shift",
        "ssrc",
        "stream_path",
        "track",
    )

    def __init__(
        self, track: Track, payload_type: int, outbound: Outbound, address: Address, *, send_time_id: int = 0
    ) -> None:
        self.track = track
        self.ssrc = track.ssrc
        self.payload_type = payload_type
        self.send_time_id = send_time_id
        self.outbound = outbound
        self.address = address
        self.stream_path: StreamPath | None = None
        self.is_started = False
        self.cursor: int | None = None
        self.phase = self.shift = 0
        self.sent: Sent = Tally()
        self.rider: Lane | None = None

    @property
    def gcm(self) -> GcmOutbound:
        """The keys of a lane that is fast."""
        if not isinstance(self.outbound, GcmOutbound):
            raise TypeError("only lanes with GCM are sealed by the fan-out itself")
        return self.outbound

    @property
    def nonce_base(self) -> int:
        """Salt and SSRC, ready to be XORed with a packet index."""
        return self.gcm.salt ^ self.ssrc << 48

    @property
    def packets(self) -> int:
        return self.sent.packets

    @property
    def octets(self) -> int:
        return self.sent.octets

    def start(self, number: int) -> None:
        """Fixes the number phase and rollover origin by the first packet this viewer may get. Once in a lane's life."""
        if self.is_started:
            raise RuntimeError("a lane starts once: a second origin would use a nonce twice")
        self.is_started = True
        self.phase = phase_for(number)
        self.shift = self.phase - ((number + self.phase) & ~0xFFFF)

    def header(self, packet: CanonicalPacket) -> bytes:
        """The packet's RTP header as this lane's viewer gets it."""
        return packet.header(self.payload_type, self.phase, self.ssrc, self.send_time_id)

    def seal(self, packet: CanonicalPacket) -> bytes:
        """The SRTP datagram of one packet; the same bytes each time."""
        return self.outbound.seal_rtp(self.header(packet), packet.body, self.ssrc, packet.number + self.shift)

    @property
    def key(self) -> LaneKey:
        return LaneKey(self.ssrc, self.payload_type, self.phase, self.shift, self.send_time_id)

    @property
    def is_fast(self) -> bool:
        """GCM over UDP: the path by which nearly everyone is served."""
        return self.stream_path is None and not isinstance(self.outbound, CmOutbound)
