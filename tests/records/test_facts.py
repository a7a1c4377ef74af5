"""Facts stand with their transaction, are numbered without gaps, and are seen in the order of their numbers."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from sqlalchemy import select, text

from livecommerce.errors import DatabaseAway
from livecommerce.records import database as database_module
from livecommerce.records.database import Database
from livecommerce.records.facts import APPENDED_MAX, Fact, append
from livecommerce.records.rows import as_struct
from livecommerce.records.tables import facts
from tests.records.tally import TALLY, Rested, Struck, start_tally, strike, tallied


async def kept(database: Database, shop: str = "lingling") -> list[Fact]:
    async with database.read() as connection:
        rows = await connection.execute(select(facts).where(facts.c.shop == shop).order_by(facts.c.id))
        return [as_struct(row, Fact) for row in rows]


async def test_what_is_appended_comes_out_the_same(database: Database) -> None:
    fact = Fact.of("lingling", "鐘", Struck(3), at_ms=1_700_000_000_000)
    async with database.write() as connection:
        await append(connection, "lingling", [fact])
    (found,) = await kept(database)
    assert found == msgspec.structs.replace(fact, id=1)
    assert (found.kind, found.version, found.body_as(Struck)) == ("bell.struck", 1, Struck(3))


async def test_a_body_of_another_form_is_told(database: Database) -> None:
    with pytest.raises(msgspec.ValidationError, match="times"):
        Fact.of("lingling", "bell", Rested()).body_as(Struck)


async def test_each_shop_counts_its_own_and_leaves_no_gap(database: Database) -> None:
    await strike(database, 1, 2)
    await strike(database, 3, shop="other")

    async def half() -> None:
        async with database.write() as connection:
            await append(connection, "lingling", [Fact.of("lingling", "bell", Struck(9))])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await half()
    await strike(database, 4)
    assert [(fact.id, fact.body["times"]) for fact in await kept(database)] == [(1, 1), (2, 2), (3, 4)]
    assert [fact.id for fact in await kept(database, "other")] == [1]


async def test_what_append_refuses(database: Database) -> None:
    bell = Fact.of("lingling", "bell", Struck(1))
    async with database.write() as connection:
        await append(connection, "lingling", [])
        for shop, happened in (("other", [bell]), ("lingling", [bell] * (APPENDED_MAX + 1))):
            with pytest.raises(ValueError, match="one call appends"):
                await append(connection, shop, happened)
        await append(connection, "lingling", [bell] * APPENDED_MAX)
    assert [fact.id for fact in await kept(database)] == list(range(1, APPENDED_MAX + 1))


async def test_appending_at_once_from_many_sides_numbers_everything_once(database: Database) -> None:
    await asyncio.gather(*(strike(database, number, number) for number in range(30)))
    found = await kept(database)
    assert [fact.id for fact in found] == list(range(1, 61))
    assert sorted(fact.body["times"] for fact in found) == sorted([*range(30), *range(30)])


async def _until_waiting_for_a_lock(database: Database) -> None:
    """Until PostgreSQL says that a connection waits for another's row; SQLite's writers queue before they begin."""
    while not database.is_sqlite:
        async with database.read() as connection:
            asked = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            if (await connection.execute(asked)).scalar():
                return
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("first_ends", ["commit", "rollback"])
async def test_a_later_fact_is_not_seen_before_an_earlier_one_has_ended(
    database: Database, database_url: str, first_ends: str
) -> None:
    """The trap of sequences: 6 commits, is read and passed, then 5 commits and is never seen."""
    readers = await start_tally(database)
    other = Database(database_url)
    appended, may_end = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with database.write() as connection:
            await append(connection, "lingling", [Fact.of("lingling", "bell", Struck(5))])
            appended.set()
            await may_end.wait()
            if first_ends == "rollback":
                raise ZeroDivisionError

    slow = asyncio.create_task(first())
    await appended.wait()
    quick = asyncio.create_task(strike(other, 6))
    await _until_waiting_for_a_lock(database)
    assert not quick.done()
    assert await readers.waiting() == [], "neither is there to be passed by"
    may_end.set()
    await asyncio.wait({slow, quick})
    assert quick.exception() is None
    assert (slow.exception() is None) == (first_ends == "commit")
    await readers.read(TALLY, "lingling")
    expected = [("lingling", 1, 5), ("lingling", 2, 6)] if first_ends == "commit" else [("lingling", 1, 6)]
    assert await tallied(database) == expected
    await other.close()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_process_that_stands_still_in_its_transaction_lets_the_others_go_on(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one whose machine lost the network: the server would keep its row locked for hours."""
    monkeypatch.setattr(database_module, "POSTGRES_IDLE_MS_MAX", 200)
    stuck = Database(database_url)
    with pytest.raises(DatabaseAway):
        await _append_and_stand_still(stuck, database)
    assert [fact.body["times"] for fact in await kept(database)] == [2]
    await stuck.close()


async def _append_and_stand_still(stuck: Database, other: Database) -> None:
    async with stuck.write() as connection:
        await append(connection, "lingling", [Fact.of("lingling", "bell", Struck(1))])
        await strike(other, 2)
