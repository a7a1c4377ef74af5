"""Does the machine's clock run evenly? Holds, sessions and orders are told by it; timers are not, so both are compared.

A step (somebody set it, a paused virtual machine, NTP after a start with a wrong battery) is logged, counted, and for a
while a finding of readiness: whoever wonders why holds ended at once, or orders are of another year, finds it there.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from livecommerce.ops import metrics
from livecommerce.ops.health import Degraded
from livecommerce.ops.logs import logger

log = logger(__name__)

STEP_SECONDS_MIN = 5.0  # what stock rides out; NTP slews less than this
TOLD_SECONDS = 600.0  # how long readiness tells of a step


class ClockWatch:
    """Looked at once a second; `wall` and `steady` are the two clocks."""

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._steady = wall, steady
        self._apart = wall() - steady()
        self._stepped: tuple[float, float] | None = None  # (when, by how much)

    async def check(self) -> str | None:
        """The sentence of a step in the last minutes."""
        now = self._steady()
        apart = self._wall() - now
        by_seconds, self._apart = apart - self._apart, apart
        if abs(by_seconds) > STEP_SECONDS_MIN:
            self._stepped = (now, by_seconds)
            metrics.CLOCK_STEPS.inc()
            log.error("the clock jumped", by_seconds=round(by_seconds, 1), clock_says=int(self._wall()))
        if self._stepped is None or now - self._stepped[0] > TOLD_SECONDS:
            return None
        when, by_seconds = self._stepped
        ahead = by_seconds > 0
        what = "holds whose time was over by it have ended" if ahead else "no hold ended by it"
        return Degraded(
            f"{now - when:.0f} s ago the machine's clock jumped {'ahead' if ahead else 'back'} by "
            f"{abs(by_seconds):.0f} s. Look at NTP; {what}."
        )
