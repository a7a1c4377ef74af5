"""Keeps a set of children running: started in stages when the one before is ready, stopped in reverse.

Nothing here knows what the children do. The whole stop takes at most STOP_SECONDS_MAX, whatever they do.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from livecommerce.ops.children import READY_SECONDS_MAX, Child, Plan, State
from livecommerce.ops.errors import StartFailed
from livecommerce.ops.logs import logger

log = logger(__name__)

STOP_SECONDS_MAX = 10.0
KILL_RESERVE_SECONDS = 0.5  # kept back for reaping the killed
POLL_SECONDS = 0.05
START_FAILURES_MAX = 4  # a child that dies this often before its first readiness will not come up by trying on


class Supervisor:
    """`start()`, then `wait()` for a signal, then `stop()`."""

    def __init__(self, plans: Iterable[Plan], inherit: Sequence[int] = ()) -> None:
        self.children = [Child(plan, inherit) for plan in plans]
        self.stop_asked = asyncio.Event()
        self._signals = 0

    def child(self, name: str) -> Child:
        return next(child for child in self.children if child.plan.name == name)

    def _groups(self, number_of: Callable[[Plan], int]) -> list[list[Child]]:
        numbers = sorted({number_of(child.plan) for child in self.children})
        return [[child for child in self.children if number_of(child.plan) == number] for number in numbers]

    def listen_to_signals(self) -> None:
        """SIGTERM and SIGINT ask for the stop; a second one kills at once. SIGHUP (terminal closed) stops too."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal, number)

    def _on_signal(self, number: signal.Signals) -> None:
        self._signals += 1
        if self._signals == 1:
            log.info("stopping", reason=number.name)
            self.stop_asked.set()
            return
        log.warning("stopping at once", reason=f"second {number.name}")
        for child in self.children:
            child.kill()

    async def start(self, before_stage: Mapping[int, Callable[[], Awaitable[None]]] | None = None) -> bool:
        """Brings every stage up. False when a stop was asked meanwhile; the caller stops what is up, in any case.

        Args:
            before_stage: what is done before a stage starts and after all before it are ready.

        Raises:
            StartFailed: a child refused its configuration, kept dying, or was not ready in time.
        """
        for stage in self._groups(lambda plan: plan.starts_at):
            prepare = (before_stage or {}).get(stage[0].plan.starts_at)
            if prepare is not None:
                await prepare()
            if self.stop_asked.is_set():
                return False
            for child in stage:
                child.start()
            for child in stage:
                if not await self._until_ready(child):
                    return False
        return True

    async def _until_ready(self, child: Child) -> bool:
        limit = time.monotonic() + READY_SECONDS_MAX
        while not child.ready.is_set():
            if self.stop_asked.is_set():
                return False
            if child.refused or (child.starts >= START_FAILURES_MAX and child.state == State.waiting):
                raise StartFailed(f"{child.plan.name} did not start: {child.last_reason}.", process=child.plan.name)
            if time.monotonic() > limit:
                raise StartFailed(
                    f"{child.plan.name} was not ready after {READY_SECONDS_MAX:.0f} s.", process=child.plan.name
                )
            await asyncio.sleep(POLL_SECONDS)
        return True

    async def wait(self) -> None:
        """Until a signal asks for the stop."""
        await self.stop_asked.wait()

    async def stop(self) -> None:
        """Stops in falling order of stages. Each stage has its children's patience, all together STOP_SECONDS_MAX."""
        began = time.monotonic()
        limit = began + STOP_SECONDS_MAX - KILL_RESERVE_SECONDS
        for stage in reversed(self._groups(lambda plan: plan.stage)):
            left = max(0.0, limit - time.monotonic())
            await asyncio.gather(*(child.stop(min(left, child.plan.stop_seconds)) for child in stage))
        log.info("stopped", seconds=round(time.monotonic() - began, 2))

    def close(self) -> None:
        """Last resort on the way out of a crash: nothing of ours stays behind."""
        for child in self.children:
            with contextlib.suppress(OSError):
                child.kill()
