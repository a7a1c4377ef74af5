"""One child process: how it is started, when it is ready, why it ended, how it is stopped.

A child has its own session (so process group), gets the folder lock and a notify pipe, and dies with us
(PR_SET_PDEATHSIG on Linux; elsewhere by the broken pipe).
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from livecommerce.ops import notify
from livecommerce.ops.backoff import Backoff
from livecommerce.ops.logs import logger

log = logger(__name__)

PR_SET_PDEATHSIG = 1
EXIT_CONFIGURATION = 78  # sysexits.h EX_CONFIG: starting again cannot help
SILENT_SECONDS_MAX = 20.0  # no beat for this long: the loop hangs. A starved two-core machine stays under 5 s
READY_SECONDS_MAX = 60.0  # migrations and a long append-only file included
PROBE_SECONDS = 0.05


class State(StrEnum):
    stopped = "stopped"
    starting = "starting"
    ready = "ready"
    waiting = "waiting"  # dead, started again after the back-off
    stopping = "stopping"


@dataclass(frozen=True)
class Plan:
    """What to run. `probe` asks for readiness where the program cannot notify (Valkey)."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    stage: int  # stopped in falling order
    stop_seconds: float
    death_signal: int = signal.SIGKILL
    probe: Callable[[], Awaitable[bool]] | None = None
    before: Callable[[], None] | None = None  # e.g. removes a stale socket
    start_stage: int | None = None  # started in rising order; None: as `stage`
    quiet: bool = False  # its own log goes to a file
    last_words: Callable[[], str] | None = None
    flags_now: Callable[[], Sequence[str]] | None = None  # added to the command, asked at each start

    @property
    def starts_at(self) -> int:
        return self.stage if self.start_stage is None else self.start_stage


def _libc_prctl() -> Callable[[int, int], int] | None:
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return lambda option, value: int(prctl(option, value, 0, 0, 0))


_PRCTL = _libc_prctl()  # looked up here: between fork and exec nothing should be loaded


def _die_with(parent: int, death_signal: int) -> Callable[[], None]:
    def in_child() -> None:
        if _PRCTL is not None:
            _PRCTL(PR_SET_PDEATHSIG, death_signal)
            if os.getppid() != parent:  # it died between our fork and this line
                os._exit(1)
        # the supervisor's own mask and handlers must not reach the child
        signal.pthread_sigmask(signal.SIG_SETMASK, [])

    return in_child


def explain_exit(code: int) -> str:
    """`exit code 1`, `killed by SIGKILL`, `refused its configuration`."""
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-code).name}"
        return f"killed by signal {-code}"
    if code == EXIT_CONFIGURATION:
        return "its configuration is refused (exit code 78)"
    return f"exit code {code}"


@dataclass
class Child:
    """Keeps one plan running until `stop`."""

    plan: Plan
    inherit: Sequence[int] = ()
    backoff: Backoff = field(default_factory=Backoff)
    state: State = State.stopped
    pid: int | None = None
    starts: int = 0
    last_reason: str = ""
    refused: bool = False  # it said that starting again cannot help
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _process: asyncio.subprocess.Process | None = None
    _task: asyncio.Task[None] | None = None
    _kill_reason: str = ""
    _last_beat: float = 0.0

    def _set_state(self, state: State) -> None:
        """The one setter: everything that waits for a child hangs on it."""
        if state == self.state:
            return
        log.debug("process state", child=self.plan.name, old=self.state.value, new=state.value, pid=self.pid)
        self.state = state
        if state == State.ready:
            self.ready.set()
        else:
            self.ready.clear()

    def start(self) -> None:
        self._stopping.clear()
        self._task = asyncio.create_task(self._keep(), name=f"keep {self.plan.name}")

    async def _keep(self) -> None:
        """Start, watch, wait, again. Ends only by `stop` or a refused configuration."""
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                code = await self._one_life()
                reason = self._kill_reason or explain_exit(code)
            except OSError as error:  # the program is not there, no memory, no descriptors
                code, reason = 1, f"could not be started: {error}"
            self.pid, self._process, self._kill_reason = None, None, ""
            if self._stopping.is_set():
                break
            self.last_reason = reason
            self._set_state(State.waiting)
            self.refused = code == EXIT_CONFIGURATION
            alive_seconds = time.monotonic() - began
            delay = self.backoff.after_death(alive_seconds)
            words = self.plan.last_words() if self.plan.last_words else ""
            log.error(
                "process died",
                child=self.plan.name,
                reason=reason,
                alive_seconds=round(alive_seconds, 2),
                restart_in_seconds=round(delay, 2),
                **({"last_words": words} if words else {}),
            )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
        self._set_state(State.stopped)

    async def _one_life(self) -> int:
        """Starts the program and returns its exit code."""
        if self.plan.before is not None:
            self.plan.before()
        self._set_state(State.starting)
        self.starts += 1
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        notifies = self.plan.probe is None
        environment = dict(self.plan.environment)
        if notifies:
            environment[notify.DESCRIPTOR_VARIABLE] = str(writer)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self.plan.command,
                *(self.plan.flags_now() if self.plan.flags_now is not None else ()),
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL if self.plan.quiet else None,
                stderr=asyncio.subprocess.DEVNULL if self.plan.quiet else None,
                pass_fds=(writer, *self.inherit) if notifies else tuple(self.inherit),
                start_new_session=True,  # Ctrl-C in the terminal reaches us alone; we stop the writers before the store
                preexec_fn=_die_with(os.getpid(), int(self.plan.death_signal)),
            )
        except BaseException:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        self.pid = self._process.pid
        if self._stopping.is_set():  # asked while it was being made: `stop` found nobody to signal
            self._process.send_signal(signal.SIGTERM)
        self._last_beat = time.monotonic()
        log.info("process started", child=self.plan.name, pid=self.pid, start=self.starts)
        watchers = [asyncio.create_task(self._watch_pipe(reader)), asyncio.create_task(self._watch_time())]
        if self.plan.probe is not None:
            watchers.append(asyncio.create_task(self._watch_probe()))
        try:
            return await self._process.wait()
        finally:
            for watcher in watchers:
                watcher.cancel()
            await asyncio.gather(*watchers, return_exceptions=True)
            os.close(reader)
            self._kill_group(signal.SIGKILL)  # whatever it left behind in its group

    async def _watch_pipe(self, reader: int) -> None:
        """Reads what the child notifies: readiness and beats."""
        loop = asyncio.get_running_loop()
        data = asyncio.Event()
        loop.add_reader(reader, data.set)
        try:
            while True:
                await data.wait()
                data.clear()
                try:
                    got = os.read(reader, 4096)
                except BlockingIOError:
                    continue
                if not got:
                    return  # it closed the pipe, is dying, or does not notify at all
                self._last_beat = time.monotonic()
                if notify.READY in got:
                    self._set_state(State.ready)
        finally:
            loop.remove_reader(reader)

    async def _watch_probe(self) -> None:
        assert self.plan.probe is not None
        while not await self.plan.probe():
            await asyncio.sleep(PROBE_SECONDS)
        self._set_state(State.ready)

    async def _watch_time(self) -> None:
        """Kills a child that does not get ready, or whose loop has hung."""
        born = time.monotonic()
        while True:
            await asyncio.sleep(1.0)
            now = time.monotonic()
            if self.state == State.starting and now - born > READY_SECONDS_MAX:
                self._kill_reason = f"not ready after {READY_SECONDS_MAX:.0f} s"
            elif self.plan.probe is None and self.state == State.ready and now - self._last_beat > SILENT_SECONDS_MAX:
                self._kill_reason = f"hung: no heartbeat for {now - self._last_beat:.0f} s"
            else:
                continue
            self._kill_group(signal.SIGKILL)
            return

    def _kill_group(self, number: signal.Signals) -> None:
        """Signals the child's process group (it leads one, so the group id is its pid)."""
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    async def stop(self, seconds: float) -> None:
        """SIGTERM, at most `seconds` of patience, then SIGKILL to the whole group. Returns when it is gone."""
        self._stopping.set()
        if self._task is None:
            return
        self._set_state(State.stopping)
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
        done, _ = await asyncio.wait({self._task}, timeout=seconds)
        if not done:
            log.warning("process did not stop in time, killing it", child=self.plan.name, pid=self.pid, seconds=seconds)
            self._kill_group(signal.SIGKILL)
            await self._task
        self._task = None

    def kill(self) -> None:
        """At once, without back-off bookkeeping: for the second Ctrl-C."""
        self._stopping.set()
        self._kill_group(signal.SIGKILL)
