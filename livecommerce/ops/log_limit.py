"""A log line that many would write at once is written once a minute, with how many were left out.

While a store is away every request and every loop meets the same fault: thousands of equal lines hide the one that
says why. What changes (`away`, `back`) is told by the process's own health, at once.
"""

from __future__ import annotations

import time
from typing import Any

EVERY_SECONDS = 60.0
KEYS_MAX = 1_000  # of one process; keys are made of names in the code and of shops


class LogLimit:
    """Which lines were written lately, by key."""

    def __init__(self, every_seconds: float = EVERY_SECONDS) -> None:
        self._every_seconds = every_seconds
        self._told: dict[str, tuple[float, int]] = {}  # key -> (when it was written last, how many were left out since)

    def take(self, key: str) -> int | None:
        """How many lines were left out since the last one, where this one may be written; None where it may not."""
        now = time.monotonic()
        at, left_out = self._told.get(key, (-1e9, 0))
        if now - at < self._every_seconds:
            self._told[key] = (at, left_out + 1)
            return None
        if len(self._told) >= KEYS_MAX:
            self._told.clear()
        self._told[key] = (now, 0)
        return left_out

    def forget(self, key: str) -> None:
        """What the key stands for is good again: the next fault is news."""
        self._told.pop(key, None)


_of_process = LogLimit()


def warn_seldom(log: Any, event: str, *, key: str = "", **fields: Any) -> bool:
    """`log.warning(event, **fields)` at most once a minute for each `key` (the event itself where none is given).
    Returns whether it was written."""
    left_out = _of_process.take(key or event)
    if left_out is not None:
        log.warning(event, **fields, **({"left_out": left_out} if left_out else {}))
    return left_out is not None


def forget_seldom(key: str) -> None:
    _of_process.forget(key)
