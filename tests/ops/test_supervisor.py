"""The supervisor against real processes that behave, crash, hang and refuse."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from livecommerce.ops import children
from livecommerce.ops.backoff import Backoff
from livecommerce.ops.children import Child, Plan, State, explain_exit
from livecommerce.ops.errors import StartFailed
from livecommerce.ops.folder import alive
from livecommerce.ops.supervisor import Supervisor

# A child that keeps the rules: says ready, beats, notes what happens to it, ends on SIGTERM.
GOOD = """
import asyncio, os, signal, sys
from livecommerce.ops.notify import Notifier
async def main():
    stop, gone = asyncio.Event(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    notifier = Notifier()
    note = open(sys.argv[1], "a", buffering=1)
    note.write(f"up {os.getpid()}\\n")
    notifier.ready()
    beat = asyncio.create_task(notifier.beat(gone))
    await stop.wait()
    note.write("down\\n")
asyncio.run(main())
"""
STUBBORN = GOOD.replace("await stop.wait()", "await asyncio.sleep(3600)")
SILENT = """
import time
from livecommerce.ops.notify import Notifier
Notifier().ready()
time.sleep(3600)
"""
DIES = "import sys; sys.exit(3)"
REFUSES = "import sys; sys.exit(78)"


@pytest.fixture
def plan(tmp_path: Path) -> Callable[..., Plan]:
    def make(name: str, program: str, stage: int = 0, stop_seconds: float = 3.0) -> Plan:
        command = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / name)]
        return Plan(name, command, dict(os.environ), stage, stop_seconds)

    return make


@pytest.fixture
async def started() -> AsyncIterator[list[Supervisor]]:
    running: list[Supervisor] = []
    yield running
    for supervisor in running:
        supervisor.close()
        await supervisor.stop()


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Polls: the thing waited for is another process's doing, there is nothing to await."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def notes(tmp_path: Path, name: str) -> list[str]:
    path = tmp_path / name
    return path.read_text().splitlines() if path.exists() else []


async def test_children_may_start_together_and_stop_one_after_another(plan, started, tmp_path: Path) -> None:
    slow = "import time; time.sleep(3600)"  # never ready: who waited for it would never start
    first, second = (
        plan("relay-0", slow, stage=1, stop_seconds=0.5),
        # it takes its time to stop, so that the poll below sees the moment
        replace(plan("web-0", STUBBORN, stage=2, stop_seconds=1.0), start_stage=1),
    )
    supervisor = Supervisor([first, second])
    started.append(supervisor)
    starting = asyncio.create_task(supervisor.start())
    relay, web = supervisor.children
    await until(lambda: web.state == State.ready)
    assert relay.state == State.starting
    supervisor.stop_asked.set()
    assert await starting is False
    stopping = asyncio.create_task(supervisor.stop())
    await until(lambda: web.state == State.stopping)
    assert relay.state == State.starting
    await stopping


async def test_stages_start_in_order_and_stop_in_reverse(plan, started, tmp_path: Path) -> None:
    same = "order"
    supervisor = Supervisor([plan(same, GOOD, stage=2), plan(same, GOOD, stage=0), plan(same, GOOD, stage=1)])
    started.append(supervisor)
    assert await supervisor.start()
    by_stage = sorted(supervisor.children, key=lambda child: child.plan.stage)
    assert notes(tmp_path, same) == [f"up {child.pid}" for child in by_stage]
    pids = [child.pid for child in by_stage]
    await supervisor.stop()
    assert notes(tmp_path, same)[3:] == ["down"] * 3
    assert not any(alive(pid) for pid in pids if pid)
    assert {child.state for child in supervisor.children} == {State.stopped}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
async def test_a_killed_child_comes_back_and_the_reason_is_kept(plan, started, tmp_path: Path, number) -> None:
    supervisor = Supervisor([plan("web-0", GOOD), plan("worker", GOOD)])
    started.append(supervisor)
    await supervisor.start()
    web, worker = supervisor.children
    first, other = web.pid, worker.pid
    assert first
    os.kill(first, number)
    await until(lambda: web.starts == 2 and web.state == State.ready)
    assert web.pid != first
    expected = "exit code 0" if number == signal.SIGTERM else f"killed by {number.name}"
    assert web.last_reason == expected
    assert (worker.pid, worker.starts) == (other, 1)


async def test_a_child_that_keeps_dying_fails_the_start(plan, started) -> None:
    supervisor = Supervisor([plan("web-0", GOOD), plan("worker", DIES)])
    started.append(supervisor)
    with pytest.raises(StartFailed, match=r"worker did not start: exit code 3"):
        await supervisor.start()
    assert supervisor.child("worker").starts == 4
    await supervisor.stop()
    assert supervisor.child("web-0").state == State.stopped


async def test_a_refused_configuration_is_not_tried_again(plan, started) -> None:
    supervisor = Supervisor([plan("relay-0", REFUSES)])
    started.append(supervisor)
    with pytest.raises(StartFailed, match="its configuration is refused"):
        await supervisor.start()
    assert supervisor.child("relay-0").starts == 1


async def test_a_program_that_is_not_there_fails_the_start(started) -> None:
    supervisor = Supervisor([Plan("valkey", ["/nowhere/valkey-server"], {}, 0, 1.0)])
    started.append(supervisor)
    with pytest.raises(StartFailed, match="could not be started"):
        await supervisor.start()


async def test_a_hung_child_is_killed_and_started_again(plan, started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "SILENT_SECONDS_MAX", 1.0)
    supervisor = Supervisor([plan("relay-0", SILENT)])
    started.append(supervisor)
    await supervisor.start()
    child = supervisor.child("relay-0")
    await until(lambda: child.starts == 2)
    assert child.last_reason.startswith("hung: no heartbeat for")


async def test_a_child_that_ignores_sigterm_is_killed_in_time(plan, started) -> None:
    supervisor = Supervisor([plan("web-0", STUBBORN, stop_seconds=0.5)])
    started.append(supervisor)
    await supervisor.start()
    pid = supervisor.child("web-0").pid
    assert pid
    await supervisor.stop()
    assert not alive(pid)


async def test_a_second_signal_kills_at_once(plan, started) -> None:
    supervisor = Supervisor([plan("web-0", STUBBORN, stop_seconds=60.0)])
    started.append(supervisor)
    await supervisor.start()
    supervisor._on_signal(signal.SIGINT)
    assert supervisor.stop_asked.is_set()
    stopping = asyncio.create_task(supervisor.stop())
    await asyncio.sleep(0.2)
    assert not stopping.done()
    supervisor._on_signal(signal.SIGINT)
    await asyncio.wait_for(stopping, 5)


async def test_a_stop_during_the_start_is_heeded(plan, started) -> None:
    supervisor = Supervisor([plan("web-0", "import time; time.sleep(3600)", stop_seconds=2.0)])
    started.append(supervisor)
    starting = asyncio.create_task(supervisor.start())
    await until(lambda: supervisor.child("web-0").pid is not None)
    supervisor.stop_asked.set()
    assert await asyncio.wait_for(starting, 5) is False


async def test_a_stop_while_the_stage_is_prepared_starts_nobody(plan, started, tmp_path: Path) -> None:
    supervisor = Supervisor([plan("web-0", GOOD, tmp_path / "web")])
    started.append(supervisor)

    async def prepare() -> None:
        supervisor.stop_asked.set()

    stage = supervisor.child("web-0").plan.starts_at
    assert await supervisor.start({stage: prepare}) is False
    assert supervisor.child("web-0").starts == 0


async def test_a_child_that_is_being_made_when_the_stop_comes_is_told(plan, started, tmp_path: Path) -> None:
    supervisor = Supervisor([plan("web-0", GOOD, tmp_path / "web")])
    started.append(supervisor)
    child = supervisor.child("web-0")
    child.start()
    await asyncio.sleep(0)  # its task is at the fork
    async with asyncio.timeout(15):
        await child.stop(60.0)
    assert child.state == State.stopped


async def test_what_a_child_leaves_in_its_group_dies_with_it(plan, started, tmp_path: Path) -> None:
    program = GOOD.replace(
        "    notifier.ready()",
        "    import subprocess\n    helper = subprocess.Popen(['sleep', '3600'])\n"
        "    note.write(f'helper {helper.pid}\\n')\n    notifier.ready()",
    )
    supervisor = Supervisor([plan("relay-0", program)])
    started.append(supervisor)
    await supervisor.start()
    helper = int(notes(tmp_path, "relay-0")[1].split()[1])
    child = supervisor.child("relay-0")
    assert child.pid
    os.kill(child.pid, signal.SIGKILL)
    await until(lambda: not _runs(helper))


def _runs(pid: int) -> bool:
    """False for zombies too: an orphan of an orphan may wait for a reaper."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_children_die_with_a_killed_supervisor(tmp_path: Path) -> None:
    program = f"""
    import asyncio, os, sys
    from livecommerce.ops.children import Plan
    from livecommerce.ops.supervisor import Supervisor
    async def main():
        plans = [Plan(n, [sys.executable, "-c", {GOOD!r}, {str(tmp_path)!r} + "/" + n], dict(os.environ), 0, 1.0)
                 for n in ("web-0", "worker")]
        supervisor = Supervisor(plans)
        await supervisor.start()
        print("pids", *[child.pid for child in supervisor.children], flush=True)
        await asyncio.sleep(3600)
    asyncio.run(main())
    """
    supervisor = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout
    line = next(line for line in supervisor.stdout if line.startswith("pids"))
    pids = [int(word) for word in line.split()[1:]]
    assert len(pids) == 2
    assert all(_runs(pid) for pid in pids)
    supervisor.kill()
    supervisor.wait()
    limit = time.monotonic() + 10
    while any(_runs(pid) for pid in pids) and time.monotonic() < limit:
        time.sleep(0.02)
    assert not any(_runs(pid) for pid in pids)
    supervisor.stdout.close()


def test_delays_double_with_jitter_up_to_five_seconds_and_a_calm_minute_forgives() -> None:
    backoff = Backoff(source=random.Random(7))
    delays = [backoff.after_death(0.1) for _ in range(12)]
    ceilings = [0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 5, 5, 5, 5, 5]
    assert all(ceiling / 2 <= delay <= ceiling for delay, ceiling in zip(delays, ceilings, strict=True))
    assert backoff.after_death(61.0) <= 0.2


@pytest.mark.parametrize(
    ("code", "words"),
    [(-9, "killed by SIGKILL"), (-11, "killed by SIGSEGV"), (1, "exit code 1"), (78, "its configuration is refused")],
)
def test_exits_are_explained(code: int, words: str) -> None:
    assert explain_exit(code).startswith(words)


async def test_the_lock_descriptor_is_inherited(plan, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    child = Child(plan("web-0", GOOD), inherit=[writer])
    child.start()
    await until(lambda: child.ready.is_set())
    assert Path(f"/proc/{child.pid}/fd/{writer}").exists()
    await child.stop(3.0)
    os.close(reader)
    os.close(writer)
