"""Freezes of the picture, which only a viewer's own page can count: totals in, what they grew by out. Pure.

The page says what it likes, so a report is bounded by the time watched and can only make that viewer's figures grow.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

# Browsers call a gap a freeze from 150 ms on; more than this many a second cannot be.
FREEZES_PER_SECOND_MAX = 7


class FreezeReport(Struct, frozen=True):
    """What a viewer's browser has counted since its session began."""

    freezes: Annotated[int, Meta(ge=0, le=1_000_000)]
    frozen_ms: Annotated[int, Meta(ge=0, le=1_000_000_000)]


class Freezes:
    """How often and how long pictures stood still, of one viewer or of all together."""

    __slots__ = ("count", "milliseconds")

    def __init__(self) -> None:
        self.count = 0
        self.milliseconds = 0

    def note(self, report: FreezeReport, watched_seconds: float) -> tuple[int, int]:
        """Takes a page's totals; (freezes, milliseconds) that are new. Smaller totals change nothing."""
        before = self.count, self.milliseconds
        self.count = max(self.count, min(report.freezes, int(watched_seconds * FREEZES_PER_SECOND_MAX)))
        self.milliseconds = max(self.milliseconds, min(report.frozen_ms, int(watched_seconds * 1_000)))
        return self.count - before[0], self.milliseconds - before[1]

    def add(self, count: int, milliseconds: int) -> None:
        self.count += count
        self.milliseconds += milliseconds

    def figures(self) -> dict[str, int]:
        """For the studio: {"freezes", "frozen_ms"}."""
        return {"freezes": self.count, "frozen_ms": self.milliseconds}
