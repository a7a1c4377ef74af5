"""A reader gets each fact once and in order; what it has not passed is kept; what it raises changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from livecommerce.records import fact_readers
from livecommerce.records.database import Database
from livecommerce.records.errors import FactRefused
from livecommerce.records.fact_readers import FactReaders, Progress, Pruned, Reader, Waiting
from livecommerce.records.facts import Fact, append
from livecommerce.records.tables import facts
from tests.records.tally import TALLY, Rested, start_tally, strike, tallied

SHOP = "lingling"


async def rest(database: Database, times: int) -> None:
    async with database.write() as connection:
        await append(connection, SHOP, [Fact.of(SHOP, "bell", Rested())] * times)


async def ids_kept(database: Database) -> list[int]:
    async with database.read() as connection:
        return list((await connection.execute(select(facts.c.id).order_by(facts.c.id))).scalars())


async def test_facts_are_handed_over_once_in_order_and_in_bites(database: Database) -> None:
    readers = await start_tally(database)
    await strike(database, 10, 20, 30)
    assert await readers.waiting() == [Waiting("tally", SHOP, 3)]
    assert await readers.read(TALLY, SHOP, 2) == Progress(2, 2, True)
    assert await readers.read(TALLY, SHOP, 2) == Progress(1, 3, False)
    assert await readers.read(TALLY, SHOP, 2) is None
    assert await tallied(database) == [(SHOP, 1, 10), (SHOP, 2, 20), (SHOP, 3, 30)]
    assert await readers.waiting() == []


async def test_kinds_nobody_asked_for_are_passed(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fact_readers, "LOOKED_OVER_MAX", 4)
    readers = await start_tally(database)
    await rest(database, 6)
    await strike(database, 1)
    await rest(database, 1)
    assert await readers.read(TALLY, SHOP) == Progress(0, 4, True), "no longer look than its limit"
    assert await readers.read(TALLY, SHOP) == Progress(1, 8, False)
    assert await tallied(database) == [(SHOP, 7, 1)]


async def test_each_reader_and_shop_has_its_own_position(database: Database) -> None:
    readers = await start_tally(database)
    await strike(database, 1)
    await strike(database, 2, shop="other")
    late = replace(TALLY, name="late")
    assert await readers.register("late")
    assert not await readers.register("late"), "it is known"
    assert await readers.read(TALLY, SHOP) == Progress(1, 1, False)
    assert await readers.waiting() == [
        Waiting("late", SHOP, 1),
        Waiting("late", "other", 1),
        Waiting("tally", "other", 1),
    ]
    assert await readers.read(late, SHOP) == Progress(1, 1, False)
    assert await readers.read(TALLY, "other") == Progress(1, 1, False)
    assert await tallied(database) == [(SHOP, 1, 1), (SHOP, 1, 1), ("other", 1, 2)]


async def test_a_reader_of_now_begins_with_the_next_fact(database: Database) -> None:
    readers = await start_tally(database)
    now = replace(TALLY, name="now")
    await strike(database, 1)
    assert await readers.register("now", "now")
    await strike(database, 2)
    await strike(database, 3, shop="new")
    assert await readers.read(now, SHOP) == Progress(1, 2, False)
    assert await readers.read(now, "new") == Progress(1, 1, False)
    assert await tallied(database) == [(SHOP, 2, 2), ("new", 1, 3)]


async def test_who_is_not_registered_reads_nothing(database: Database) -> None:
    readers = await start_tally(database)
    await strike(database, 1)
    assert await readers.read(replace(TALLY, name="stranger"), SHOP) is None
    assert await readers.forget("tally")
    assert not await readers.forget("tally")
    assert await readers.read(TALLY, SHOP) is None
    assert await tallied(database) == []


@pytest.mark.parametrize("writes_first", [False, True])
async def test_what_a_reader_raises_takes_everything_back(database: Database, writes_first: bool) -> None:
    readers = await start_tally(database)

    async def poisoned(connection: AsyncConnection, happened: Sequence[Fact]) -> None:
        if writes_first:
            await TALLY.handle(connection, happened)
        raise ZeroDivisionError

    await strike(database, 1, 2)
    with pytest.raises(FactRefused) as refusal:
        await readers.read(replace(TALLY, handle=poisoned), SHOP)
    assert refusal.value.details == {"reader": "tally", "shop": SHOP, "first": 1, "last": 2}
    assert isinstance(refusal.value.__cause__, ZeroDivisionError)
    assert await tallied(database) == []
    assert await readers.read(TALLY, SHOP) == Progress(2, 2, False), "it is read again from where it stood"


async def test_two_processes_of_one_reader_take_turns(database: Database, database_url: str) -> None:
    """The second finds it taken (PostgreSQL) or waits for the first to end (SQLite); it never reads the same."""
    readers = await start_tally(database)
    other = Database(database_url)
    inside, may_end = asyncio.Event(), asyncio.Event()

    async def slow(connection: AsyncConnection, happened: Sequence[Fact]) -> None:
        inside.set()
        await may_end.wait()
        await TALLY.handle(connection, happened)

    await strike(database, 1, 2)
    first = asyncio.create_task(readers.read(replace(TALLY, handle=slow), SHOP))
    await inside.wait()
    second = asyncio.create_task(FactReaders(other).read(TALLY, SHOP))
    if not other.is_sqlite:
        assert await second is None
    may_end.set()
    assert await first == Progress(2, 2, False)
    assert await second is None
    assert await tallied(database) == [(SHOP, 1, 1), (SHOP, 2, 2)]
    await other.close()


async def test_pruning_keeps_what_is_young_or_not_passed(database: Database) -> None:
    readers = await start_tally(database)
    await readers.register("away")
    for number in (1, 2, 3):
        await strike(database, number, at_ms=number * 1_000)
    assert await readers.prune(3_000) == Pruned(0, False, frozenset({"away", "tally"}))
    await readers.read(TALLY, SHOP)
    assert await readers.prune(3_000) == Pruned(0, False, frozenset({"away"}))
    await readers.read(replace(TALLY, name="away"), SHOP, 1)
    assert await readers.prune(3_000) == Pruned(1, False, frozenset({"away"}))
    assert await ids_kept(database) == [2, 3]
    await readers.forget("away")
    assert await readers.prune(3_000) == Pruned(1, False, frozenset())
    assert await ids_kept(database) == [3], "the third is young"
    assert await readers.register("late")
    assert await readers.waiting() == [Waiting("late", SHOP, 1)], "it begins with what is kept"
    await readers.read(replace(TALLY, name="late"), SHOP)
    assert await readers.prune(9_000) == Pruned(1, False, frozenset())
    await strike(database, 4)
    assert await ids_kept(database) == [4], "numbers go on where they were"


async def test_pruning_cuts_from_the_front_whatever_the_clocks_said(database: Database) -> None:
    readers = await start_tally(database)
    for number, at_ms in ((1, 1_000), (2, 9_000), (3, 1_000)):
        await strike(database, number, at_ms=at_ms)
    await readers.read(TALLY, SHOP)
    assert await readers.prune(5_000) == Pruned(1, False, frozenset())
    assert await ids_kept(database) == [2, 3]


async def test_pruning_goes_in_steps_and_says_when_there_is_more(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fact_readers, "PRUNED_MAX", 2)
    monkeypatch.setattr(fact_readers, "PRUNE_STEPS_MAX", 2)
    readers = await start_tally(database)
    await strike(database, *range(7), at_ms=1_000)
    await readers.read(TALLY, SHOP)
    assert await readers.prune(5_000) == Pruned(4, True, frozenset())
    assert await readers.prune(5_000) == Pruned(3, False, frozenset())
    async with database.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(facts))).scalar() == 0


async def test_a_reader_that_appends_facts_of_its_own(database: Database) -> None:
    """What follows from a fact may be a fact: it waits for the next look and does not stop this one."""
    readers = await start_tally(database)

    async def echo(connection: AsyncConnection, happened: Sequence[Fact]) -> None:
        await append(connection, SHOP, [Fact.of(SHOP, fact.subject, Rested()) for fact in happened])

    await strike(database, 1)
    assert await readers.read(Reader("tally", TALLY.kinds, echo), SHOP) == Progress(1, 1, False)
    assert await ids_kept(database) == [1, 2]
    assert await readers.waiting() == [Waiting("tally", SHOP, 1)]
