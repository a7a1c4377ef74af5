"""RTP (RFC 3550 section 5) as values: one packet in, one `RtpPacket` out. Pure."""

from __future__ import annotations

import struct
from typing import NamedTuple

HEADER_BYTES = 12
# Ticks a second: of H.264 always (RFC 6184 section 8.1), of Opus whatever it was sampled at (RFC 7587 section 4.1).
VIDEO_CLOCK, AUDIO_CLOCK = 90_000, 48_000
# 1500 (Ethernet) is the most that arrives in one piece; the socket reads a little more to tell "too long".
DATAGRAM_BYTES_MAX = 1600


class RtpPacket(NamedTuple):
    """One RTP packet without its padding.

    `extension_profile` is 0 where there is no header extension; `extension` its raw words (see `extension_values`).
    """

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    extension_profile: int
    extension: bytes


def is_rtcp(datagram: bytes) -> bool:
    """Payload types 64 to 95 after masking are RTCP (RFC 5761 section 4)."""
    return len(datagram) > 1 and 192 <= datagram[1] <= 223


def parse(datagram: bytes) -> RtpPacket | None:
    """The packet, or None where lengths do not fit."""
    if len(datagram) < HEADER_BYTES:
        return None
    first, second, sequence, timestamp, ssrc = struct.unpack_from("!BBHII", datagram)
    if first >> 6 != 2:
        return None
    position = HEADER_BYTES + 4 * (first & 0x0F)
    profile, extension = 0, b""
    if first & 0x10:
        if len(datagram) < position + 4:
            return None
        profile, words = struct.unpack_from("!HH", datagram, position)
        extension = datagram[position + 4 : position + 4 + 4 * words]
        position += 4 + 4 * words
    end = len(datagram)
    if first & 0x20:
        padding = datagram[-1]
        if padding == 0 or padding > end - position:
            return None
        end -= padding
    if position > end:
        return None
    return RtpPacket(
        second & 0x7F, bool(second & 0x80), sequence, timestamp, ssrc, datagram[position:end], profile, extension
    )


def extension_values(profile: int, extension: bytes) -> dict[int, bytes]:
    """Header extension elements by id (RFC 8285, one-byte and two-byte forms); stops at the first fault."""
    found: dict[int, bytes] = {}
    position = 0
    if profile == 0xBEDE:
        while position < len(extension):
            first = extension[position]
            if first == 0:
                position += 1
                continue
            identity, length = first >> 4, (first & 0x0F) + 1
            if identity == 15 or position + 1 + length > len(extension):
                break
            found[identity] = extension[position + 1 : position + 1 + length]
            position += 1 + length
    elif profile & 0xFFF0 == 0x1000:
        while position + 1 < len(extension):
            identity, length = extension[position], extension[position + 1]
            if identity == 0:
                position += 1
                continue
            if position + 2 + length > len(extension):
                break
            found[identity] = extension[position + 2 : position + 2 + length]
            position += 2 + length
    return found


def unwrap(sequence: int, reference: int) -> int:
    """The extended number nearest to `reference` whose low 16 bits are `sequence`. May be negative near zero."""
    return reference + ((sequence - reference + 0x8000) & 0xFFFF) - 0x8000


def signed(ticks: int) -> int:
    """The difference of two 32-bit timestamps as a number around zero."""
    return ((ticks + 0x80000000) & 0xFFFFFFFF) - 0x80000000
