"""Canonical RTP packets -> whole H.264 access units (RFC 6184) and Opus frames (RFC 7587). Pure: time is an argument.

What leaves this module is decodable: an access unit with a missing packet is dropped, and so is everything after it up
to the next IDR picture. Timestamps leave extended (they never wrap): 90 kHz for video, 48 kHz for audio.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from livecommerce.media.wire.h264 import IDR, PICTURE_PARAMETERS, SEQUENCE_PARAMETERS, SUPPLEMENTAL

# A NACK to the host and its answer take one round trip; 400 ms covers two on a bad mobile link.
VIDEO_WAIT_SECONDS = 0.4
# Audio is rarely repeated; this only covers reordering, and silence fills the rest.
AUDIO_WAIT_SECONDS = 0.12
# 13 s of audio or 3 s of 720p video: what is held behind one hole before the hole is given up.
HELD_PACKETS_MAX = 512
# The largest IDR picture a 4 Mbit/s host makes is about 400 packets; more than this is an attack or a fault.
UNIT_PACKETS_MAX = 2_000
# RFC 6184 section 5.2.
_STAP_A, _FU_A = 24, 28
# nal_unit_type (ITU-T H.264 table 7-1): MP4 samples do without these.
_ACCESS_UNIT_DELIMITER, _END_OF_SEQUENCE, _END_OF_STREAM, _FILLER = 9, 10, 11, 12
_DROPPED_UNITS = (_ACCESS_UNIT_DELIMITER, _END_OF_SEQUENCE, _END_OF_STREAM, _FILLER)
_LAST_UNITS = (*range(1, IDR + 1), _END_OF_SEQUENCE, _END_OF_STREAM, _FILLER)
_OPUS_FRAMES_SAMPLES = (
    *(480, 960, 1920, 2880) * 3,  # SILK: configurations 0 to 11
    *(480, 960) * 2,  # hybrid: 12 to 15
    *(120, 240, 480, 960) * 4,  # CELT: 16 to 31
)
# 120 ms: the longest packet RFC 6716 section 3.4 allows.
_OPUS_SAMPLES_MAX = 5_760


class MediaPacket(NamedTuple):
    """One canonical packet. `number` is extended and continuous over host changes; `payload` is without padding."""

    number: int
    timestamp: int
    marker: bool
    payload: bytes


class ParameterSets(NamedTuple):
    """SPS and PPS units as sent, without start codes. Two pictures with equal sets share a decoder set-up."""

    sequence: tuple[bytes, ...]
    picture: tuple[bytes, ...]


NO_SETS = ParameterSets((), ())


class AccessUnit(NamedTuple):
    """One whole picture.

    Attributes:
        timestamp: extended, 90 kHz.
        units: NAL units in order, without parameter sets and delimiters.
        is_key: an IDR picture; `parameters` are those it needs.
        composition: ticks from `timestamp` to when it is shown; more than 0 where pictures were reordered, and then
            `timestamp` is when it is decoded (decode_order.py).
    """

    timestamp: int
    units: tuple[bytes, ...]
    is_key: bool
    parameters: ParameterSets
    composition: int = 0

    def sample(self, with_parameters: bool = False) -> bytes:
        """The picture as an MP4 sample: each unit behind its length in four bytes (ISO 14496-15 section 5.3.4.2)."""
        units = self.units
        if with_parameters and self.is_key:
            units = (*self.parameters.sequence, *self.parameters.picture, *units)
        return b"".join(part for unit in units for part in (struct.pack("!I", len(unit)), unit))


class OpusFrame(NamedTuple):
    """One Opus packet. `timestamp` is extended, `duration` in samples at 48 kHz."""

    timestamp: int
    data: bytes
    duration: int


def opus_samples(data: bytes) -> int:
    """Samples at 48 kHz in an Opus packet (RFC 6716 section 3.1), 0 where it is malformed."""
    if not data:
        return 0
    code = data[0] & 3
    frames = 1 if code == 0 else 2
    if code == 3:
        if len(data) < 2:
            return 0
        frames = data[1] & 0x3F
    samples = _OPUS_FRAMES_SAMPLES[data[0] >> 3] * frames
    return samples if samples <= _OPUS_SAMPLES_MAX else 0


def extend(timestamp: int, reference: int | None) -> int:
    """The extended timestamp nearest to `reference` whose low 32 bits are `timestamp`."""
    if reference is None:
        return timestamp
    return reference + ((timestamp - reference + 0x80000000) & 0xFFFFFFFF) - 0x80000000


class Reorder:
    """Gives packets in order of number. A hole is waited for, then skipped; the reader sees the jump in `number`."""

    def __init__(self, wait_seconds: float) -> None:
        self._wait_seconds = wait_seconds
        self._next: int | None = None
        self._held: dict[int, MediaPacket] = {}
        self._hole_since: float | None = None
        self.lost_packets = 0

    def push(self, packet: MediaPacket, now: float) -> Iterator[MediaPacket]:
        """Takes one packet and yields those that are in order now."""
        if self._next is None:
            self._next = packet.number
        if packet.number >= self._next:
            self._held.setdefault(packet.number, packet)
        yield from self.due(now)

    @property
    def is_waiting(self) -> bool:
        """Packets wait behind a hole."""
        return bool(self._held)

    def due(self, now: float) -> Iterator[MediaPacket]:
        """Yields what has become ready because a hole was filled, or waited for long enough."""
        while self._held and self._next is not None:
            found = self._held.pop(self._next, None)
            if found is not None:
                self._hole_since = None
                self._next += 1
                yield found
                continue
            if self._hole_since is None:
                self._hole_since = now
            if now - self._hole_since < self._wait_seconds and len(self._held) < HELD_PACKETS_MAX:
                return
            following = min(self._held)
            self.lost_packets += following - self._next
            self._next = following
            self._hole_since = None


def nal_units(payloads: Sequence[bytes]) -> list[bytes] | None:
    """The NAL units in the payloads of one access unit, None where a fragment or an aggregation does not fit."""
    found: list[bytes] = []
    pieces: list[bytes] | None = None
    for payload in payloads:
        if not payload:  # a padding probe
            continue
        kind = payload[0] & 0x1F
        if kind == _FU_A:
            if len(payload) < 3 or bool(payload[1] & 0x80) != (pieces is None):
                return None
            if pieces is None:
                pieces = [bytes((payload[0] & 0xE0 | payload[1] & 0x1F,))]
            pieces.append(payload[2:])
            if payload[1] & 0x40:
                found.append(b"".join(pieces))
                pieces = None
            continue
        if pieces is not None:
            return None
        if 1 <= kind <= 23:
            found.append(payload)
        elif kind == _STAP_A:
            position = 1
            while position < len(payload):
                if position + 2 >= len(payload):
                    return None
                (length,) = struct.unpack_from("!H", payload, position)
                unit = payload[position + 2 : position + 2 + length]
                if not unit or len(unit) != length:
                    return None
                found.append(unit)
                position += 2 + length
        else:
            return None
    return None if pieces is not None else found


T = TypeVar("T")


class _Assembler(Generic[T]):
    """Order and extended timestamps, common to both kinds."""

    def __init__(self, wait_seconds: float) -> None:
        self._reorder = Reorder(wait_seconds)
        self._extended: int | None = None
        self._last_number: int | None = None
        self._pushed_at = 0.0

    @property
    def lost_packets(self) -> int:
        return self._reorder.lost_packets

    def push(self, packet: MediaPacket, now: float) -> list[T]:
        """Takes one packet; gives what became whole by it."""
        self._pushed_at = now
        return self._all(self._reorder.push(packet, now))

    def due(self, now: float) -> list[T]:
        """What became whole because a hole has been waited for long enough; call it when nothing arrives."""
        return self._all(self._reorder.due(now))

    def _all(self, packets: Iterator[MediaPacket]) -> list[T]:
        found: list[T] = []
        for packet in packets:
            is_gap = self._last_number is not None and packet.number != self._last_number + 1
            self._last_number = packet.number
            self._extended = extend(packet.timestamp, self._extended)
            found += self._take(packet, self._extended, is_gap)
        return found

    def _take(self, packet: MediaPacket, timestamp: int, is_gap: bool) -> Sequence[T]:
        raise NotImplementedError


@dataclass
class UnitCounters:
    """`dropped_units` counts pictures thrown away whole: damaged, or depending on a damaged one."""

    units: int = 0
    keys: int = 0
    dropped_units: int = 0


class AccessUnitAssembler(_Assembler[AccessUnit]):
    """A picture ends where another timestamp begins. The marker of its last packet is a hint (RFC 6184 section 5.1)
    that gives it out one picture earlier: encoders exist that set none, or one on each slice or each packet. Markers
    are believed where a picture can end, until one goes on behind its marker; mostly that is seen at the first
    parameter sets, before anything is lost.

    Args:
        known: the sender's parameter sets, for IDR pictures that come without; as far as they are told.

    Attributes: `needs_keyframe` while pictures are dropped because nothing can decode them.
    """

    def __init__(self, known: Callable[[], ParameterSets] = lambda: NO_SETS) -> None:
        super().__init__(VIDEO_WAIT_SECONDS)
        self._known = known
        self.needs_keyframe = True
        self.counters = UnitCounters()
        self._payloads: list[bytes] = []
        self._timestamp: int | None = None
        self._is_damaged = True  # the first packet we get may be the middle of a picture
        self._sequence: tuple[bytes, ...] = ()
        self._picture: tuple[bytes, ...] = ()
        self._is_first = True
        self._is_marked = False  # the newest packet of the picture that comes is
        self._has_marked = False  # the last picture ended with a marker
        self._are_markers_ends = True  # False for good where a picture went on behind one
        self._given: int | None = None  # timestamp of the picture that was given out last without seeing the next one

    def due(self, now: float) -> list[AccessUnit]:
        """What became whole because a hole has been waited for long enough, or because nothing follows."""
        found = super().due(now)
        is_resting = self._payloads and not self._reorder.is_waiting and now - self._pushed_at > VIDEO_WAIT_SECONDS
        # Of who marks ends, a picture without one has not ended: the rest of it is late.
        if is_resting and (self._is_marked or not self._has_marked):
            found += self.flush()
        return found

    def flush(self) -> Sequence[AccessUnit]:
        """The picture that came last, as nothing follows it."""
        self._given = self._timestamp
        return self._end()

    def _take(self, packet: MediaPacket, timestamp: int, is_gap: bool) -> Sequence[AccessUnit]:
        found: Sequence[AccessUnit] = ()
        if is_gap:
            # The hole may hold the end of the last picture, whole ones, and the start of this one.
            self._give_up()
            self._is_damaged = True
        if not packet.payload:  # a padding probe stands between pictures and belongs to none
            return found
        if self._timestamp is not None and timestamp != self._timestamp:
            self._has_marked = False
            found = self._end()
        elif self._is_marked or timestamp == self._given:
            self._disbelieve()
        self._append(packet, timestamp)
        if packet.marker and self._are_markers_ends and _may_end(packet.payload):
            self._given, self._has_marked = timestamp, True
            found = (*found, *self._end())
        return found

    def _append(self, packet: MediaPacket, timestamp: int) -> None:
        is_start = _may_start(packet.payload) or (self._is_first and _may_begin(packet.payload))
        if self._timestamp is None and is_start and timestamp != self._given:
            # Nothing but the beginning of a key picture can follow this hole unharmed.
            self._is_damaged = False
        self._is_first = False
        self._timestamp, self._is_marked = timestamp, packet.marker
        if len(self._payloads) >= UNIT_PACKETS_MAX:
            self._is_damaged = True
        else:
            self._payloads.append(packet.payload)

    def _disbelieve(self) -> None:
        """A marked picture goes on: from now on none of its sender's ends before the next one begins."""
        self._are_markers_ends = False
        if not self._payloads:  # half of this one was given out
            self._is_damaged = True

    def _end(self) -> Sequence[AccessUnit]:
        """The picture that came so far, where it is whole."""
        payloads, timestamp, is_damaged = self._payloads, self._timestamp, self._is_damaged
        self._payloads, self._timestamp, self._is_damaged, self._is_marked = [], None, False, False
        if timestamp is None or not payloads:
            return ()
        whole = self._finish(payloads, timestamp, is_damaged)
        return () if whole is None else (whole,)

    def _give_up(self) -> None:
        if self._payloads:
            self.counters.dropped_units += 1
        self.needs_keyframe = True
        self._payloads, self._timestamp, self._is_marked = [], None, False

    def _finish(self, payloads: list[bytes], timestamp: int, is_damaged: bool) -> AccessUnit | None:
        units = None if is_damaged else nal_units(payloads)
        if units is None:
            self.counters.dropped_units += 1
            self.needs_keyframe = True
            return None
        sequence = tuple(unit for unit in units if unit[0] & 0x1F == SEQUENCE_PARAMETERS)
        picture = tuple(unit for unit in units if unit[0] & 0x1F == PICTURE_PARAMETERS)
        if any(unit[0] & 0x1F == IDR for unit in units) and not (sequence and picture):
            known = self._known()
            sequence, picture = sequence or known.sequence, picture or known.picture
        self._sequence, self._picture = sequence or self._sequence, picture or self._picture
        kept = tuple(
            unit for unit in units if unit[0] & 0x1F not in (SEQUENCE_PARAMETERS, PICTURE_PARAMETERS, *_DROPPED_UNITS)
        )
        if not any(1 <= unit[0] & 0x1F <= IDR for unit in kept):  # parameter sets alone
            return None
        is_key = any(unit[0] & 0x1F == IDR for unit in kept) and bool(self._sequence and self._picture)
        if is_key:
            self.needs_keyframe = False
        if self.needs_keyframe:
            self.counters.dropped_units += 1
            return None
        self.counters.units += 1
        self.counters.keys += is_key
        return AccessUnit(timestamp, kept, is_key, ParameterSets(self._sequence, self._picture))


def _may_start(payload: bytes) -> bool:
    """True where this payload begins with an SPS: browsers and OBS put one in front of each IDR picture."""
    kind = payload[0] & 0x1F
    if kind == _STAP_A:
        return len(payload) > 3 and payload[3] & 0x1F in (_ACCESS_UNIT_DELIMITER, SEQUENCE_PARAMETERS)
    return kind in (_ACCESS_UNIT_DELIMITER, SEQUENCE_PARAMETERS)


def _may_begin(payload: bytes) -> bool:
    """True for what a key picture without parameter sets of its own begins with: a message (SEI) or the first slice.

    A first slice's first_mb_in_slice is 0, one bit (ITU-T H.264 section 7.3.3).
    """
    kind = payload[0] & 0x1F
    if kind == _STAP_A:
        return len(payload) > 3 and _may_begin(payload[3:])
    if kind == SUPPLEMENTAL:
        return True
    if kind == _FU_A:
        return len(payload) > 2 and payload[1] & 0x9F == 0x80 | IDR and payload[2] & 0x80 > 0
    return kind == IDR and len(payload) > 1 and payload[1] & 0x80 > 0


def _may_end(payload: bytes) -> bool:
    """True where a picture can end with this payload: with a whole slice, or filling and signs of an end behind it."""
    kind = payload[0] & 0x1F
    if kind == _FU_A:
        return len(payload) > 2 and payload[1] & 0x40 > 0 and payload[1] & 0x1F in _LAST_UNITS
    if kind == _STAP_A:
        return any(unit[0] & 0x1F in _LAST_UNITS for unit in nal_units((payload,)) or ())
    return kind in _LAST_UNITS


class OpusAssembler(_Assembler[OpusFrame]):
    """One packet is one frame; malformed ones are dropped."""

    def __init__(self) -> None:
        super().__init__(AUDIO_WAIT_SECONDS)

    def _take(self, packet: MediaPacket, timestamp: int, is_gap: bool) -> Sequence[OpusFrame]:
        duration = opus_samples(packet.payload)
        return (OpusFrame(timestamp, packet.payload, duration),) if duration else ()
