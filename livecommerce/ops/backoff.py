"""How long to wait before starting a dead process again: doubling with jitter, forgiven after a calm minute."""

from __future__ import annotations

import random

FIRST_SECONDS = 0.2
LAST_SECONDS = 5.0  # a process that dies at once every time costs one start per 5 s, which a machine can bear
CALM_SECONDS = 60.0  # alive this long: what killed it is over


class Backoff:
    """Delays 0.2, 0.4, 0.8 … 5 s, each times a random factor 0.5 … 1 so that siblings do not restart in step."""

    def __init__(
        self,
        first_seconds: float = FIRST_SECONDS,
        last_seconds: float = LAST_SECONDS,
        source: random.Random | None = None,
    ) -> None:
        self._first = first_seconds
        self._last = last_seconds
        self._random = source or random.Random()
        self._failures = 0

    @property
    def failures(self) -> int:
        return self._failures

    def after_death(self, alive_seconds: float) -> float:
        """The delay in seconds before the next start of a process that lived `alive_seconds`."""
        if alive_seconds >= CALM_SECONDS:
            self._failures = 0
        # the exponent is capped: 0.2 * 2**10 is far past the ceiling, and floats would overflow at 2**1024
        ceiling: float = min(self._last, self._first * 2.0 ** min(self._failures, 10))
        self._failures += 1
        factor: float = 0.5 + 0.5 * self._random.random()
        return ceiling * factor
