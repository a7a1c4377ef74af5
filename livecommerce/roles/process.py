"""The frame around one role process: logging, signals, heartbeat, internal port, readiness, a bounded stop.

A role is an async context manager: entering it starts its work, leaving it stops it. The frame decides when.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from redis.exceptions import RedisError

from livecommerce.configuration.tree import Settings
from livecommerce.errors import LiveCommerceError, in_words
from livecommerce.ops import logs, metrics, ports
from livecommerce.ops.children import EXIT_CONFIGURATION
from livecommerce.ops.clock import ClockWatch
from livecommerce.ops.descriptors import DESCRIPTORS
from livecommerce.ops.errors import StoresApart, StoreUnsuitable
from livecommerce.ops.folder import instance_of
from livecommerce.ops.health import Health, Heartbeat
from livecommerce.ops.internal import serve_internal
from livecommerce.ops.log_limit import warn_seldom
from livecommerce.ops.notify import Notifier
from livecommerce.records.errors import DatabaseMoved, DatabaseNewer
from livecommerce.settings import SettingsError

log = logs.logger(__name__)

KEEP_PAUSE_SECONDS = 1.0  # before a kept task is tried again: a store that comes back is not trampled
STOP_SECONDS_MAX = {"web": 6.0, "relay": 4.0, "worker": 4.0}  # of leaving the role; the supervisor kills a bit later


@dataclass
class Frame:
    """What a role is given by its frame."""

    settings: Settings
    role: str
    index: int
    health: Health = field(default_factory=lambda: Health(Heartbeat()))
    stop_asked: asyncio.Event = field(default_factory=asyncio.Event)
    reason: str = ""
    failed: bool = False

    @property
    def name(self) -> str:
        return self.role if self.role == "worker" else f"{self.role}-{self.index}"

    def ask_stop(self, reason: str) -> None:
        """From now on /health/ready is red and the role is being left."""
        if not self.stop_asked.is_set():
            self.reason = reason
            self.health.moving = True
            self.stop_asked.set()

    def fail(self, reason: str) -> None:
        """A part of the role that must run has ended: this process is of no more use and says so."""
        self.failed = True
        log.error("a part of the process failed", reason=reason)
        self.ask_stop(reason)

    def keep(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> asyncio.Task[None]:
        """Runs `work` until the stop, again and again: for what can go on once a store is back. A fault is told once a
        minute and ends neither the task nor the process."""
        return asyncio.create_task(self._keep(work, name), name=name)

    async def _keep(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        while True:
            try:
                await work()
            except Exception as error:  # whatever it is: the rest of the process has its viewers to serve
                unforeseen = not isinstance(error, LiveCommerceError | OSError | RedisError)
                warn_seldom(
                    log, "a task is tried again", key=f"task {name}", task=name, why=in_words(error),
                    exc_info=unforeseen,
                )  # fmt: skip
            else:
                if self.stop_asked.is_set():
                    return
            await asyncio.sleep(KEEP_PAUSE_SECONDS)

    def watch(self, task: asyncio.Task[None]) -> None:
        """Ends the process when a task that should run until the stop ends by itself: one without which the process is
        of no use (the relay's media). What only needs a store that may be away is kept (`keep`)."""

        def ended(done: asyncio.Task[None]) -> None:
            if done.cancelled() or self.stop_asked.is_set():
                return
            error = done.exception()
            if error is not None:
                log.error("task failed", task=done.get_name(), exc_info=error)
            self.fail(f"{done.get_name()} ended: {in_words(error) if error else 'without a fault'}")

        task.add_done_callback(ended)


Role = Callable[[Frame], AbstractAsyncContextManager[None]]


async def _wait_for_stop(frame: Frame, notifier: Notifier) -> None:
    gone = asyncio.Event()
    beat = asyncio.create_task(notifier.beat(gone))
    waits = [asyncio.create_task(frame.stop_asked.wait()), asyncio.create_task(gone.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (beat, *waits):
            task.cancel()
    if gone.is_set():
        frame.ask_stop("the supervisor is gone")


async def _serve(frame: Frame, role: Role) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, frame.ask_stop, number.name)
    notifier = Notifier()
    settings = frame.settings
    port = ports.internal_port(settings.http.internal_port, frame.role, frame.index)
    heart = asyncio.create_task(frame.health.heartbeat.beat(), name="heartbeat")
    try:

        def instance() -> str:  # asked each time: the role makes its folder while it starts
            return instance_of(settings.data_folder)

        host, held = settings.http.internal_host, notifier.supervised
        async with serve_internal(frame.health, host, port, held=held, instance=instance) as internal:
            frame.health.checks["descriptors"] = DESCRIPTORS.check
            frame.health.checks["clock"] = ClockWatch().check
            manager = role(frame)
            await manager.__aenter__()
            frame.health.started = True
            notifier.ready()
            log.info("ready", internal_port=internal)
            watching = asyncio.create_task(frame.health.watch(), name="health")
            try:
                await _wait_for_stop(frame, notifier)
            finally:
                watching.cancel()
            metrics.READY.set(0)
            log.info("stopping", reason=frame.reason)
            try:
                async with asyncio.timeout(STOP_SECONDS_MAX[frame.role]):
                    await manager.__aexit__(None, None, None)
            except TimeoutError:
                log.warning("did not stop in time; what was unfinished is in Valkey and is taken up after the start")
    finally:
        heart.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await heart


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it is installed (not on Windows), else asyncio's own loop."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def raise_descriptor_limit() -> None:
    """The soft limit of open files up to the hard one: each viewer is a socket, and 1024 is a common default."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):  # macOS may refuse what it says itself
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def run(settings: Settings, role_name: str, index: int, role: Role) -> int:
    """Runs a role until it is asked to stop. Returns the exit code: 0, 1 for a fault, 78 for a refused set-up."""
    try:
        name = role_name if role_name == "worker" else f"{role_name}-{index}"
        logs.configure(name, settings.log_format, settings.log_level)
    except SettingsError as error:
        print(f"livecommerce: {error}", file=sys.stderr)
        return EXIT_CONFIGURATION
    metrics.describe_process(role_name, index)
    raise_descriptor_limit()
    frame: Frame | None = None

    async def main() -> None:
        nonlocal frame
        frame = Frame(settings, role_name, index)
        await _serve(frame, role)

    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(main())
    except SettingsError as error:
        log.error("the settings are refused", reason=str(error))
        return EXIT_CONFIGURATION
    except (StoresApart, StoreUnsuitable, DatabaseMoved, DatabaseNewer) as error:
        log.error("cannot start", number=error.number, code=error.code, reason=error.for_operators)
        return EXIT_CONFIGURATION
    except LiveCommerceError as error:
        log.error("cannot start", number=error.number, code=error.code, reason=error.for_operators)
        return 1
    except Exception:
        log.exception("the process failed")
        return 1
    return 1 if frame is not None and frame.failed else 0
