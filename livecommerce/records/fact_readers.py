"""Readers of the facts: each counts every fact exactly once, wherever its process is killed.

What a reader makes of facts and its new position are one transaction. A reader with effects outside of SQL (a webhook,
a mail) therefore sends nothing in its `handle`: it writes rows into an outbox table, and a sender of its own takes them
from there, again and again until the other side has confirmed, with the row's id as the idempotency key.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

from msgspec import Struct
from sqlalchemy import Table, and_, delete, func, select, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from livecommerce.records.database import Database
from livecommerce.records.errors import FactRefused
from livecommerce.records.facts import Fact
from livecommerce.records.rows import as_struct, now_ms
from livecommerce.records.tables import fact_numbers, fact_readers, facts, positions

HANDLED_MAX = 100  # facts in one transaction of a reader: it holds SQLite's write lock some tens of milliseconds
LOOKED_OVER_MAX = 5_000  # numbers that one read passes in search of its kinds: bounds the scan of who reads rare ones
PRUNED_MAX = 500  # facts deleted in one transaction
PRUNE_STEPS_MAX = 20  # transactions of one shop in one call, then the next shop has its turn
WAITING_ALARM = 100_000  # before one reader in one shop: hours of a big shop's sales; somebody should look

Handle = Callable[[AsyncConnection, Sequence[Fact]], Awaitable[None]]


class Reader(Struct, frozen=True):
    """A reader: its name (as registered), the kinds it asks for, and what it makes of them.

    `handle(connection, facts)` gets 1–HANDLED_MAX facts of one shop in their order, in the transaction that also moves
    the position. It writes through `connection` and does nothing else. What it raises takes everything back.
    """

    name: str
    kinds: tuple[str, ...]
    handle: Handle


class Progress(Struct, frozen=True):
    """What one read did: facts handled, the id of the last that this reader has now passed, whether more was there."""

    handled: int
    position: int
    more: bool


class Waiting(Struct, frozen=True):
    """Facts of a shop that a registered reader has not passed, of whatever kind."""

    reader: str
    shop: str
    facts: int


class Pruned(Struct, frozen=True):
    """`more`: old facts are left for another call. `held_by`: readers that kept old facts because they are behind."""

    deleted: int
    more: bool
    held_by: frozenset[str]


async def _insert_missing(connection: AsyncConnection, table: Table, values: dict[str, object]) -> bool:
    """Inserts a row unless its key is there; whether it was inserted."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    done = await connection.execute(dialect.insert(table).values(values).on_conflict_do_nothing())
    return done.rowcount == 1


class FactReaders:
    """The registered readers, how far they are, and what may be forgotten. One per process is enough."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._begun: set[tuple[str, str]] = set()  # (reader, shop) that have a row: as many as the table's

    async def register(self, reader: str, start: Literal["oldest", "now"] = "oldest") -> bool:
        """Makes a reader known: from here on facts are kept until it has passed them. False when it was known.

        Args:
            start: with the oldest fact that is kept, or with the next one of each shop. A shop without facts yet is
                read from its first fact on either way.
        """
        async with self._database.write() as connection:
            if not await _insert_missing(connection, fact_readers, {"reader": reader, "registered_ms": now_ms()}):
                return False
            kept = select(facts.c.shop, func.min(facts.c.id).label("oldest")).group_by(facts.c.shop).subquery()
            statement = select(fact_numbers.c.shop, fact_numbers.c.last, kept.c.oldest).outerjoin(
                kept, kept.c.shop == fact_numbers.c.shop
            )
            for shop, last, oldest in (await connection.execute(statement)).all():
                position = last if start == "now" or oldest is None else oldest - 1
                values = {"reader": reader, "shop": shop, "position": position, "updated_ms": now_ms()}
                await connection.execute(positions.insert().values(values))
            return True

    async def forget(self, reader: str) -> bool:
        """Forgets a reader and its positions; what it alone held may be pruned now. False when nobody knew it."""
        async with self._database.write() as connection:
            done = await connection.execute(delete(fact_readers).where(fact_readers.c.reader == reader))
            return done.rowcount == 1

    async def waiting(self) -> list[Waiting]:
        """Every reader and shop where facts wait; one statement however many there are, cheap enough to poll."""
        behind = fact_numbers.c.last - func.coalesce(positions.c.position, 0)
        statement = (
            select(fact_readers.c.reader, fact_numbers.c.shop, behind.label("facts"))
            .select_from(fact_readers)
            .join(fact_numbers, true())
            .outerjoin(
                positions,
                and_(positions.c.reader == fact_readers.c.reader, positions.c.shop == fact_numbers.c.shop),
            )
            .where(behind > 0)
            .order_by(fact_readers.c.reader, fact_numbers.c.shop)
        )
        async with self._database.read() as connection:
            return [Waiting(*row) for row in await connection.execute(statement)]

    async def read(self, reader: Reader, shop: str, limit: int = HANDLED_MAX) -> Progress | None:
        """Hands the next facts to the reader and moves its position, in one transaction.

        Facts of other kinds are passed unread. None when there is nothing new, the reader is not registered, or
        another process is reading for it at this moment.

        Raises:
            FactRefused: `handle` raised (its error is the cause); nothing changed, the position stays.
                `details`: reader, shop, first, last (ids of the facts it was given).
            DatabaseAway, StorageFull: the database is away; nothing changed.
        """
        if (reader.name, shop) not in self._begun and not await self._begin(reader.name, shop):
            return None
        mine = and_(positions.c.reader == reader.name, positions.c.shop == shop)
        async with self._database.write() as connection:
            # Skip instead of wait: a waiting process would keep one of its few connections and then find nothing to do.
            locked = select(positions.c.position).where(mine).with_for_update(skip_locked=True)
            position = (await connection.execute(locked)).scalar()
            if position is None:
                self._begun.discard((reader.name, shop))  # another has it, or it was forgotten: look again next time
                return None
            # Before the facts: what this number counts is committed, so the next statement sees all of it.
            number = select(fact_numbers.c.last).where(fact_numbers.c.shop == shop)
            last = (await connection.execute(number)).scalar() or 0
            until = min(last, position + LOOKED_OVER_MAX)
            if until <= position:
                return None
            next_facts = (
                select(facts)
                .where(facts.c.shop == shop, facts.c.id > position, facts.c.id <= until)
                .where(facts.c.kind.in_(reader.kinds))
                .order_by(facts.c.id)
                .limit(limit)
            )
            found = [as_struct(row, Fact) for row in await connection.execute(next_facts)]
            if len(found) == limit:
                until = found[-1].id
            if found:
                try:
                    await reader.handle(connection, found)
                except Exception as error:
                    raise FactRefused(reader=reader.name, shop=shop, first=found[0].id, last=found[-1].id) from error
            await connection.execute(update(positions).where(mine).values(position=until, updated_ms=now_ms()))
            return Progress(len(found), until, until < last)

    async def _begin(self, reader: str, shop: str) -> bool:
        """Makes sure that the reader has a position in this shop; False when nobody registered it.

        In a transaction of its own: in the one that reads, a second process would wait for the first to end.
        """
        async with self._database.write() as connection:
            # The lock holds off `forget` for as long as the row refers to it.
            known = select(fact_readers.c.reader).where(fact_readers.c.reader == reader).with_for_update(read=True)
            if (await connection.execute(known)).first() is None:
                return False
            values = {"reader": reader, "shop": shop, "position": 0, "updated_ms": now_ms()}
            await _insert_missing(connection, positions, values)
        self._begun.add((reader, shop))
        return True

    async def prune(self, before_ms: int) -> Pruned:
        """Deletes facts that happened before `before_ms`, from the front of each shop's log, and only those that every
        registered reader has passed. Bounded: call it again while `more`."""
        deleted, more = 0, False
        held_by: set[str] = set()
        async with self._database.read() as connection:
            shops = list((await connection.execute(select(fact_numbers.c.shop))).scalars())
        for shop in shops:
            for _ in range(PRUNE_STEPS_MAX):
                step = await self._prune_step(shop, before_ms)
                deleted += step.deleted
                held_by |= step.held_by
                if not step.more:
                    break
            else:
                more = True
        return Pruned(deleted, more, frozenset(held_by))

    async def _prune_step(self, shop: str, before_ms: int) -> Pruned:
        async with self._database.write() as connection:
            passed = func.coalesce(positions.c.position, 0)
            of_shop = and_(positions.c.reader == fact_readers.c.reader, positions.c.shop == shop)
            statement = select(fact_readers.c.reader, passed).outerjoin(positions, of_shop)
            readers: dict[str, int] = {row[0]: row[1] for row in await connection.execute(statement)}
            oldest = select(facts.c.id, facts.c.at_ms).where(facts.c.shop == shop).order_by(facts.c.id)
            rows = (await connection.execute(oldest.limit(PRUNED_MAX))).all()
            old: list[int] = []
            for number, at_ms in rows:  # only from the front: the log has no holes, whatever the clocks said
                if at_ms >= before_ms:
                    break
                old.append(number)
            if not old:
                return Pruned(0, False, frozenset())
            floor = min(readers.values(), default=old[-1])
            free = [number for number in old if number <= floor]
            if free:
                await connection.execute(delete(facts).where(facts.c.shop == shop, facts.c.id <= free[-1]))
            held_by = frozenset(name for name, position in readers.items() if position < old[-1])
            return Pruned(len(free), len(free) == PRUNED_MAX, held_by)
