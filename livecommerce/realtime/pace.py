"""How often the shows of a process tick. Pure: costs and times are handed in."""

from __future__ import annotations

HZ_MIN = 2.0  # slower than this, counters and chat no longer look live
LOOP_SHARE_MAX = 0.4  # of the process's time for writing frames; the rest reads, parses and answers


class Pace:
    """The tick of all shows of a process: as fast as allowed while writing takes at most LOOP_SHARE_MAX of the time."""

    def __init__(self, hz_max: float) -> None:
        self.hz_max = hz_max
        self._costs: dict[str, float] = {}

    def note(self, name: str, seconds: float) -> None:
        """CPU time of writing to everyone once, smoothed over about five writes."""
        self._costs[name] = 0.8 * self._costs.get(name, seconds) + 0.2 * seconds

    def forget(self, show: str) -> None:
        for name in [name for name in self._costs if name.startswith(f"{show} ")]:
            del self._costs[name]

    def interval(self) -> float:
        return min(1 / HZ_MIN, max(1 / self.hz_max, sum(self._costs.values()) / LOOP_SHARE_MAX))
