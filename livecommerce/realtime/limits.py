"""Limits on sockets: bytes of a message, messages in a time, sockets per viewer and per process. How often one may
comment is a matter of intake (`intake.rate`)."""

from __future__ import annotations

import math
import time
from collections import OrderedDict

MESSAGE_BYTES_MAX = 16 * 1024  # a comment is under 1 KiB; a product with 30 options under 16
MESSAGES_BURST = 40  # a control panel that works off a queue by keyboard
MESSAGES_PER_SECOND = 20.0
STRIKES_MAX = 60  # dropped messages before the socket is closed: a script, not a person
SOCKETS_PER_VIEWER_MAX = 6  # tabs and a phone
REFUSALS_MAX = 4  # joins refused on one socket: a page leaves after the first one and comes back on another
UNJOINED_MAX = 2_000  # sockets that have not joined yet, per process: a join storm of 500/s needs some hundreds


class TokenBucket:
    """In memory: it protects this process, so it needs no store."""

    __slots__ = ("_at", "_burst", "_per_second", "_tokens")

    def __init__(self, burst: float, per_second: float) -> None:
        self._burst, self._per_second = burst, per_second
        self._tokens, self._at = burst, time.monotonic()

    def wait_seconds(self, *, takes: bool = True) -> float:
        """Takes a token and returns 0; where there is none, takes nothing and returns how long until there is."""
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second)
        self._at = now
        if self._tokens < 1:
            return (1 - self._tokens) / self._per_second
        self._tokens -= takes
        return 0.0


class MessageBudget(TokenBucket):
    """Of one socket."""

    __slots__ = ("strikes",)

    def __init__(self) -> None:
        super().__init__(MESSAGES_BURST, MESSAGES_PER_SECOND)
        self.strikes = 0

    def take(self) -> bool:
        if self.wait_seconds():
            self.strikes += 1
            return False
        return True


COUNTED_ELSEWHERE = frozenset(("comment", "claim", "take", "command"))  # by intake, over all processes
EVENTS_BURST, EVENTS_PER_SECOND = 20.0, 2.0  # a person cancels, asks and looks at tickets a few times a minute
NAMES_BURST, NAMES_PER_SECOND = 6.0, 0.1  # each is written and told: who tries names has one within six
VIEWERS_COUNTED_MAX = 50_000  # the one who was quiet longest is forgotten first


# Events that write what is no sale, as (burst, a second) of all viewers of one network: what is written at once keeps
# the claims of everybody waiting. Names of one moment are one write, so a carrier's crowd may give many; a command
# (question, vote) is one of its own. Comments, claims and what ends them go in batches of all that come meanwhile.
WRITES = {"name": (1_000.0, 100.0), "command": (200.0, 40.0)}


class Buckets:
    """Token buckets by key; the one that was quiet longest is forgotten first."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[tuple[str, str], TokenBucket] = OrderedDict()

    def wait_ms(self, key: tuple[str, str], burst: float, per_second: float, *, takes: bool = True) -> int:
        """Takes one; milliseconds to wait where there is none, then nothing is taken."""
        bucket = self._buckets.pop(key, None) or TokenBucket(burst, per_second)
        self._buckets[key] = bucket
        if len(self._buckets) > VIEWERS_COUNTED_MAX:
            self._buckets.popitem(last=False)
        return math.ceil(bucket.wait_seconds(takes=takes) * 1000)


class EventRate:
    """How often one viewer may send each event, over all its sockets in this process, and how often one network may
    have something written. A cookie has many sockets, and a network many cookies: the budget of a socket alone lets
    them keep the store busy for everybody."""

    def __init__(self) -> None:
        self._viewers = Buckets()
        self._networks = Buckets()

    def wait_ms(self, viewer: str, network: str, event: str) -> int:
        """Takes one of the viewer's, then one of its network's; milliseconds to wait where there is none."""
        wait = 0
        if event not in COUNTED_ELSEWHERE:
            rate = (NAMES_BURST, NAMES_PER_SECOND) if event == "name" else (EVENTS_BURST, EVENTS_PER_SECOND)
            wait = self._viewers.wait_ms((viewer, event), *rate)
        if not wait and event in WRITES:
            wait = self._networks.wait_ms((network, event), *WRITES[event])
        return wait


# Joins refused to all of one network. Whoever comes with an old link asks once; a crowd behind one carrier may.
REFUSED_BURST, REFUSED_PER_SECOND = 200.0, 20.0


class RefusedJoins:
    """Each one that names no show of ours was looked for in the store, so a network asks for so many in vain."""

    def __init__(self) -> None:
        self._networks = Buckets()

    def note(self, network: str) -> None:
        self._networks.wait_ms((network, "refused"), REFUSED_BURST, REFUSED_PER_SECOND)

    def wait_ms(self, network: str) -> int:
        """Milliseconds until it may ask again; takes nothing."""
        return self._networks.wait_ms((network, "refused"), REFUSED_BURST, REFUSED_PER_SECOND, takes=False)
