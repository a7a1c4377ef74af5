"""What the relay tells a sender about its packets: loss, jitter, missing numbers, arrivals. Pure; time is given."""

from __future__ import annotations

from livecommerce.media.wire import rtcp, rtp

# Missing numbers remembered: two seconds of a stream at 2.5 Mbit/s. Beyond it a keyframe is the better repair.
MISSING_MAX = 512
# A number is asked for again every 40 ms (rising to 100), ten times at most: then the second is over.
ASK_AGAIN_SECONDS = 0.04
ASKS_MAX = 10
# Between two feedback packets some 20 arrive; this bounds a flood.
ARRIVALS_MAX = 2_000


class Reception:
    """Receiver statistics of one SSRC (RFC 3550 appendix A) and what to ask for again."""

    def __init__(self, ssrc: int, clock: int) -> None:
        self.ssrc = ssrc
        self.clock = clock
        self.received = 0
        self.octets = 0
        self.heard_at = float("-inf")
        self.repaired = 0
        self.abandoned = 0
        self.fraction_lost = 0.0
        self.round_trip_seconds: float | None = None
        self._first: int | None = None
        self._highest = 0
        self._jitter = 0.0
        self._transit: float | None = None
        self._expected_before = self._received_before = 0
        self._missing: dict[int, tuple[int, float]] = {}
        self._report: tuple[int, float] | None = None

    def note(self, sequence: int, timestamp: int, octets: int, now: float) -> None:
        """One packet arrived."""
        self.octets += octets
        self.heard_at = now
        if self._first is None:
            self._first = self._highest = sequence + 0x10000
        number = rtp.unwrap(sequence, self._highest)
        if abs(number - self._highest) > 3_000:  # a restarted sender: RFC 3550 appendix A.1
            self._first = self._highest = number = sequence + 0x10000
            self.received = self._received_before = self._expected_before = 0
            self._missing.clear()
        self.received += 1
        if number > self._highest:
            for lost in range(max(self._highest + 1, number - MISSING_MAX), number):
                self._missing[lost] = (0, now)
            self._highest = number
        elif (asked := self._missing.pop(number, None)) is not None and asked[0]:
            self.repaired += 1
            if asked[0] == 1:
                self.round_trip_seconds = now - asked[1]
        while len(self._missing) > MISSING_MAX:
            del self._missing[next(iter(self._missing))]
            self.abandoned += 1
        transit = now * self.clock - timestamp
        if self._transit is not None and abs(transit - self._transit) < self.clock * 10:
            self._jitter += (abs(transit - self._transit) - self._jitter) / 16
        self._transit = transit

    def wanted(self, now: float) -> list[int]:
        """Numbers (16 bits, rising) to put into a NACK now."""
        asking: list[int] = []
        for number, (asks, at) in list(self._missing.items()):
            if asks >= ASKS_MAX:
                del self._missing[number]
                self.abandoned += 1
            elif asks == 0 or now - at >= min(0.1, ASK_AGAIN_SECONDS * asks):
                self._missing[number] = (asks + 1, now)
                asking.append(number & 0xFFFF)
            if len(asking) >= rtcp.NACK_NUMBERS_MAX:
                break
        return asking

    def note_report(self, ntp: int, now: float) -> None:
        """The sender's report arrived: its round trip is computed from our answer."""
        self._report = (ntp >> 16 & 0xFFFFFFFF, now)

    def block(self, now: float) -> rtcp.ReportBlock | None:
        """The next report block; None before the first packet."""
        if self._first is None:
            return None
        expected = self._highest - self._first + 1
        expected_interval = expected - self._expected_before
        lost_interval = expected_interval - (self.received - self._received_before)
        self._expected_before, self._received_before = expected, self.received
        fraction = max(0, lost_interval) / expected_interval if expected_interval > 0 else 0.0
        self.fraction_lost = min(1.0, fraction)
        last, delay = (self._report[0], round((now - self._report[1]) * 65_536)) if self._report else (0, 0)
        return rtcp.ReportBlock(
            self.ssrc,
            min(255, int(self.fraction_lost * 256)),
            expected - self.received,
            self._highest & 0xFFFFFFFF,
            int(self._jitter),
            last,
            min(delay, 0xFFFFFFFF),
        )

    @property
    def missing_count(self) -> int:
        return len(self._missing)


class ArrivalLog:
    """Arrival times by transport-wide number, for transport-cc feedback."""

    def __init__(self) -> None:
        self._arrivals: dict[int, int] = {}
        self._highest: int | None = None
        self._next: int | None = None
        self._count = 0

    def note(self, sequence: int, now: float) -> None:
        number = sequence + 0x10000 if self._highest is None else rtp.unwrap(sequence, self._highest)
        if self._next is None:
            self._next = number
        if number < self._next or number in self._arrivals or len(self._arrivals) >= ARRIVALS_MAX:
            return
        self._arrivals[number] = int(now * 1_000_000)
        self._highest = number if self._highest is None else max(self._highest, number)

    def feedback(self, sender_ssrc: int, media_ssrc: int) -> list[bytes]:
        """Feedback packets for everything noted since the last call; each number is reported once."""
        packets: list[bytes] = []
        while self._arrivals and self._next is not None and self._highest is not None:
            first = min(self._arrivals)
            last = min(self._highest, first + rtcp.FEEDBACK_PACKETS_MAX - 1)
            arrivals = [self._arrivals.pop(number, None) for number in range(first, last + 1)]
            packets.append(rtcp.transport_feedback(sender_ssrc, media_ssrc, first, arrivals, self._count))
            self._count += 1
            self._next = last + 1
        return packets


class RateLimit:
    """The receiver's estimate for senders without transport-cc (REMB): loss-based steps, once a second.

    More than 10 % loss takes a fifth away, less than 2 % adds 8 %: the thresholds of Google's congestion control.
    """

    def __init__(self, bitrate_max_kbps: int) -> None:
        self._limit = bitrate_max_kbps * 1_000
        self.bits_per_second = self._limit

    def step(self, fraction_lost: float) -> int:
        if fraction_lost > 0.10:
            self.bits_per_second = max(150_000, round(self.bits_per_second * 0.8))
        elif fraction_lost < 0.02:
            self.bits_per_second = min(self._limit, round(self.bits_per_second * 1.08))
        return self.bits_per_second
