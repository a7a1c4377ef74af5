"""Facts: what happened to money, parcels and people, appended in the transaction that made it so.

A shop's facts are numbered 1, 2, 3 … without gaps by a counter row (`fact_numbers`). Taking a number locks the row
until the transaction ends, so numbers become visible in their order: a reader that has seen 6 has seen 5. A sequence
would hand out 5 and 6 and let 6 be seen first, and the reader would pass 5 by. Comparing transaction ids
(`pg_snapshot_xmin`) would need no lock, but any forgotten transaction of the whole server stops every reader, and after
a restore into a new server, whose transaction ids start low, old facts would not be seen at all. The counter is the
same on SQLite, goes along with a dump, and tells how much is waiting by one subtraction. What it costs is in
docs/records.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from livecommerce.records.rows import now_ms
from livecommerce.records.tables import fact_numbers, facts

APPENDED_MAX = 1_000  # facts in one call: the shop's other transactions wait for this one to end


class FactBody(Struct, frozen=True):
    """What a fact of one kind tells. A room derives one struct a kind and names it with a noun and what happened to it.

    Fields are added with a default only; a change that an old reader would misread takes a new VERSION.
    """

    KIND: ClassVar[str]
    VERSION: ClassVar[int] = 1


Body = TypeVar("Body", bound=FactBody)


class Fact(Struct, frozen=True):
    """One thing that happened. `subject` is the id of what it happened to; `at_ms` is Unix milliseconds.

    `id` counts the facts of the shop from 1; 0 on one that is not appended yet.
    """

    shop: str
    kind: str
    subject: str
    at_ms: int
    version: int
    body: dict[str, Any]
    id: int = 0

    @classmethod
    def of(cls, shop: str, subject: str, body: FactBody, at_ms: int | None = None) -> Self:
        """A fact of the body's kind, now unless said otherwise."""
        at_ms = now_ms() if at_ms is None else at_ms
        return cls(shop, body.KIND, subject, at_ms, body.VERSION, msgspec.to_builtins(body))

    def body_as(self, kind: type[Body]) -> Body:
        """
        Raises:
            msgspec.ValidationError: the body is not of this kind's form.
        """
        return msgspec.convert(self.body, kind)


async def append(connection: AsyncConnection, shop: str, happened: Sequence[Fact]) -> None:
    """Appends facts of one shop in the caller's transaction: they stand if and only if the change they tell stands.

    Call it last in the transaction: from here to its end the shop's other appending transactions wait, and whoever
    takes this lock first and row locks afterwards can meet another coming the other way (PostgreSQL ends one of them).

    Raises:
        ValueError: more than APPENDED_MAX facts, or one of another shop.
    """
    if not happened:
        return
    if len(happened) > APPENDED_MAX or any(fact.shop != shop for fact in happened):
        raise ValueError(f"one call appends at most {APPENDED_MAX} facts of one shop")
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    counted = dialect.insert(fact_numbers).values(shop=shop, last=len(happened))
    count = counted.on_conflict_do_update(
        index_elements=["shop"], set_={"last": fact_numbers.c.last + counted.excluded.last}
    ).returning(fact_numbers.c.last)
    last = (await connection.execute(count)).scalar_one()
    rows = [
        {**msgspec.structs.asdict(fact), "id": last - len(happened) + number}
        for number, fact in enumerate(happened, start=1)
    ]
    await connection.execute(insert(facts), rows)
