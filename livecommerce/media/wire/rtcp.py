"""RTCP (RFC 3550 section 6, RFC 4585, RFC 5104, transport-cc): parse what peers send, build what we send. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

# A compound packet of a browser holds up to five parts; 32 leaves room and bounds the loop.
PARTS_MAX = 32
# A NACK names up to 17 packets a word; 256 numbers cover half a second of 720p, more is better served by a keyframe.
NACK_NUMBERS_MAX = 256
_PART, _BLOCK = struct.Struct("!BBH"), struct.Struct("!IIIIII")


class ReportBlock(NamedTuple):
    """RFC 3550 section 6.4.1. `delay` is DLSR in 1/65536 s, `last_sender_report` the middle 32 bits of its NTP time."""

    ssrc: int
    fraction_lost: int
    packets_lost: int
    highest_sequence: int
    jitter: int
    last_sender_report: int
    delay: int


class SenderReport(NamedTuple):
    ssrc: int
    ntp: int
    rtp_timestamp: int
    packet_count: int
    octet_count: int
    blocks: tuple[ReportBlock, ...]


class ReceiverReport(NamedTuple):
    ssrc: int
    blocks: tuple[ReportBlock, ...]


class Nack(NamedTuple):
    media_ssrc: int
    sequences: tuple[int, ...]


class KeyframeRequest(NamedTuple):
    """PLI (RFC 4585 section 6.3.1) or FIR (RFC 5104 section 4.3.1)."""

    media_ssrc: int


class Bitrate(NamedTuple):
    """REMB (draft-alvestrand-rmcat-remb-03 section 2.2): what the line to these SSRCs' receiver carries in all."""

    bits_per_second: int
    ssrcs: tuple[int, ...]


class TransportFeedback(NamedTuple):
    """transport-cc: base number, how many packets it speaks of and how many of them arrived."""

    base_sequence: int
    packet_count: int
    received_count: int


class Bye(NamedTuple):
    ssrcs: tuple[int, ...]


Item = SenderReport | ReceiverReport | Nack | KeyframeRequest | Bitrate | TransportFeedback | Bye


def _blocks(body: bytes, position: int, count: int) -> tuple[ReportBlock, ...]:
    count = min(count, (len(body) - position) // _BLOCK.size)
    return tuple(
        [
            ReportBlock(ssrc, loss >> 24, ((loss & 0xFFFFFF) ^ 0x800000) - 0x800000, highest, jitter, last, delay)
            for ssrc, loss, highest, jitter, last, delay in _BLOCK.iter_unpack(
                body[position : position + count * _BLOCK.size]
            )
        ]
    )


def _nack(body: bytes) -> Nack:
    (media_ssrc,) = struct.unpack_from("!I", body, 4)
    sequences: list[int] = []
    for position in range(8, len(body) - 3, 4):
        first, mask = struct.unpack_from("!HH", body, position)
        sequences.append(first)
        sequences.extend((first + bit + 1) & 0xFFFF for bit in range(16) if mask >> bit & 1)
        if len(sequences) >= NACK_NUMBERS_MAX:
            break
    return Nack(media_ssrc, tuple(sequences[:NACK_NUMBERS_MAX]))


def _transport_feedback(body: bytes) -> TransportFeedback | None:
    if len(body) < 16:
        return None
    base, count = struct.unpack_from("!HH", body, 8)
    received = seen = 0
    position = 16
    while seen < count and position + 2 <= len(body):
        (chunk,) = struct.unpack_from("!H", body, position)
        position += 2
        if not chunk & 0x8000:  # run length
            run = min(chunk & 0x1FFF, count - seen)
            received += run if chunk >> 13 & 3 else 0
            seen += run
        else:
            bits, width = (14, 1) if not chunk & 0x4000 else (7, 2)
            for index in range(min(bits, count - seen)):
                symbol = chunk >> (bits - 1 - index) * width & (1 << width) - 1
                received += 1 if symbol else 0
            seen += min(bits, count - seen)
    return TransportFeedback(base, count, received)


def _bitrate(body: bytes) -> Bitrate | None:
    if len(body) < 16 or len(body) < 16 + 4 * body[12]:
        return None
    exponent, mantissa = body[13] >> 2, (body[13] & 3) << 16 | body[14] << 8 | body[15]
    return Bitrate(mantissa << exponent, struct.unpack_from(f"!{body[12]}I", body, 16))


def _feedback(kind: int, form: int, body: bytes) -> Item | None:
    if len(body) < 8:
        return None
    (media_ssrc,) = struct.unpack_from("!I", body, 4)
    # RTPFB: 1 is NACK, 15 transport-cc. PSFB: 1 is PLI, 4 FIR, 15 of the application (REMB).
    if kind == 205:
        if form == 1:
            return _nack(body)
        return _transport_feedback(body) if form == 15 else None
    if form == 1:
        return KeyframeRequest(media_ssrc)
    if form == 4 and len(body) >= 12:
        return KeyframeRequest(struct.unpack_from("!I", body, 8)[0])
    if form == 15 and body[8:12] == b"REMB":
        return _bitrate(body)
    return None


def parse(packet: bytes) -> list[Item]:
    """All parts we understand; stops at the first part whose length does not fit."""
    found: list[Item] = []
    position = 0
    for _ in range(PARTS_MAX):
        if position + 4 > len(packet):
            break
        first, kind, words = _PART.unpack_from(packet, position)
        end = position + 4 + 4 * words
        if first >> 6 != 2 or end > len(packet):
            break
        body, count = packet[position + 4 : end], first & 0x1F
        position = end
        item: Item | None = None
        # SR 200, RR 201, BYE 203 (RFC 3550 section 12.1); RTPFB 205, PSFB 206 (RFC 4585 section 6.1).
        if kind == 200 and len(body) >= 24:
            ssrc, ntp, timestamp, packets, octets = struct.unpack_from("!IQIII", body)
            item = SenderReport(ssrc, ntp, timestamp, packets, octets, _blocks(body, 24, count))
        elif kind == 201 and len(body) >= 4:
            item = ReceiverReport(struct.unpack_from("!I", body)[0], _blocks(body, 4, count))
        elif kind == 203:
            words_here = min(count, len(body) // 4)
            item = Bye(struct.unpack_from(f"!{words_here}I", body))
        elif kind in (205, 206):
            item = _feedback(kind, count, body)
        if item is not None:
            found.append(item)
    return found


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def sender_report(ssrc: int, ntp: int, rtp_timestamp: int, packet_count: int, octet_count: int) -> bytes:
    return _packet(
        200, 0, struct.pack("!IQIII", ssrc, ntp, rtp_timestamp, packet_count & 0xFFFFFFFF, octet_count & 0xFFFFFFFF)
    )


def receiver_report(ssrc: int, blocks: Sequence[ReportBlock]) -> bytes:
    body = struct.pack("!I", ssrc)
    for block in blocks[:31]:
        lost = max(-0x800000, min(0x7FFFFF, block.packets_lost)) & 0xFFFFFF
        body += struct.pack(
            "!IIIIII",
            block.ssrc,
            block.fraction_lost << 24 | lost,
            block.highest_sequence & 0xFFFFFFFF,
            block.jitter & 0xFFFFFFFF,
            block.last_sender_report,
            block.delay,
        )
    return _packet(201, len(blocks[:31]), body)


@lru_cache(maxsize=512)  # one or two sources a show; they are told each viewer once a second
def source_description(ssrc: int, name: bytes) -> bytes:
    """SDES with one CNAME chunk: receivers pair audio and video by it for lip sync."""
    chunk = struct.pack("!IBB", ssrc, 1, len(name)) + name + b"\0"
    return _packet(202, 1, chunk + bytes(-len(chunk) & 3))


def nack(sender_ssrc: int, media_ssrc: int, sequences: Iterable[int]) -> bytes:
    """Generic NACK for numbers in rising order, of which 16 bits count (RFC 4585 section 6.2.1)."""
    words: list[tuple[int, int]] = []
    for sequence in sequences:
        if words and 0 < (distance := (sequence - words[-1][0]) & 0xFFFF) <= 16:
            words[-1] = (words[-1][0], words[-1][1] | 1 << (distance - 1))
        else:
            words.append((sequence & 0xFFFF, 0))
    body = struct.pack("!II", sender_ssrc, media_ssrc) + b"".join(struct.pack("!HH", *word) for word in words)
    return _packet(205, 1, body)


def picture_loss(sender_ssrc: int, media_ssrc: int) -> bytes:
    return _packet(206, 1, struct.pack("!II", sender_ssrc, media_ssrc))


def full_intra_request(sender_ssrc: int, media_ssrc: int, number: int) -> bytes:
    return _packet(206, 4, struct.pack("!IIIBBH", sender_ssrc, 0, media_ssrc, number & 0xFF, 0, 0))


def receiver_estimate(sender_ssrc: int, bits_per_second: int, ssrcs: Sequence[int]) -> bytes:
    """REMB (draft-alvestrand-rmcat-remb): 18-bit mantissa, 6-bit exponent."""
    exponent = max(0, bits_per_second.bit_length() - 18)
    mantissa = bits_per_second >> exponent
    body = struct.pack("!II", sender_ssrc, 0) + b"REMB"
    body += struct.pack("!BBH", len(ssrcs), exponent << 2 | mantissa >> 16, mantissa & 0xFFFF)
    return _packet(206, 15, body + b"".join(struct.pack("!I", ssrc) for ssrc in ssrcs))


def goodbye(ssrcs: Sequence[int]) -> bytes:
    return _packet(203, len(ssrcs), b"".join(struct.pack("!I", ssrc) for ssrc in ssrcs))


# One feedback packet speaks of at most this many numbers: at 50 ms and 2.5 Mbit/s there are about 20.
FEEDBACK_PACKETS_MAX = 400


def transport_feedback(
    sender_ssrc: int, media_ssrc: int, base: int, arrivals_us: Sequence[int | None], number: int
) -> bytes:
    """transport-cc feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1).

    Args:
        base: the first transport-wide number (16 bits).
        arrivals_us: arrival times in µs of base, base+1, …; None where one did not arrive. The first did.
        number: feedback packet count, 8 bits.
    """
    first = next(arrival for arrival in arrivals_us if arrival is not None)
    reference = first // 64_000
    cursor = reference * 64_000
    symbols: list[int] = []
    deltas = b""
    for arrival in arrivals_us:
        if arrival is None:
            symbols.append(0)
            continue
        delta = max(-0x8000, min(0x7FFF, (arrival - cursor) // 250))
        cursor += delta * 250
        if 0 <= delta <= 255:
            symbols.append(1)
            deltas += struct.pack("!B", delta)
        else:
            symbols.append(2)
            deltas += struct.pack("!h", delta)
    chunks = b""
    for position in range(0, len(symbols), 7):
        chunk = 0xC000
        for index, symbol in enumerate(symbols[position : position + 7]):
            chunk |= symbol << (6 - index) * 2
        chunks += struct.pack("!H", chunk)
    body = struct.pack("!IIHH", sender_ssrc, media_ssrc, base & 0xFFFF, len(symbols))
    body += (reference & 0xFFFFFF).to_bytes(3, "big") + bytes((number & 0xFF,)) + chunks + deltas
    return _packet(205, 15, body + bytes(-len(body) & 3))
