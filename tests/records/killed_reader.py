"""Runs a reader of facts in processes that die by SIGKILL at chosen and at random moments.

For the tests of every room that has a reader: append facts, `await kill_reader(...)`, then look at the room's own
tables, where each fact must count once.
"""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys

from livecommerce.records.database import Database
from livecommerce.records.fact_readers import FactReaders
from tests.tidy.sources import ROOT

_PROCESS = """
import asyncio, importlib, os, signal, sys
from msgspec.structs import replace
from livecommerce.records import fact_loop
from livecommerce.records.database import Database

url, module, name, facts_at_once, dies_at = sys.argv[1:]
fact_loop.HANDLED_MAX = int(facts_at_once)  # many small transactions: more places to die in
reader = getattr(importlib.import_module(module), name)
handled = 0

async def handle(connection, facts):
    global handled
    await reader.handle(connection, facts)
    handled += 1
    if handled == int(dies_at):  # what it made is written, neither the position nor the commit is
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    database = Database(url)
    print("up", flush=True)
    await fact_loop.FactLoop(database, [replace(reader, handle=handle)]).run(asyncio.Event())

asyncio.run(main())
"""
FACTS_AT_ONCE = 2
SECONDS_MAX = 0.4  # of life of a process that is killed from outside: some hundred transactions


def _start(url: str, reader: str, dies_at: int = 0) -> subprocess.Popen[bytes]:
    module, _, name = reader.partition(":")
    arguments = [sys.executable, "-c", _PROCESS, url, module, name, str(FACTS_AT_ONCE), str(dies_at)]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    return process


def _end(process: subprocess.Popen[bytes]) -> int:
    process.kill()
    code = process.wait()
    assert process.stdout is not None
    process.stdout.close()
    return code


async def _facts_waiting(url: str, reader: str) -> int:
    database = Database(url)
    try:
        return sum(entry.facts for entry in await FactReaders(database).waiting() if entry.reader == reader)
    finally:
        await database.close()


async def kill_reader(url: str, reader: str, name: str, *, rounds: int, seed: int) -> None:
    """Kills `rounds` processes of one reader, then lets two at once read to the end.

    Every other process kills itself after its reader has written and before the transaction ends; the rest are killed
    from outside whenever it happens to be. Enough facts must be there, or be appended meanwhile, for all rounds.

    Args:
        reader: where the Reader is, as `tests.records.tally:TALLY`; `name` is the one it is registered by.
    """
    chance = random.Random(seed)
    for number in range(rounds):
        within = number % 2 == 0
        process = await asyncio.to_thread(_start, url, reader, chance.randint(1, 6) if within else 0)
        if within:
            code = await asyncio.to_thread(process.wait)
            assert code == -signal.SIGKILL, f"round {number} of seed {seed}: it ended by itself with {code}"
        else:
            await asyncio.sleep(chance.uniform(0.0, SECONDS_MAX))
            assert process.poll() is None, f"round {number} of seed {seed}: it ended by itself"
        _end(process)
        assert await _facts_waiting(url, name), f"round {number} of seed {seed}: nothing left to be killed at"
    together = [await asyncio.to_thread(_start, url, reader) for _ in range(2)]
    try:
        while await _facts_waiting(url, name):
            assert all(process.poll() is None for process in together)
            await asyncio.sleep(0.05)
    finally:
        for process in together:
            _end(process)
