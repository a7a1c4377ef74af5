"""Repairs in a stream of their own (RTX, RFC 4588): a lost packet again, under an SSRC and a number never used before.

The identical bytes again would do too, but receivers then count them as part of the stream: their reports hide the
loss, and the times of sending in them are old. In a stream of its own a repair tells when it was really sent.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterable

from livecommerce.media.tracks.lane import Lane
from livecommerce.media.tracks.track import CanonicalPacket
from livecommerce.media.transport.srtp import Outbound

# RTX numbers begin in the lower half of the first cycle, so that a viewer who loses the first of them counts its
# rollovers right (RFC 3711 section 3.3.1): it would have to lose 32,768 repairs on end.
FIRST_INDEX_MIN, FIRST_INDEX_MAX = 0x1000, 0x7FFF
_HEADER = struct.Struct("!BBH4sI")


def distinct_ssrc(taken: Iterable[int]) -> int:
    """A random SSRC that is none of `taken`: two streams of one key may never share one (nonces would repeat)."""
    while (ssrc := secrets.randbits(31) + 1) in taken:
        continue
    return ssrc


class RetransmissionLane:
    """The repairs of one viewer's pictures.

    Attributes:
        index: SRTP packet index of the next repair (RFC 3711 section 3.3.1). It only grows and each is used once: this
            is the nonce rule for repairs, whatever they carry.
    """

    __slots__ = ("index", "octets", "outbound", "packets", "payload_type", "ssrc")

    def __init__(self, ssrc: int, payload_type: int, outbound: Outbound) -> None:
        self.ssrc = ssrc
        self.payload_type = payload_type
        self.outbound = outbound
        self.index = FIRST_INDEX_MIN + secrets.randbelow(FIRST_INDEX_MAX - FIRST_INDEX_MIN)
        self.packets = self.octets = 0

    def seal(self, packet: CanonicalPacket, lane: Lane, now: float) -> bytes:
        """The SRTP datagram that repeats `packet` of `lane`.

        RFC 4588 section 4: payload type, number and SSRC are RTX's; marker and timestamp the original's; its number
        comes first in the payload. abs-send-time, where agreed, is that of `now` (seconds, monotonic).
        """
        original = lane.header(packet)
        index, self.index = self.index, self.index + 1
        marked = self.payload_type | original[1] & 0x80
        header = _HEADER.pack(original[0], marked, index & 0xFFFF, original[4:8], self.ssrc)
        if lane.send_time_id:
            send_time = int(now * 0x40000) & 0xFFFFFF
            header += struct.pack("!II", 0xBEDE0001, (lane.send_time_id << 4 | 2) << 24 | send_time)
        datagram = self.outbound.seal_rtp(header, original[2:4] + packet.body, self.ssrc, index)
        self.packets += 1
        self.octets += len(datagram)
        return datagram
