"""The loop: a reader that fails stands before that one fact, says so with a number, and stops nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from livecommerce.records import fact_loop, fact_readers
from livecommerce.records.database import Database
from livecommerce.records.fact_loop import FactLoop
from livecommerce.records.facts import Fact
from tests.records.tally import TALLY, start_tally, strike, tallied

POISON = 13


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], None]]:
    """Moves the loop's monotonic clock on by so many seconds."""
    now = 1_000.0

    def passes(seconds: float) -> None:
        nonlocal now
        now += seconds

    # the name in this module alone: asyncio has the same clock
    monkeypatch.setattr(fact_loop, "time", SimpleNamespace(monotonic=lambda: now))
    return passes


async def test_a_poison_fact_stops_its_reader_there_and_no_other(
    database: Database, clock: Callable[[float], None]
) -> None:
    poisonous = True

    async def picky(connection: AsyncConnection, happened: Sequence[Fact]) -> None:
        await TALLY.handle(connection, happened)
        if poisonous and any(fact.body["times"] == POISON for fact in happened):
            raise ZeroDivisionError("thirteen")

    readers = await start_tally(database)
    await readers.register("picky")
    loop = FactLoop(database, [replace(TALLY, name="picky", handle=picky), TALLY])
    await strike(database, 1, 2, POISON, 4)
    await strike(database, 7, shop="other")

    async def until_idle() -> None:
        while await loop.step():
            pass

    with capture_logs() as logs:
        await until_idle()
    (told,) = [entry for entry in logs if entry["log_level"] == "error"]
    assert (told["number"], told["reader"], told["shop"], told["fact"]) == (6020, "picky", "lingling", 3)
    assert "thirteen" in told["error"]
    by_tally = [("lingling", 1, 1), ("lingling", 2, 2), ("lingling", 3, POISON), ("lingling", 4, 4), ("other", 1, 7)]
    by_picky = [("lingling", 1, 1), ("lingling", 2, 2), ("other", 1, 7)]
    assert await tallied(database) == sorted(by_tally + by_picky)

    with capture_logs() as logs:
        await until_idle()
    assert logs == [], "it rests"
    assert (loop.figures()["stopped"], loop.figures()["waiting"]) == (1, 2)

    clock(fact_loop.BACKOFF_SECONDS[0])
    with capture_logs() as logs:
        await until_idle()
    assert [entry["seconds"] for entry in logs] == [fact_loop.BACKOFF_SECONDS[1]], "tried once more, rests longer"

    poisonous = False
    clock(fact_loop.BACKOFF_SECONDS[1])
    await until_idle()
    assert await tallied(database) == sorted(by_tally * 2)
    await loop.step()
    assert (loop.figures()["stopped"], loop.figures()["waiting"]) == (0, 0)
    assert loop.figures()["read"] == 10


async def test_a_handle_that_spoils_its_transaction_stops_no_other(
    database: Database, clock: Callable[[float], None]
) -> None:
    async def spoil(connection: AsyncConnection, happened: Sequence[Fact]) -> None:
        await connection.rollback()

    readers = await start_tally(database)
    await readers.register("spoiler")
    await strike(database, 1)
    loop = FactLoop(database, [replace(TALLY, name="spoiler", handle=spoil), TALLY])
    with capture_logs() as logs:
        assert not await loop.step()
    assert [(entry["reader"], entry["seconds"]) for entry in logs] == [("spoiler", fact_loop.BACKOFF_SECONDS[0])]
    assert await tallied(database) == [("lingling", 1, 1)]
    assert [entry.reader for entry in await readers.waiting()] == ["spoiler"]


async def test_it_registers_its_readers_reads_what_comes_and_stops(database: Database) -> None:
    readers = await start_tally(database)
    await readers.forget("tally")
    await strike(database, 1)
    stop = asyncio.Event()
    running = asyncio.create_task(FactLoop(database, [TALLY]).run(stop))
    while len(await tallied(database)) < 1:
        await asyncio.sleep(0.01)
    await strike(database, 2)
    while len(await tallied(database)) < 2:
        await asyncio.sleep(0.01)
    stop.set()
    await running


async def test_it_deletes_old_facts_and_tells_who_keeps_them(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fact_loop, "WAITING_ALARM", 2)
    readers = await start_tally(database)
    await strike(database, 1, 2, at_ms=1_000)
    await readers.read(TALLY, "lingling", 1)
    await readers.register("away")
    await strike(database, 3, at_ms=1_000)
    loop, stop = FactLoop(database, [TALLY]), asyncio.Event()
    with capture_logs() as logs:
        running = asyncio.create_task(loop.run(stop))
        while not any("kept past" in entry["event"] for entry in logs):
            await asyncio.sleep(0.01)
        stop.set()
        await running
    assert [(entry["reader"], entry["facts"]) for entry in logs if "far behind" in entry["event"]] == [("away", 3)]
    assert [entry["readers"] for entry in logs if "kept past" in entry["event"]] == [["away"]]


async def test_it_outlives_a_database_that_is_away(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await start_tally(database)
    await strike(database, 1)
    loop, stop = FactLoop(database, [TALLY]), asyncio.Event()
    away = True
    look = loop.step

    async def step() -> bool:
        if away:
            raise ConnectionRefusedError
        return await look()

    monkeypatch.setattr(loop, "step", step)
    monkeypatch.setattr(fact_loop, "BACKOFF_SECONDS", (0.01,))
    running = asyncio.create_task(loop.run(stop))
    while loop.figures()["faults"] < 3:
        await asyncio.sleep(0.01)
    away = False
    while not await tallied(database):
        await asyncio.sleep(0.01)
    stop.set()
    await running


async def test_of_a_batch_that_was_refused_each_fact_is_read_alone(
    database: Database, clock: Callable[[float], None]
) -> None:
    """Up to its last one: else the same batch would be refused again after each fact that is good."""
    handed: list[int] = []

    async def picky(connection: AsyncConnection, happened: Sequence[Fact]) -> None:
        handed.append(len(happened))
        if any(fact.body["times"] == POISON for fact in happened):
            raise ZeroDivisionError("thirteen")

    readers = await start_tally(database)
    await readers.register("picky")
    await strike(database, 1, 2, 3, POISON, 5)
    loop = FactLoop(database, [replace(TALLY, name="picky", handle=picky)])
    while await loop.step():
        pass
    assert handed == [5, 1, 1, 1, 1]


async def test_old_facts_go_until_none_is_left_and_then_it_rests(
    database: Database, monkeypatch: pytest.MonkeyPatch, clock: Callable[[float], None]
) -> None:
    monkeypatch.setattr(fact_readers, "PRUNED_MAX", 1)
    monkeypatch.setattr(fact_readers, "PRUNE_STEPS_MAX", 2)
    readers = await start_tally(database)

    async def pruned_in_a_row(*rounds: int) -> list[float]:
        before = loop.figures()["pruned"]
        found = []
        for _ in rounds:
            await loop._prune_sometimes()
            found.append(loop.figures()["pruned"] - before)
        return found

    loop = FactLoop(database, [TALLY])
    await strike(database, 1, 2, 3, 4, 5, at_ms=1_000)
    await readers.read(TALLY, "lingling")
    assert await pruned_in_a_row(1, 2, 3) == [2, 4, 5]
    await strike(database, 6, at_ms=1_000)
    await readers.read(TALLY, "lingling")
    assert await pruned_in_a_row(1) == [0], "the next clean-up is minutes away"
    clock(fact_loop.PRUNE_SECONDS)
    assert await pruned_in_a_row(1) == [1]
