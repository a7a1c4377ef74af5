"""The canonical track: whatever hosts come and go, viewers see one SSRC with continuous numbers and timestamps.

A host packet is mapped once (number, timestamp, padding) and kept in a ring. From then on its bytes never change:
one extended number stands for one plaintext for ever, which is what makes answering a NACK safe under AES-GCM.
Pure: time comes in as an argument (seconds, monotonic).
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterator, Sequence

from livecommerce.media.tracks.source_clock import SourceClock
from livecommerce.media.tracks.time_base import TimeBase
from livecommerce.media.wire import h264, rtp
from livecommerce.media.wire.parameter_sets import KeptSets
from livecommerce.media.wire.rtp import signed

# 13 s of 720p at 1.4 Mbit/s: more than any NACK asks for, and a GOP of two seconds several times over.
RING_PACKETS = 2_048
# A second of 2.5 Mbit/s: with B-frames every second picture goes back, and one odd time is not yet an order.
REORDER_PACKETS, REORDERS_LEAST = 256, 3
# RFC 3550 appendix A.1 (MAX_DROPOUT): a larger jump is a restarted sender, not loss.
JUMP_MAX = 3_000
# Numbers left free below the first packet a track ever gets, for those it overtook: a first keyframe at 7 Mbit/s (a
# browser probes the line with it) sends about 70 packets within 100 ms. Nobody watches yet, so the gap costs nothing.
OVERTAKEN_MAX = 256
# Two sizes that took turns so often in so short a time are two streams, whatever the name they come under.
SIZES_MIXED, MIXED_SECONDS = 6, 15.0
# GSO wants equal segments; padding a packet by up to this much is cheaper than another system call.
PADDING_MAX = 64
# 64 segments is the kernel's limit; 32 of 1,200 bytes stay well below its 64 KiB.
RUN_PACKETS_MAX = 32
# A viewer starts with at least this many packets before its number wraps; more than the ring can replay.
WRAP_MARGIN = 4_000
HALF_CYCLE = 0x8000
# More than ever waits: frames are flushed in portions of 32 packets.
PENDING_ALL = RING_PACKETS
# What abs-send-time adds to a header.
EXTENSION_BYTES = 8
_PLAIN_HEADER = struct.Struct("!BBHII")
_TIMED_HEADER = struct.Struct("!BBHIIII")


class CanonicalPacket:
    """One packet as all viewers get it, apart from payload type and number phase.

    Attributes:
        number: extended sequence number; only ever grows over the life of the track.
        body: payload with any padding; final once `is_final`.
        send_time: seconds of sending as 6.18 bit fixed point (abs-send-time); the same for every viewer and repair.
        marks: what of a key picture begins here (`h264.landmarks`).
        is_after_jump: the first one after its sender's clock was set anew.
    """

    __slots__ = (
        "body",
        "is_after_jump",
        "is_final",
        "is_padded",
        "marker",
        "marks",
        "number",
        "send_time",
        "timestamp",
    )

    def __init__(self, number: int, timestamp: int, marker: bool, body: bytes, marks: int = 0) -> None:
        self.number = number
        self.timestamp = timestamp
        self.marker = marker
        self.body = body
        self.is_padded = False
        self.is_final = False
        self.send_time = 0
        self.marks = marks
        self.is_after_jump = False

    def header(self, payload_type: int, phase: int, ssrc: int, send_time_id: int = 0, *, time_shift: int = 0) -> bytes:
        """The RTP header for viewers of this payload type, phase (added to the number) and time shift (likewise).

        12 bytes, or 20 with abs-send-time in a one-byte header extension (RFC 8285 section 4.2) where its id is not 0.
        """
        marked = payload_type | 0x80 if self.marker else payload_type
        first = 0xA0 if self.is_padded else 0x80
        sequence, timestamp = self.number + phase & 0xFFFF, self.timestamp + time_shift & 0xFFFFFFFF
        if not send_time_id:
            return _PLAIN_HEADER.pack(first, marked, sequence, timestamp, ssrc)
        element = (send_time_id << 4 | 2) << 24 | self.send_time
        return _TIMED_HEADER.pack(first | 0x10, marked, sequence, timestamp, ssrc, 0xBEDE0001, element)

    def pad(self, length: int) -> None:
        """Makes the body `length` bytes long (RFC 3550 section 5.1: the last byte counts the padding)."""
        missing = length - len(self.body)
        if missing > 0:
            self.body += bytes(missing - 1) + bytes((missing,))
            self.is_padded = True


def runs(packets: Sequence[CanonicalPacket]) -> Iterator[list[CanonicalPacket]]:
    """Splits final packets so that each run is one GSO send: equal sizes, only the last may be shorter."""
    run: list[CanonicalPacket] = []
    for packet in packets:
        if run and (
            len(packet.body) > len(run[0].body) or len(run[-1].body) != len(run[0].body) or len(run) >= RUN_PACKETS_MAX
        ):
            yield run
            run = []
        run.append(packet)
    if run:
        yield run


def equalise(packets: Sequence[CanonicalPacket]) -> None:
    """Pads packets of one burst so that `runs` gives few runs. Afterwards they are final.

    Browsers split a frame into nearly equal packets; encoders that cut at 1,200 bytes already fit.
    """
    start = 0
    while start < len(packets):
        low = high = len(packets[start].body)
        end = start + 1
        while end < len(packets):
            size = len(packets[end].body)
            if max(high, size) - min(low, size) > PADDING_MAX:
                break
            low, high = min(low, size), max(high, size)
            end += 1
        is_tail_shorter = end < len(packets) and len(packets[end].body) < low
        for packet in packets[start : end if is_tail_shorter else end - 1]:
            packet.pad(high)
        start = end + 1 if is_tail_shorter else end
    for packet in packets:
        packet.is_final = True


class Track:
    """One kind of media of one show, or one layer of its picture.

    Attributes:
        base: the timestamp line shared with other layers; of its own where there are none.
        highest: extended number of the newest packet mapped.
        head: extended number of the newest final packet; what is above it has been sent to nobody.
        keyframe_start: number of the first packet of the newest access unit viewers can enter at, -1 before any: an
            IDR picture whose parameter sets it has itself, or are kept.
        entry: goes ahead of that picture for who enters there, under the number before it: the kept parameter sets of
            one that lacks them; None for one that has its own.
        sets: the present sender's parameter sets.
        recovery_at: when the sender last told a point from which its picture becomes whole without an IDR.
        jumped_at: when a sender's clock was last set anew.
        mixed_at: when pictures of two sizes last took turns, as those of two encoders under one name do.
        source_at: when the present sender's first packet came; None while none has.
        pictures: how many there were, told by their timestamps (a marker may be missing, or on each slice).
        is_doubted: the sender's reports contradict how its packets arrive (agreement.py) and count no more.
    """

    def __init__(self, kind: str, clock: int) -> None:
        self.kind = kind
        self.clock = clock
        self.ssrc = secrets.randbits(31) + 1
        # Begin in the second cycle, away from a wrap on either side, so that numbers stay positive.
        self.highest = self.head = 0x10000 + secrets.randbelow(0x1000)
        self.keyframe_start = -1
        self.keyframe_at = 0.0
        self.keyframes = 0
        self.entry: CanonicalPacket | None = None
        self.sets = KeptSets()
        self.recovery_at = self.jumped_at = self.mixed_at = float("-inf")
        self._sizes: list[tuple[tuple[int, int], float]] = []
        self.picture: h264.Picture | None = None
        self.is_doubted = False
        self.pictures = self.packet_count = 0
        self.octet_count = 0
        self._ring: list[CanonicalPacket | None] = [None] * RING_PACKETS
        self._pending: list[CanonicalPacket] = []
        self._pending_since: list[float] = []
        self._floor = self.highest
        self._is_rebasing = True
        self._source_highest = 0
        self._number_offset = 0
        self.last_timestamp = 0
        self.last_at: float | None = None
        self.base = TimeBase(clock)
        self.base.tracks.append(self)
        self._source_clock = SourceClock(clock)
        self._first = 0
        # The newest IDR picture nobody can enter at yet: its parameter sets, or what came before it, are on their way.
        self._unsettled: CanonicalPacket | None = None
        self.source_at: float | None = None
        self._suspect = -1
        self._report: tuple[int, int, float] | None = None

    def join(self, other: Track) -> None:
        """Becomes another layer of `other`'s picture: known by the same SSRC, on the same timestamp line."""
        self.ssrc, self.base = other.ssrc, other.base
        self.base.tracks.append(self)

    def begin_source(self, sets: Sequence[bytes] = ()) -> None:
        """The next packet comes from another sender (a host came back): numbers and timestamps continue.

        Args:
            sets: parameter sets that its SDP told.
        """
        self._is_rebasing = True
        self._unsettled = None
        self.sets.begin(sets)
        for unit in sets:  # an encoder that tells them in SDP alone never tells its size in the stream
            self.picture = h264.parse_sequence_parameters(unit) or self.picture
        self.source_at = None
        self._report = None

    def _rebase(self, packet: rtp.RtpPacket, now: float) -> None:
        self._is_rebasing = False
        self.source_at = now
        self._suspect = -1
        self._floor = self.highest
        self._source_highest = packet.sequence
        room = OVERTAKEN_MAX if self.last_at is None else 0
        self._first = self.highest + 1 + room
        self._number_offset = self._first - packet.sequence
        # The first source keeps its own timestamps: a relay that copies another one's stream has the same as that one.
        self._source_clock.begin(packet.timestamp, self.base.place(now, self))
        self._report = None

    def canonical_timestamp(self, timestamp: int) -> int:
        """By the frame's own timestamp, so that all packets of a frame agree, the late ones too."""
        return self._source_clock.canonical(timestamp, self.last_timestamp)

    def _follow(self, source_timestamp: int, timestamp: int, now: float) -> tuple[int, bool]:
        """Of a new frame: its time on the line, and whether its sender's clock was set anew with it.

        A clock that was goes on by the time of arrival, and the last report's wall clock with it.
        """
        step, place = signed(timestamp - self.last_timestamp), None
        if self.last_at is not None and self._source_clock.is_jump(step, now - self.last_at):
            place = self.base.place(now, self)
        if place is not None:
            self._source_clock.jump(source_timestamp, place)
            self.jumped_at = now
            return place & 0xFFFFFFFF, True
        if self._source_clock.correction and step > 0:
            self._source_clock.correct(source_timestamp, step)
            return self.canonical_timestamp(source_timestamp), False
        return timestamp, False

    def take(self, packet: rtp.RtpPacket, now: float) -> CanonicalPacket | None:
        """Maps a host packet into the track; None for duplicates, the too old, and the first of a suspicious jump."""
        if self._is_rebasing:
            self._rebase(packet, now)
        source = rtp.unwrap(packet.sequence, self._source_highest)
        if abs(source - self._source_highest) > JUMP_MAX:
            # Two packets in a row agree on the new place: the sender restarted (RFC 3550 appendix A.1).
            if self._suspect != packet.sequence:
                self._suspect = packet.sequence + 1 & 0xFFFF
                return None
            self._rebase(packet, now)
            source = packet.sequence
        number = source + self._number_offset
        if number <= self._floor or number <= self.highest - RING_PACKETS:
            return None
        place = number % RING_PACKETS
        known = self._ring[place]
        if known is not None and known.number == number:
            return None
        is_newest, has_jumped = number > self.highest, False
        timestamp = self.canonical_timestamp(packet.timestamp)
        if is_newest and timestamp != self.last_timestamp:
            self.pictures += 1
            if self._floor != self.highest:
                timestamp, has_jumped = self._follow(packet.timestamp, timestamp, now)
        marks = h264.landmarks(packet.payload) if self.kind == "video" else 0
        canonical = CanonicalPacket(number, timestamp, packet.marker, packet.payload, marks)
        canonical.is_after_jump = has_jumped
        if not packet.payload:  # a probe: one byte of padding keeps the numbers continuous
            canonical.pad(1)
        self._ring[place] = canonical
        self._source_highest = max(self._source_highest, source)
        self._first = min(self._first, number)
        if is_newest:
            self.highest = number
            self.last_timestamp, self.last_at = canonical.timestamp, now
        if marks or not is_newest:
            self._look_for_entry(canonical, now)
        self.packet_count += 1
        self.octet_count += len(packet.payload)
        self._pending.append(canonical)
        self._pending_since.append(now)
        return canonical

    def is_reordered(self) -> bool:
        """Whether times of the newest packets go back and forth: pictures that refer to later ones (B-frames).

        A repaired packet has its own place in the ring, so only an encoder makes later numbers carry earlier times.
        """
        back, before = 0, None
        for number in range(self.head - REORDER_PACKETS, self.head + 1):
            packet = self._ring[number % RING_PACKETS]
            if packet is None or packet.number != number:
                continue
            if before is not None and signed(packet.timestamp - before) < 0:
                back += 1
            before = packet.timestamp
        return back >= REORDERS_LEAST

    def _look_for_entry(self, packet: CanonicalPacket, now: float) -> None:
        """A packet that tells of a key picture, or one that is late: maybe viewers can enter by it."""
        if packet.marks & h264.HAS_SETS:
            for kind, unit in h264.units(packet.body):
                self.sets.keep(unit, packet.number)
                if kind == h264.SEQUENCE_PARAMETERS:
                    self._note_size(h264.parse_sequence_parameters(unit), now)
        if packet.marks & h264.HAS_RECOVERY:
            self.recovery_at = now
        begun = self._held(self.keyframe_start)
        if begun is not None and packet.timestamp == begun.timestamp:
            if packet.number < self.keyframe_start:  # its first packet was overtaken
                self.keyframe_start = self._picture_start(begun)
                own = self._own_sets(self.keyframe_start)
                self.entry = None if own == h264.HAS_SETS else self._entry_before(self.keyframe_start, now)
            return
        waiting = self._unsettled
        if packet.marks & h264.STARTS_IDR and packet.number > self.keyframe_start:
            if waiting is not None and packet.timestamp == waiting.timestamp and packet.number > waiting.number:
                return  # one more slice of a picture that waits for something else
            if waiting is None or packet.number > waiting.number or packet.timestamp == waiting.timestamp:
                self._unsettled = waiting = packet
        if waiting is not None:
            self._settle(waiting, now)

    def _note_size(self, picture: h264.Picture | None, now: float) -> None:
        """Browsers change the size with their line, to one side and seldom back; never to and fro within seconds."""
        if picture is None:
            return
        self.picture, size = picture, (picture.width, picture.height)
        if self._sizes and self._sizes[-1][0] == size:
            return
        self._sizes = [*self._sizes, (size, now)][-SIZES_MIXED:]
        is_quick = now - self._sizes[0][1] < MIXED_SECONDS
        if len(self._sizes) == SIZES_MIXED and is_quick and len({each for each, _ in self._sizes}) == 2:
            self.mixed_at = now

    def _settle(self, packet: CanonicalPacket, now: float) -> None:
        """Decides on the whole picture that a slice of an IDR is part of. Later ones may be here before its start."""
        start = self._picture_start(packet)
        own, entry = self._own_sets(start), None
        if own != h264.HAS_SETS:
            # What is missing before it may be its own parameter sets, other ones than those that are kept.
            if not own and start > self._first and self._held(start - 1) is None:
                return
            entry = self._entry_before(start, now)
            if entry is None and not own & h264.HAS_SEQUENCE:
                return
        self._unsettled = None
        self.keyframe_start, self.keyframe_at, self.entry = start, now, entry
        self.keyframes += 1

    def _held(self, number: int) -> CanonicalPacket | None:
        found = self._ring[number % RING_PACKETS]
        return found if found is not None and found.number == number else None

    def _picture_start(self, packet: CanonicalPacket) -> int:
        """Number of the first packet of the picture, as far as it is here without a gap."""
        start = packet.number
        for number in range(start - 1, max(self._floor, start - RING_PACKETS), -1):
            earlier = self._held(number)
            if earlier is None or earlier.timestamp != packet.timestamp:
                break
            start = number
        return start

    def _own_sets(self, start: int) -> int:
        """Which parameter sets the key picture that begins here has before its first slice: bits of `HAS_SETS`."""
        first, found = self._held(start), 0
        for number in range(start, self.highest + 1):
            packet = self._held(number)
            if packet is None or first is None or packet.timestamp != first.timestamp:
                break
            found |= packet.marks
            if found & h264.STARTS_IDR:
                break
        return found & h264.HAS_SETS

    def _entry_before(self, start: int, now: float) -> CanonicalPacket | None:
        """The kept parameter sets as a packet ahead of the picture that begins here; None where they are not known."""
        first, body = self._held(start), self.sets.aggregate()
        if first is None or not body:
            return None
        entry = CanonicalPacket(start - 1, first.timestamp, False, body)
        entry.is_final, entry.send_time = True, _send_time(now)
        return entry

    @property
    def lacks_sets(self) -> bool:
        """True where the newest IDR picture cannot be entered for want of parameter sets."""
        return self._unsettled is not None and not self.sets.aggregate()

    @property
    def is_renewed(self) -> bool:
        """True where recovery points come, and no IDR picture after them (intra refresh): browsers begin at an IDR."""
        return self.recovery_at > self.keyframe_at

    def lacks_keyframe(self) -> bool:
        """True while the present sender has sent packets, but no picture that viewers can enter at."""
        return self.source_at is not None and (self.keyframe_start < 0 or self.keyframe_at < self.source_at)

    @property
    def pending_count(self) -> int:
        return len(self._pending)

    @property
    def oldest_pending(self) -> tuple[CanonicalPacket, float] | None:
        """The lowest number that waits to be flushed, and since when one waits; None where nothing does."""
        if not self._pending:
            return None
        return min(self._pending, key=lambda packet: packet.number), self._pending_since[0]

    def flush(self, now: float, most: int = PENDING_ALL) -> list[CanonicalPacket]:
        """Finalises the oldest of what was taken since the last flush, in order of number, for sending."""
        if len(self._pending) > 1:
            self._pending.sort(key=lambda packet: packet.number)
        pending, self._pending = self._pending[:most], self._pending[most:]
        del self._pending_since[:most]
        equalise(pending)
        send_time = _send_time(now)
        for packet in pending:
            packet.send_time = send_time
        if pending:
            self.head = max(self.head, pending[-1].number)
        return pending

    def packet(self, number: int) -> CanonicalPacket | None:
        """A final packet by its extended number, while the ring still holds it."""
        found = self._ring[number % RING_PACKETS]
        return found if found is not None and found.number == number and found.is_final else None

    def between(self, first: int, last: int) -> list[CanonicalPacket]:
        """Final packets from `first` to `last` inclusive; gaps are left out."""
        first = max(first, last - RING_PACKETS + 1)
        return [found for number in range(first, last + 1) if (found := self.packet(number)) is not None]

    def has_keyframe(self) -> bool:
        """True while the newest keyframe is still in the ring, with room for the sending to catch up."""
        return self.keyframe_start >= 0 and self.highest - self.keyframe_start < RING_PACKETS - 256

    def note_report(self, ntp: int, timestamp: int, now: float) -> None:
        """A sender report of the present host: wall clock (NTP 64 bit) and its RTP timestamp."""
        if self._is_rebasing:
            return
        canonical = self.canonical_timestamp(timestamp)
        if len(self.base.tracks) > 1:
            self._source_clock.correction = self.base.off(ntp, canonical)
        self._report = (ntp, canonical + self._source_clock.correction & 0xFFFFFFFF, now)

    @property
    def report(self) -> tuple[int, int] | None:
        """(NTP 64 bit, canonical timestamp) of the present host's last sender report; None where none counts."""
        return None if self._report is None or self.is_doubted else self._report[:2]

    def reported_ahead(self) -> float | None:
        """Seconds by which the sender's wall clock, as it reports, is ahead of our monotonic one at arrival."""
        if self._report is None or self.last_at is None:
            return None
        ntp, timestamp, _ = self._report
        return ntp / 0x100000000 + signed(self.last_timestamp - timestamp) / self.clock - self.last_at

    def timestamp_at(self, now: float) -> int | None:
        """The canonical timestamp (32 bit) of what would arrive at `now`; None before any packet."""
        if self.last_at is None:
            return None
        return self.last_timestamp + round((now - self.last_at) * self.clock) & 0xFFFFFFFF

    def clocks(self, now: float, ntp_now: int) -> tuple[int, int] | None:
        """(NTP 64 bit, canonical timestamp) at `now` for a sender report; None before any packet.

        Without a host report that counts, arrival stands for capture: `ntp_now` is our own wall clock.
        """
        if self._report is not None and not self.is_doubted:
            ntp, timestamp, at = self._report
            elapsed = now - at
            return (
                ntp + round(elapsed * 0x100000000) & 0xFFFFFFFFFFFFFFFF,
                timestamp + round(elapsed * self.clock) & 0xFFFFFFFF,
            )
        arriving = self.timestamp_at(now)
        return None if arriving is None else (ntp_now, arriving)


def _send_time(now: float) -> int:
    """Of abs-send-time: seconds as 6.18 bit fixed point."""
    return int(now * 0x40000) & 0xFFFFFF


def phase_for(number: int) -> int:
    """0, or half a cycle where `number` is close to a wrap on either side.

    A viewer who loses every packet before a wrap counts its rollover wrong and never decrypts again (RFC 3711 section
    3.3.1), so none starts near one; and a late packet from before the start must not fall below index 0.
    """
    return 0 if WRAP_MARGIN <= number & 0xFFFF <= 0x10000 - WRAP_MARGIN else HALF_CYCLE
