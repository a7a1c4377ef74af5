"""Limits on sockets: bytes of a message, messages in a time, sockets per viewer and per process. How often one may
comment is a matter of intake (`intake.rate`)."""

from __future__ import annotations

import time

MESSAGE_BYTES_MAX = 16 * 1024  # a comment is under 1 KiB; a product with 30 options under 16
MESSAGES_BURST = 40  # a control panel that works off a queue by keyboard
MESSAGES_PER_SECOND = 20.0
STRIKES_MAX = 60  # dropped messages before the socket is closed: a script, not a person
SOCKETS_PER_VIEWER_MAX = 6  # tabs and a phone
UNJOINED_MAX = 2_000  # sockets that have not joined yet, per process: a join storm of 500/s needs some hundreds


class MessageBudget:
    """Token bucket of one socket, in memory: it protects this process, so it needs no store."""

    __slots__ = ("_at", "_tokens", "strikes")

    def __init__(self) -> None:
        self._tokens = float(MESSAGES_BURST)
        self._at = time.monotonic()
        self.strikes = 0

    def take(self) -> bool:
        now = time.monotonic()
        self._tokens = min(MESSAGES_BURST, self._tokens + (now - self._at) * MESSAGES_PER_SECOND)
        self._at = now
        if self._tokens < 1:
            self.strikes += 1
            return False
        self._tokens -= 1
        return True
