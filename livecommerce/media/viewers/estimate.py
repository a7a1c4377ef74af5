"""How much one viewer's line carries, in kbit/s: what the viewer says, what arrives and is lost, what probes prove.

- *Told*: the viewer's own estimate by growing queues (REMB). Browsers say at most 1.5 times what they get, raise
  it by 8 % a second, and take a keyframe's burst on a narrow line for a queue: often it is too low.
- *Carried*: what is sent while round trips stay short and no more is lost than a radio loses does fit.
- *Proven*: a probe repeats packets for a second. If the round trip at its end is short, the line carried that much.
- *Limit*: by loss as in Google's congestion control.

Pure: time comes in (seconds, monotonic), and the octets sent so far.
"""

from __future__ import annotations

# Loss as in Google's congestion control (draft-ietf-rmcat-gcc-02 section 6): below, more is tried; above, less is sent.
LOSS_LOW, LOSS_HIGH = 0.02, 0.10
GROWTH = 1.08
LOSS_LIMIT_KBPS_MIN = 100.0
# Beyond what any layer needs a limit by loss is none.
LOSS_LIMIT_KBPS_MAX = 20_000.0
# REMB wanders a little by itself; libwebrtc takes 15 % away when it sees a queue.
FALL = 0.97
# A round trip so much longer than the shortest is a queue; a keyframe's burst makes a single one long.
QUEUE_MS = 100.0
QUEUE_SAMPLES = 2
# The shortest round trip grows by so much a sample (a second), so that another route's is learned in a minute or two.
BASE_GROWTH_MS = 1.0
# A rate counts as carried after so long without high loss or queue, as measured within this time; it is the mean of
# about the last three reports.
CALM_SECONDS = 3.0
RATE_WEIGHT = 0.3
# A rate of a shorter time than this is none.
RATE_SECONDS_MIN = 0.1
# A proven rate that is not used within this time is not known any more.
PROVEN_SECONDS = 12.0
# Long enough to fill the queue of a line that is a tenth too narrow, short enough not to be seen where it is much too.
PROBE_SECONDS = 1.0
# The report that measures the queue at the end of a probe; the answer comes with the viewer's next, within a second.
PROBE_REPORT_SECONDS = 0.3
PROBE_ANSWER_SECONDS = 2.5
# A packet a millisecond at most, whatever is asked for.
PROBE_KBPS_MAX = 8_000.0
# After each failure in a row the next probe waits longer: it disturbs a line that is full already.
PROBE_PAUSES = (5.0, 10.0, 20.0, 40.0, 80.0)


class Probe:
    """One probe: until `ends_at` so much is repeated that `target_kbps` are sent in all.

    Attributes:
        is_sent: all is sent, and the report that measures the queue behind it.
    """

    __slots__ = ("began_at", "ends_at", "is_sent", "octets_before", "target_kbps")

    def __init__(self, target_kbps: float, octets: int, now: float) -> None:
        self.target_kbps = min(target_kbps, PROBE_KBPS_MAX)
        self.octets_before = octets
        self.began_at, self.ends_at = now, now + PROBE_SECONDS
        self.is_sent = False

    def octets_due(self, octets: int, now: float) -> int:
        """How many more octets have to be sent by now, of `octets` sent so far."""
        wanted = self.target_kbps * 125 * (min(now, self.ends_at) - self.began_at)
        return int(wanted) - (octets - self.octets_before)


class Estimate:
    """One viewer's estimate by one way through the network; another way is another line.

    Args:
        octets: of pictures, sent before.

    Attributes:
        kbps: what its line carries; None until something is known.
        queue_kbps: the same without the limit by loss: what fits without a queue.
        probe: the one that is being sent or waits for its answer.
    """

    __slots__ = (
        "_base_ms",
        "_calm_since",
        "_loss",
        "_loss_limit_kbps",
        "_probe_after",
        "_probe_failures",
        "_proven",
        "_queued",
        "_rate_at",
        "_rate_kbps",
        "_rate_octets",
        "_short_at",
        "_told_kbps",
        "kbps",
        "probe",
        "probes",
        "probes_proven",
        "queue_kbps",
    )

    def __init__(self, now: float, octets: int = 0) -> None:
        self.kbps: float | None = None
        self.queue_kbps: float | None = None
        self.probe: Probe | None = None
        self.probes = self.probes_proven = 0
        self._told_kbps: float | None = None
        self._proven: tuple[float, float] | None = None
        self._loss = 0.0
        self._loss_limit_kbps: float | None = None
        self._base_ms: float | None = None
        self._queued = 0
        self._calm_since, self._short_at = now, float("-inf")
        self._rate_kbps, self._rate_octets, self._rate_at = 0.0, octets, now
        self._probe_failures = 0
        self._probe_after = now + PROBE_PAUSES[0]

    def note_told(self, kbps: float, now: float) -> None:
        """The viewer's REMB."""
        before, self._told_kbps = self._told_kbps, kbps
        if before == kbps:
            return
        if before is not None and kbps < before * FALL:
            self._end_probe(now, is_proven=False)
        self._settle(now)

    def note_loss(self, loss: float, octets: int, now: float) -> None:
        """Of the pictures sent since the last call, about a second ago: what the line lost of them, 0..1."""
        sent_kbps = (octets - self._rate_octets) * 0.008 / max(RATE_SECONDS_MIN, now - self._rate_at)
        self._rate_kbps += (sent_kbps - self._rate_kbps) * (RATE_WEIGHT if self._rate_kbps else 1.0)
        self._rate_octets, self._rate_at = octets, now
        self._loss = loss
        limit = self._loss_limit_kbps
        if loss > LOSS_HIGH:
            lower = min(sent_kbps, limit if limit is not None else sent_kbps) * (1 - loss / 2)
            self._loss_limit_kbps = max(LOSS_LIMIT_KBPS_MIN, lower)
            self._proven = None
            self._calm_since = now
            self._end_probe(now, is_proven=False)
        elif loss < LOSS_LOW and limit is not None:
            self._loss_limit_kbps = limit * GROWTH if limit < LOSS_LIMIT_KBPS_MAX else None
        self._settle(now)

    def note_round_trip(self, milliseconds: float, asked_at: float, now: float) -> None:
        """The round trip of our report of `asked_at`, after the loss of the same answer was noted."""
        base = milliseconds if self._base_ms is None else min(milliseconds, self._base_ms + BASE_GROWTH_MS)
        self._base_ms = base
        has_queue = milliseconds > base + QUEUE_MS
        self._queued = self._queued + 1 if has_queue else 0
        if not has_queue:
            self._short_at = now
        elif self._queued >= QUEUE_SAMPLES:
            self._proven = None
            self._calm_since = now
        probe = self.probe
        if probe is not None and 0 <= asked_at - probe.ends_at <= PROBE_REPORT_SECONDS:
            is_proven = not has_queue and self._loss < LOSS_LOW
            if is_proven:
                self._proven = (probe.target_kbps, now)
                self._loss_limit_kbps = None
            self._end_probe(now, is_proven=is_proven)
        self._settle(now)

    def _settle(self, now: float) -> None:
        if self._proven is not None and now - self._proven[1] > PROVEN_SECONDS:
            self._proven = None
        is_calm = now - self._calm_since >= CALM_SECONDS and now - self._short_at <= CALM_SECONDS
        known = [
            self._told_kbps,
            self._rate_kbps if is_calm else None,
            self._proven[0] if self._proven is not None else None,
        ]
        self.queue_kbps = max((each for each in known if each is not None), default=None)
        limits = (self.queue_kbps, self._loss_limit_kbps)
        self.kbps = min((each for each in limits if each is not None), default=None)

    def is_probe_due(self, target_kbps: float, now: float) -> bool:
        """True where a probe of so much may begin: none runs, the last one's pause is over, little is lost.

        A line that has not been measured yet cannot answer, and one that carries as much already need not.
        """
        if self.probe is not None or now < self._probe_after or self._loss >= LOSS_LOW or self._queued:
            return False
        return self._base_ms is not None and self.kbps is not None and self.kbps < target_kbps

    def begin_probe(self, target_kbps: float, octets: int, now: float) -> None:
        """Sending begins now; `is_probe_due` said so."""
        self.probes += 1
        self.probe = Probe(target_kbps, octets, now)

    def give_up_probe(self, now: float) -> None:
        """Once its answer is overdue: the report or the viewer's answer was lost."""
        if self.probe is not None and now > self.probe.ends_at + PROBE_ANSWER_SECONDS:
            self._end_probe(now, is_proven=False)

    def _end_probe(self, now: float, *, is_proven: bool) -> None:
        if self.probe is None:
            return
        self.probe = None
        self._probe_failures = 0 if is_proven else self._probe_failures + 1
        self.probes_proven += is_proven
        self._probe_after = now + PROBE_PAUSES[min(self._probe_failures, len(PROBE_PAUSES) - 1)]
