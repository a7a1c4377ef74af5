"""Which layer of the picture a viewer gets: by its line, by what its page shows, and sound alone below the lowest.

Pure: figures and the time come in, a layer or sound alone goes out. A viewer begins at the top. A step down is quick, a
step up waits, and after each step up that failed it waits longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

# What is lost or asked for again, as a share of what was sent. A line that drops every third packet comes to a half
# and still shows pictures; one that drops every second comes to one and shows none, and repairs only fill it further.
HOPELESS_LOSS = 0.6
# A line that only mixes up the order asks for nearly as much and shows every picture. Where nearly each packet is asked
# for, nothing else is looked at. Below that the viewer's own word is needed: packets missing after the repairs too, or
# asks for keyframes, which browsers repeat once a second or more often. Where repairs go by RTX the viewer counts what
# the line lost, and order plays no part.
HOPELESS_LOSS_ALONE, HOPELESS_LOSS_COUNTED = 0.9, 0.75
UNREPAIRED_LOSS = 0.2
BLIND_SECONDS = 2.5
HOPELESS_REPORTS = 4
# Radio loses one in ten and repairs heal it; more is a line that is too narrow.
CROWDED_LOSS = 0.15
CROWDED_REPORTS = 2
# After a change the first reports still speak of what was before it, and a full queue has to drain.
SETTLE_SECONDS = 4.0
# How long after a change the next step up is tried, by how many steps down there were: where the estimate says that it
# fits, and where nothing is known but that the line has no loss.
SURE_SECONDS = (3.0, 6.0, 12.0, 30.0)
TRIAL_SECONDS = (8.0, 16.0, 32.0, 60.0)
# After so long without a step down its history is forgotten.
STEADY_SECONDS = 60.0
# A layer is gone up to where the estimate leaves so much room, and left where its rate is so much above it: rates wave.
ROOM_UP, ROOM_DOWN = 1.25, 1.1
# Estimates start low and wave: so many in a row must say the same. They choose between layers; what takes the picture
# away is loss, because an estimate by growing queues is far too low on a line that mixes up the order.
NARROW_ESTIMATES = 3
# A layer slightly smaller than the page's picture is as good to the eye.
CLOSE_ENOUGH = 0.9


class Rung(NamedTuple):
    """A layer as the ladder sees it. `kbps` is measured; `height` in pixels."""

    name: str
    height: int
    kbps: float


class Report(NamedTuple):
    """What a viewer's report says of about the last second.

    Attributes:
        lost: share of the packets that it misses, 0..1.
        needed: how many times more had to be sent than once: those asked for again and the missing ones.
        is_counted: repairs came by RTX, so that `lost` is what the line lost, repaired or not.
        keyframe_asked_at: when the viewer last asked for one.
    """

    lost: float
    needed: float
    is_counted: bool
    keyframe_asked_at: float


class Line(NamedTuple):
    """What is known of a line: `estimate_kbps` of pictures, None for nothing; whether more can be proven by probes."""

    estimate_kbps: float | None
    can_probe: bool = False


class Ladder:
    """One viewer's place.

    Attributes:
        height_max: the largest picture its page shows, in pixels; None where it has not said, 0 for none at all.
        name_max: the layer it chose itself, as the most it may get; empty for none.
        has_sound: sound alone is possible.
    """

    __slots__ = (
        "_changed_at",
        "_crowded",
        "_downs",
        "_estimates_from",
        "_hopeless",
        "_is_without_picture",
        "_limit",
        "_narrow",
        "_settled_at",
        "has_sound",
        "height_max",
        "name_max",
    )

    def __init__(self, now: float, *, has_sound: bool) -> None:
        self.height_max: int | None = None
        self.name_max = ""
        self.has_sound = has_sound
        self._limit: Rung | None = None  # what the line carries; None: anything
        self._is_without_picture = False  # it does not even carry the lowest
        self._downs = self._hopeless = self._crowded = self._narrow = 0
        self._changed_at = float("-inf")
        self._settled_at = float("-inf")
        self._estimates_from = now + SETTLE_SECONDS

    @property
    def is_free(self) -> bool:
        """Neither the line nor the page asks for less than the top."""
        return self._limit is None and not self._is_without_picture and self.height_max is None and not self.name_max

    @property
    def is_limited_by_line(self) -> bool:
        return self._limit is not None or self._is_without_picture

    def report(self, report: Report, rungs: Sequence[Rung], now: float) -> bool:
        """Takes a receiver report into account; `rungs` from the smallest to the largest. True: choose anew."""
        if self._is_without_picture or now < self._settled_at:
            return False
        is_blind = now - report.keyframe_asked_at < BLIND_SECONDS
        is_blind = is_blind or (not report.is_counted and report.lost >= UNREPAIRED_LOSS)
        sure = HOPELESS_LOSS_COUNTED if report.is_counted else HOPELESS_LOSS_ALONE
        is_hopeless = report.needed >= (HOPELESS_LOSS if is_blind else sure)
        self._hopeless = self._hopeless + 1 if is_hopeless else 0
        self._crowded = self._crowded + 1 if report.lost >= CROWDED_LOSS or is_hopeless else 0
        if not self._crowded and now - self._changed_at > STEADY_SECONDS:
            self._downs = 0
        if self._crowded >= CROWDED_REPORTS and (place := self._place(rungs)) > 0:
            self._fall(rungs, place - 1, now)
        elif self._hopeless >= HOPELESS_REPORTS and self.has_sound:
            self._fall(rungs, -1, now)
        else:
            return False
        return True

    def _place(self, rungs: Sequence[Rung]) -> int:
        """Where the line's limit is among the present layers: -1 is sound alone, 0 the lowest."""
        if self._is_without_picture:
            return -1
        if self._limit is None:
            return len(rungs) - 1
        for index, rung in enumerate(rungs):
            if rung.name == self._limit.name:
                return index
        return max(0, sum(rung.height <= self._limit.height for rung in rungs) - 1)

    def _move(self, rungs: Sequence[Rung], place: int, now: float) -> None:
        self._is_without_picture = place < 0
        self._limit = rungs[place] if 0 <= place < len(rungs) - 1 else None
        self._changed_at, self._settled_at = now, now + SETTLE_SECONDS
        self._hopeless = self._crowded = self._narrow = 0

    def _fall(self, rungs: Sequence[Rung], place: int, now: float) -> None:
        self._downs += 1
        self._move(rungs, place, now)

    def choose(self, rungs: Sequence[Rung], line: Line, now: float) -> Rung | None:
        """The layer to send, None for sound alone.

        Args:
            rungs: the layers that are there, from the smallest to the largest; at least one.
        """
        place = self._by_line(rungs, line, now)
        if self.height_max == 0 and self.has_sound:
            return None
        return rungs[min(place, self._by_page(rungs))] if place >= 0 else None

    def wanted_kbps(self, rungs: Sequence[Rung]) -> float | None:
        """What the line would have to carry for the next step up; None where the page wants none."""
        following = self._place(rungs) + 1
        if not self.is_limited_by_line or self.height_max == 0 or following > self._by_page(rungs):
            return None
        return rungs[following].kbps * ROOM_UP

    def _by_page(self, rungs: Sequence[Rung]) -> int:
        most = len(rungs) - 1
        if self.height_max is not None:
            enough = [rung.height for rung in rungs if rung.height >= self.height_max * CLOSE_ENOUGH]
            most = sum(rung.height <= min(enough) for rung in rungs) - 1 if enough else most
        named = [index for index, rung in enumerate(rungs) if rung.name == self.name_max and self.name_max]
        return min([most, *named])

    def _by_line(self, rungs: Sequence[Rung], line: Line, now: float) -> int:
        place = self._place(rungs)
        if now < self._settled_at or self.height_max == 0:
            return place
        estimate_kbps = line.estimate_kbps if now >= self._estimates_from else None
        if estimate_kbps is not None and (fitting := self._fitting(rungs, place, estimate_kbps)) < place:
            self._narrow += 1
            if self._narrow >= NARROW_ESTIMATES:
                self._fall(rungs, fitting, now)
                return fitting
            return place
        self._narrow = 0
        wanted_kbps = self.wanted_kbps(rungs)
        if wanted_kbps is None:
            return place  # a step that would not be taken proves nothing
        waits: tuple[float, ...] = TRIAL_SECONDS
        if estimate_kbps is not None and wanted_kbps <= estimate_kbps:
            waits = SURE_SECONDS
        elif line.can_probe and place >= 0:
            waits = TRIAL_SECONDS[-1:]  # probes find out without disturbing the picture
        if now - self._changed_at < waits[min(max(self._downs - 1, 0), len(waits) - 1)]:
            return place
        self._move(rungs, place + 1, now)
        return place + 1

    def _fitting(self, rungs: Sequence[Rung], place: int, estimate_kbps: float) -> int:
        """The highest place up to the present one whose rate the estimate covers; the lowest where none is."""
        shown = min(place, self._by_page(rungs))
        for index in range(shown, 0, -1):
            if rungs[index].kbps <= estimate_kbps * ROOM_DOWN:
                return place if index == shown else index
        return min(place, 0) if shown else place
