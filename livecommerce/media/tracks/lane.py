"""A lane: one track towards one viewer, with all that makes this viewer's packets differ from everybody else's.

Payload type, number phase, time shift, SSRC and header extension differ by viewer; the payload never does. A lane's
fields change only while it is withdrawn from the fan-outs, which group lanes by what they share.

A lane may change to another layer of the same picture. Its packet indices go on right after the last one used, so that
each of them stands for one packet for ever; what was sent from the layers before can still be repaired.
"""

from __future__ import annotations

import copy
from typing import NamedTuple, Protocol

from livecommerce.media.tracks.track import CanonicalPacket, Track, phase_for
from livecommerce.media.transport.srtp import CmOutbound, GcmOutbound, Outbound
from livecommerce.media.wire import rtp
from livecommerce.media.wire.rtp import signed
from livecommerce.media.wire.stun import Address

# Repairs are asked for within a second or two; nobody changes layers more often than that in this time.
PAST_MAX = 4


class StreamPath(Protocol):
    """A TCP connection that carries framed datagrams (RFC 4571)."""

    def send(self, datagram: bytes) -> None: ...


class LaneKey(NamedTuple):
    """Lanes with the same key share headers and packet indices."""

    ssrc: int
    payload_type: int
    phase: int
    shift: int
    time_shift: int
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
        time_shift: added to canonical timestamps; some ticks where a change of layer would have gone back in time.
        first, reached: canonical numbers of `track` between which everything may have been sent; `reached` stands
            still while the lane is live, when it is the track's head.
        entry: sent ahead of `first` under the number before it, in place of the track's own packet of that number: the
            parameter sets of a key picture that lacks them (`Track.entry`).
        is_live: in a fan-out, which sends it all that is flushed.
        past: this lane as it was before its changes of layer, oldest first; never live again.
        cursor: next number to replay while catching up; None when live.
        sent: packets and octets so far, over all its layers.
        rider: the same viewer's sound lane, when its packets may travel in this picture lane's sends.
    """

    __slots__ = (
        "address",
        "cursor",
        "entry",
        "first",
        "is_live",
        "is_started",
        "outbound",
        "past",
        "payload_type",
        "phase",
        "reached",
        "reached_timestamp",
        "rider",
        "send_time_id",
        "sent",
        "shift",
        "ssrc",
        "stream_path",
        "time_shift",
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
        self.is_started = self.is_live = False
        self.cursor: int | None = None
        self.phase = self.shift = self.time_shift = 0
        self.sent: Sent = Tally()
        self.first = self.reached = 0
        self.entry: CanonicalPacket | None = None
        self.reached_timestamp: int | None = None
        self.past: list[Lane] = []
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

    def start(self, number: int, entry: CanonicalPacket | None = None) -> None:
        """Fixes the number phase and rollover origin by the first packet this viewer may get. Once in a lane's life.

        Args:
            entry: goes ahead of it; its number is the one before.
        """
        if self.is_started:
            raise RuntimeError("a lane starts once: a second origin would use a nonce twice")
        self.is_started = True
        begin = number
        if entry is not None:
            self.entry, self.first, begin = entry, number, number - 1
        self.phase = phase_for(begin)
        self.shift = self.phase - ((begin + self.phase) & ~0xFFFF)
        self.reached = number - 1

    def reach(self, packet: CanonicalPacket) -> None:
        """This packet and those before it were sent by other ways than a fan-out's live sends."""
        if packet.number > self.reached:
            self.reached, self.reached_timestamp = packet.number, packet.timestamp

    def halt(self) -> None:
        """The lane has left its fan-out: what it got ends with the track's head."""
        if self.is_live:
            self.is_live = False
            if self.track.head > self.reached:
                last = self.track.packet(self.track.head)
                self.reached = self.track.head
                self.reached_timestamp = self.track.last_timestamp if last is None else last.timestamp

    def change(self, track: Track, number: int, entry: CanonicalPacket | None = None) -> None:
        """Goes on with `number` of another layer, or further on in the same one, after the last packet index used.

        Args:
            entry: goes ahead of it; its number is the one before.

        Raises:
            RuntimeError: for a lane that is live or has not started, or a number the ring does not hold.
        """
        begin = track.packet(number)
        if self.is_live or not self.is_started or begin is None:
            raise RuntimeError("a lane changes between two sends, to a packet that is there")
        if self.reached >= self.first:
            before = copy.copy(self)
            before.past, before.rider = [], None
            self.past = [*self.past, before][-PAST_MAX:]
        if self.reached_timestamp is not None:
            after = self.reached_timestamp + self.time_shift + 1
            self.time_shift = max(0, signed(after - begin.timestamp))
            self.reached_timestamp = after - 1 - self.time_shift
        self.shift += self.reached + 1 - number + (entry is not None)
        self.phase = self.shift & 0xFFFF
        self.track, self.first, self.reached, self.entry = track, number, number - 1, entry
        self.cursor = None

    def find(self, sequence: int) -> tuple[Lane, CanonicalPacket] | None:
        """The packet that this viewer knows by a 16-bit number, and the lane (this or a past one) it was sent by."""
        index = rtp.unwrap(sequence, self._last + self.shift)
        for lane in (self, *reversed(self.past)):
            number = index - lane.shift
            if lane.entry is not None and number == lane.entry.number:
                return lane, lane.entry
            if lane.first <= number <= lane._last:
                packet = lane.track.packet(number)
                return None if packet is None else (lane, packet)
        return None

    @property
    def _last(self) -> int:
        """No packet above this number was ever sent by this lane."""
        return max(self.reached, self.track.head) if self.is_live else self.reached

    def move(self, address: Address, stream_path: StreamPath | None) -> None:
        """The viewer is to be reached elsewhere from now on."""
        for lane in (self, *self.past):
            lane.address, lane.stream_path = address, stream_path

    def header(self, packet: CanonicalPacket) -> bytes:
        """The packet's RTP header as this lane's viewer gets it."""
        return packet.header(self.payload_type, self.phase, self.ssrc, self.send_time_id, time_shift=self.time_shift)

    def seal(self, packet: CanonicalPacket) -> bytes:
        """The SRTP datagram of one packet; the same bytes each time."""
        return self.outbound.seal_rtp(self.header(packet), packet.body, self.ssrc, packet.number + self.shift)

    @property
    def key(self) -> LaneKey:
        return LaneKey(self.ssrc, self.payload_type, self.phase, self.shift, self.time_shift, self.send_time_id)

    @property
    def is_fast(self) -> bool:
        """GCM over UDP: the path by which nearly everyone is served."""
        return self.stream_path is None and not isinstance(self.outbound, CmOutbound)
