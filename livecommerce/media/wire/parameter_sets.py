"""The H.264 parameter sets of one sender: kept, so that who enters late gets them though they were told once. Pure.

Encoders tell them with each IDR picture (browsers, OBS), with the first one alone, or in SDP alone
(`sprop-parameter-sets`, RFC 6184 section 8.1).
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Iterable

from livecommerce.media.wire.h264 import PICTURE_PARAMETERS, SEQUENCE_PARAMETERS, Bits

# x264's with all scaling lists have about 300 bytes.
UNIT_BYTES_MAX = 500
# One packet, as all others have to be: 1,200 bytes are what every way carries.
AGGREGATE_BYTES_MAX = 1_100
# Encoders use one of each, some two; by the standard there may be 32 and 256.
KEPT_MAX = 4
_STAP_A = 24


def _identity(unit: bytes) -> int | None:
    """seq_parameter_set_id or pic_parameter_set_id (ITU-T H.264 sections 7.3.2.1.1 and 7.3.2.2)."""
    try:
        bits = Bits(unit[1:64].replace(b"\0\0\3", b"\0\0"))
        if unit[0] & 0x1F == SEQUENCE_PARAMETERS:
            bits.take(24)  # profile, constraints, level
        return bits.unsigned()
    except ValueError:
        return None


def _sequence_of(unit: bytes) -> int | None:
    """Which SPS a PPS stands on."""
    try:
        bits = Bits(unit[1:64].replace(b"\0\0\3", b"\0\0"))
        bits.unsigned()
        return bits.unsigned()
    except ValueError:
        return None


def parse_sprop(text: str) -> tuple[bytes, ...]:
    """The sets of an `sprop-parameter-sets` value; what is no base64 or no parameter set is left out."""
    found = []
    for word in text.split(",")[: 2 * KEPT_MAX]:
        try:
            # Some encoders leave the filling out, some write the value in quotes.
            bare = word.strip(' "').rstrip("=")
            unit = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
        except (binascii.Error, ValueError):
            continue
        if unit and len(unit) <= UNIT_BYTES_MAX and unit[0] & 0x1F in (SEQUENCE_PARAMETERS, PICTURE_PARAMETERS):
            found.append(unit)
    return tuple(found)


class KeptSets:
    """The newest of each id. A packet that comes late never takes the place of a newer one's."""

    def __init__(self) -> None:
        self._kept: dict[int, dict[int, tuple[int, bytes]]] = {SEQUENCE_PARAMETERS: {}, PICTURE_PARAMETERS: {}}

    def begin(self, units: Iterable[bytes] = ()) -> None:
        """Another sender, with what its SDP tells."""
        for kept in self._kept.values():
            kept.clear()
        for unit in units:
            self.keep(unit, -1)

    def keep(self, unit: bytes, number: int) -> None:
        """A set out of the packet of this number; anything else is passed over."""
        kept = self._kept.get(unit[0] & 0x1F) if unit else None
        identity = None if kept is None or len(unit) > UNIT_BYTES_MAX else _identity(unit)
        if kept is None or identity is None or kept.get(identity, (-1, b""))[0] > number:
            return
        kept[identity] = number, unit
        if len(kept) > KEPT_MAX:
            del kept[min(kept, key=lambda each: kept[each][0])]

    @property
    def sequence(self) -> tuple[bytes, ...]:
        return tuple(unit for _, (_, unit) in sorted(self._kept[SEQUENCE_PARAMETERS].items()))

    @property
    def picture(self) -> tuple[bytes, ...]:
        """Those whose SPS is known."""
        known = self._kept[SEQUENCE_PARAMETERS]
        return tuple(
            unit for _, (_, unit) in sorted(self._kept[PICTURE_PARAMETERS].items()) if _sequence_of(unit) in known
        )

    def aggregate(self) -> bytes:
        """All of them as one payload (STAP-A, RFC 6184 section 5.7.1); empty where they are incomplete, or too long."""
        sequence, picture = self.sequence, self.picture
        units = (*sequence, *picture)
        body = b"".join(struct.pack("!H", len(unit)) + unit for unit in units)
        if not picture or len(body) > AGGREGATE_BYTES_MAX:
            return b""
        return bytes((max(unit[0] & 0x60 for unit in units) | _STAP_A,)) + body
