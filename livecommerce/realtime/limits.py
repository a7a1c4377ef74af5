"""Limits on sockets: bytes of a message, messages in a time, sockets per viewer and per process. How often one may
comment is a matter of intake (`intake.rate`)."""

from __future__ import annotations

import time
from collections import OrderedDict

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


COUNTED_ELSEWHERE = frozenset(("comment", "claim", "take", "command"))  # by intake, over all processes
EVENTS_BURST, EVENTS_PER_SECOND = 20.0, 2.0  # a person cancels, asks and looks at tickets a few times a minute
NAMES_BURST, NAMES_PER_SECOND = 6.0, 0.1  # each is written and told: who tries names has one within six
VIEWERS_COUNTED_MAX = 50_000  # the one who was quiet longest is forgotten first


class EventRate:
    """How often one viewer may send each event, over all its sockets in this process. A cookie has many sockets, and a
    network many cookies: the budget of a socket alone lets them keep the store busy for everybody."""

    def __init__(self) -> None:
        self._tokens: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()  # -> (tokens, when)

    def wait_ms(self, viewer: str, event: str) -> int:
        """Takes one; milliseconds to wait where there is none, then nothing is taken."""
        if event in COUNTED_ELSEWHERE:
            return 0
        burst, rate = (NAMES_BURST, NAMES_PER_SECOND) if event == "name" else (EVENTS_BURST, EVENTS_PER_SECOND)
        now = time.monotonic()
        tokens, at = self._tokens.pop((viewer, event), (burst, now))
        tokens = min(burst, tokens + (now - at) * rate)
        wait = 0 if tokens >= 1 else int((1 - tokens) / rate * 1000) + 1
        self._tokens[viewer, event] = (tokens if wait else tokens - 1, now)
        if len(self._tokens) > VIEWERS_COUNTED_MAX:
            self._tokens.popitem(last=False)
        return wait
