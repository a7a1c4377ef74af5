"""A reader that writes one row for each fact it is given, so that a test sees what was counted, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from livecommerce.records.database import Database
from livecommerce.records.fact_readers import FactReaders, Reader
from livecommerce.records.facts import Fact, FactBody, append


class Struck(FactBody, frozen=True):
    KIND: ClassVar[str] = "bell.struck"

    times: int


class Rested(FactBody, frozen=True):
    KIND: ClassVar[str] = "bell.rested"


async def _count(connection: AsyncConnection, facts: Sequence[Fact]) -> None:
    rows = [{"shop": fact.shop, "fact": fact.id, "times": fact.body_as(Struck).times} for fact in facts]
    await connection.execute(text("INSERT INTO tally VALUES (:shop, :fact, :times)"), rows)


TALLY = Reader("tally", (Struck.KIND,), _count)


async def start_tally(database: Database) -> FactReaders:
    """The table, without any key that would hide a fact counted twice, and the registered reader."""
    async with database.write() as connection:
        await connection.execute(text("CREATE TABLE tally (shop TEXT, fact BIGINT, times BIGINT)"))
    readers = FactReaders(database)
    assert await readers.register(TALLY.name)
    return readers


async def tallied(database: Database) -> list[tuple[str, int, int]]:
    """(shop, fact, times), in the order of shops and facts."""
    async with database.read() as connection:
        rows = await connection.execute(text("SELECT shop, fact, times FROM tally ORDER BY shop, fact"))
        return [(row.shop, row.fact, row.times) for row in rows]


async def strike(database: Database, *times: int, shop: str = "lingling", at_ms: int | None = None) -> None:
    """Appends one fact a number, in one transaction."""
    async with database.write() as connection:
        await append(connection, shop, [Fact.of(shop, f"bell-{number}", Struck(number), at_ms) for number in times])
