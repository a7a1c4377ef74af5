"""Is this process alive (does its event loop turn) and ready (can it do its work now)?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from livecommerce.errors import in_words
from livecommerce.ops import metrics
from livecommerce.ops.descriptors import DESCRIPTORS
from livecommerce.ops.log_limit import forget_seldom
from livecommerce.ops.logs import logger
from livecommerce.ops.patience import patiently

log = logger(__name__)

BEAT_SECONDS = 0.25
STALE_SECONDS = 4.0  # a beat older than this: the loop hung; what asks has just come through the same loop
CHECK_SECONDS_MAX = 2.0  # a readiness check that takes longer is a "no"
READY_CACHE_SECONDS = 1.0  # probes of several watchers must not multiply the load on Valkey and SQL
WATCH_SECONDS = 1.0  # between our own looks, whether anybody asks or not
AGAIN_SECONDS = 60.0  # between log lines about a trouble that lasts


class Degraded(str):
    """What is wrong, where the process still does what it is for: it stays ready and says so."""

    __slots__ = ()


Check = Callable[[], Awaitable[str | None]]
"""Returns None when good, else one sentence on what is wrong (`Degraded` where the process stays ready)."""


class Heartbeat:
    """Measures how late the loop runs its timers."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self.lag_seconds = 0.0
        self.lag_seconds_worst = 0.0

    @property
    def age_seconds(self) -> float:
        return time.monotonic() - self._last

    async def beat(self) -> None:
        """Runs until cancelled."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(BEAT_SECONDS)
            self._last = time.monotonic()
            self.lag_seconds = max(0.0, self._last - before - BEAT_SECONDS)
            self.lag_seconds_worst = max(self.lag_seconds_worst, self.lag_seconds)
            metrics.LOOP_LAG.observe(self.lag_seconds)


class Health:
    """The answers to /health/live and /health/ready."""

    def __init__(self, heartbeat: Heartbeat, checks: dict[str, Check] | None = None) -> None:
        self.heartbeat = heartbeat
        self.checks = dict(checks or {})
        self.can_do_without: set[str] = set()  # checks that leave the process ready, however they fail
        self.degraded: dict[str, str] = {}  # as of the last look: what is wrong of those
        self.moving = False  # set on SIGTERM: balancers stop sending new people
        self.started = False
        self._cached: tuple[float, dict[str, str]] = (-1e9, {})
        self._asking: asyncio.Task[dict[str, str]] | None = None
        self._troubles: dict[str, tuple[float, float, str]] = {}  # check -> (since, told, in which words)

    def live(self) -> tuple[bool, dict[str, object]]:
        age = self.heartbeat.age_seconds
        return age < STALE_SECONDS, {
            "heartbeat_age_seconds": round(age, 3),
            "loop_lag_seconds": round(self.heartbeat.lag_seconds, 4),
            "loop_lag_seconds_worst": round(self.heartbeat.lag_seconds_worst, 4),
        }

    async def _run(self, name: str, check: Check) -> tuple[str, str | None]:
        try:
            return name, await patiently(check(), CHECK_SECONDS_MAX)
        except TimeoutError:
            return name, f"no answer within {CHECK_SECONDS_MAX:.0f} s"
        except Exception as error:  # a check must tell, not crash: whatever it met is the finding
            return name, in_words(error)

    async def ready(self) -> tuple[bool, dict[str, str]]:
        """(ready, what stands in the way by check name); `degraded` has what is wrong besides."""
        if self.moving:
            metrics.READY.set(0)
            return False, {"process": "is stopping"}
        if not self.started:
            return False, {"process": "is starting"}
        when, wrong = self._cached
        if time.monotonic() - when > READY_CACHE_SECONDS:
            # one look for all who ask meanwhile
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._look(), name="readiness")
            wrong = await asyncio.shield(self._asking)
        return not wrong, wrong

    async def _look(self) -> dict[str, str]:
        found = await asyncio.gather(*(self._run(name, check) for name, check in self.checks.items()))
        problems = {name: problem for name, problem in found if problem is not None}
        self.degraded = {name: problem for name, problem in problems.items() if self._leaves_ready(name, problem)}
        wrong = {name: problem for name, problem in problems.items() if name not in self.degraded}
        self._cached = (time.monotonic(), wrong)
        metrics.READY.set(0 if wrong or self.moving else 1)
        metrics.DEGRADED.set(1 if self.degraded else 0)
        for name in self.checks:
            metrics.CHECK_READY.labels(name).set(0 if name in problems else 1)
            self._tell(name, problems.get(name))
        return wrong

    def _leaves_ready(self, name: str, problem: str) -> bool:
        return name in self.can_do_without or isinstance(problem, Degraded)

    def _tell(self, name: str, problem: str | None) -> None:
        """A line when a check begins to fail or fails otherwise, one a minute while it lasts, one when it is over."""
        now = time.monotonic()
        if problem is None:
            since, _, before = self._troubles.pop(name, (0.0, 0.0, ""))
            if since:
                forget_seldom(name)
                again = "ready again" if before == "not ready" else "no longer degraded"
                log.warning(again, check=name, after_seconds=round(now - since, 1))
            return
        words = "degraded" if self._leaves_ready(name, problem) else "not ready"
        since, told, before = self._troubles.get(name, (now, -1e9, words))
        if now - told >= AGAIN_SECONDS or words != before:
            log.error(words, check=name, why=str(problem), for_seconds=round(now - since, 1))
            told = now
        self._troubles[name] = (since, told, words)

    async def watch(self) -> None:
        """Looks by itself until cancelled, so that log and metric tell of a store that stalls while nobody asks."""
        while True:
            DESCRIPTORS.look()
            await self.ready()
            await asyncio.sleep(WATCH_SECONDS)
