"""H.264 in RTP (RFC 6184): where viewers can enter, and how large the picture is. Pure, no decoding."""

from __future__ import annotations

import struct
from dataclasses import dataclass

# nal_unit_type (ITU-T H.264 table 7-1); those from 24 on are RTP's own (RFC 6184 section 5.2).
IDR, SUPPLEMENTAL, SEQUENCE_PARAMETERS, PICTURE_PARAMETERS = 5, 6, 7, 8
_STAP_A, _FU_A = 24, 28
# What a payload may hold for who wants to enter, as bits: see `landmarks`.
STARTS_IDR, HAS_SEQUENCE, HAS_PICTURE, HAS_RECOVERY = 1, 2, 4, 8
HAS_SETS = HAS_SEQUENCE | HAS_PICTURE
_MARKS = {IDR: STARTS_IDR, SEQUENCE_PARAMETERS: HAS_SEQUENCE, PICTURE_PARAMETERS: HAS_PICTURE}
# payloadType of a recovery point (ITU-T H.264 section D.1.8): an encoder that renews its picture without IDR.
_RECOVERY_POINT = 6
# An aggregation packet of 1,400 bytes cannot hold more useful units than this.
UNITS_MAX = 64


def units(payload: bytes) -> list[tuple[int, bytes]]:
    """(type, unit) of every NAL unit that starts in this payload. A fragment gives its first piece, header rebuilt."""
    if not payload:
        return []
    kind = payload[0] & 0x1F
    if 1 <= kind <= 23:
        return [(kind, payload)]
    if kind == _FU_A and len(payload) > 2:
        if not payload[1] & 0x80:
            return []
        inner = payload[1] & 0x1F
        return [(inner, bytes((payload[0] & 0xE0 | inner,)) + payload[2:])]
    found: list[tuple[int, bytes]] = []
    if kind == _STAP_A:
        position = 1
        while position + 2 < len(payload) and len(found) < UNITS_MAX:
            (length,) = struct.unpack_from("!H", payload, position)
            unit = payload[position + 2 : position + 2 + length]
            if not unit or len(unit) != length:
                break
            found.append((unit[0] & 0x1F, unit))
            position += 2 + length
    return found


def _mark(kind: int, second: int) -> int:
    if kind == SUPPLEMENTAL:
        return HAS_RECOVERY if second == _RECOVERY_POINT else 0
    return _MARKS.get(kind, 0)


def landmarks(payload: bytes) -> int:
    """What of a key picture begins in the payload: the first slice of an IDR, parameter sets, a recovery point (SEI).

    Bits; 0 for nearly all packets, without an allocation: it is asked for each packet of a host.
    """
    if len(payload) < 2:
        return 0
    kind = payload[0] & 0x1F
    if kind == _FU_A:
        return STARTS_IDR if payload[1] & 0x9F == 0x80 | IDR else 0
    if kind != _STAP_A:
        return _mark(kind, payload[1])
    found = 0
    for inner, unit in units(payload):
        found |= _mark(inner, unit[1] if len(unit) > 1 else 0)
    return found


class Bits:
    """Exp-Golomb reader over an RBSP (emulation bytes removed). Reads past the end raise ValueError."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = len(data) * 8

    def take(self, count: int) -> int:
        if count > self._left:
            raise ValueError("parameter set ends early")
        self._left -= count
        return self._value >> self._left & (1 << count) - 1

    def unsigned(self) -> int:
        zeros = 0
        while self.take(1) == 0:
            zeros += 1
            if zeros > 31:
                raise ValueError("exp-golomb code is too long")
        return (1 << zeros) - 1 + (self.take(zeros) if zeros else 0)

    def signed(self) -> int:
        code = self.unsigned()
        return (code + 1) // 2 if code & 1 else -(code // 2)


@dataclass(frozen=True, slots=True)
class Picture:
    """What a sequence parameter set says. Sizes in pixels after cropping."""

    width: int
    height: int
    profile: int
    constraints: int
    level: int

    @property
    def is_baseline(self) -> bool:
        """Baseline (66), which every browser decodes."""
        return self.profile == 66


# Those whose parameter set tells chroma, bit depths and scaling lists (section 7.3.2.1.1).
_HIGH_PROFILES = (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)


def _skip_scaling_lists(bits: Bits, chroma: int) -> None:
    for index in range(8 if chroma != 3 else 12):
        if not bits.take(1):
            continue
        last = following = 8
        for _ in range(16 if index < 6 else 64):
            if following:
                following = (last + bits.signed() + 256) % 256
            last = following or last


def parse_sequence_parameters(unit: bytes) -> Picture | None:
    """Picture size and profile of an SPS (ITU-T H.264 section 7.3.2.1.1), or None where it is damaged."""
    if len(unit) < 5 or unit[0] & 0x1F != SEQUENCE_PARAMETERS:
        return None
    bits = Bits(unit[1:256].replace(b"\0\0\3", b"\0\0"))
    try:
        profile, constraints, level = bits.take(8), bits.take(8), bits.take(8)
        bits.unsigned()
        chroma = 1
        if profile in _HIGH_PROFILES:
            chroma = bits.unsigned()
            if chroma == 3:
                bits.take(1)
            bits.unsigned()
            bits.unsigned()
            bits.take(1)
            if bits.take(1):
                _skip_scaling_lists(bits, chroma)
        bits.unsigned()
        order = bits.unsigned()
        if order == 0:
            bits.unsigned()
        elif order == 1:
            bits.take(1)
            bits.signed()
            bits.signed()
            for _ in range(min(bits.unsigned(), 255)):
                bits.signed()
        bits.unsigned()
        bits.take(1)
        width = (bits.unsigned() + 1) * 16
        map_units = bits.unsigned() + 1
        frames_only = bits.take(1)
        height = (2 - frames_only) * map_units * 16
        if not frames_only:
            bits.take(1)
        bits.take(1)
        if bits.take(1):
            left, right, top, bottom = (bits.unsigned() for _ in range(4))
            unit_x = 1 if chroma in (0, 3) else 2
            unit_y = (2 if chroma == 1 else 1) * (2 - frames_only)
            width -= (left + right) * unit_x
            height -= (top + bottom) * unit_y
    except ValueError:
        return None
    if not 0 < width <= 16384 or not 0 < height <= 16384:
        return None
    return Picture(width, height, profile, constraints, level)
