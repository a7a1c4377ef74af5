"""Shows as they were set up. What is live right now is in Valkey; this is what a shop typed and keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from livecommerce.errors import ShowUnknown
from livecommerce.records.database import Database
from livecommerce.records.rows import as_struct, as_values, now_ms
from livecommerce.shows import tables

SHOWS_OPEN_MAX = 20  # of a shop, whose counters are kept true while another of them sells
PUBLISHED_MAX = 2_000  # of all shops, newest first: asked for every few seconds, and years of shows are nobody's page
SHOWS_LISTED_MAX = 200  # newest first; the studio shows a list, not an archive


class ShowItemRecord(Struct, frozen=True):
    """A product inside a show: `product` as it stood at set-up, `supply` pieces per sku asked for."""

    code: str
    position: int
    product: dict[str, Any]
    supply: dict[str, int]


class ShowRecord(Struct, frozen=True):
    id: str
    shop: str
    title: str
    currency: str
    packs: tuple[str, ...]
    limits: dict[str, int]
    hold_seconds: int
    settings: dict[str, Any]
    created_by: str
    starts_ms: int | None = None
    created_ms: int = 0
    published_ms: int | None = None
    revision: int = 1
    items: tuple[ShowItemRecord, ...] = ()


async def pictures_of_shows(connection: AsyncConnection) -> list[str]:
    """The addresses of the pictures in all shows, ended ones too: their replays show them."""
    rows = await connection.stream(select(tables.show_items.c.product))
    return [picture async for product in rows.scalars() if (picture := str(product.get("picture") or ""))]


class ShowRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, show: ShowRecord) -> ShowRecord | None:
        """Stores a new show with its items, unpublished; None when the id is taken."""
        show = msgspec.structs.replace(show, created_ms=now_ms(), published_ms=None)
        try:
            async with self._database.write() as connection:
                await connection.execute(insert(tables.shows).values(as_values(show, without=["items"])))
                await self._put_items(connection, show)
        except IntegrityError:
            return None
        return show

    async def replace_items(self, show: ShowRecord, items: Sequence[ShowItemRecord]) -> bool:
        """Sets the items of a show; False when its revision is no longer the one of `show`."""
        table = tables.shows
        statement = update(table).where(table.c.id == show.id, table.c.revision == show.revision)
        async with self._database.write() as connection:
            done = await connection.execute(statement.values(revision=show.revision + 1))
            if done.rowcount != 1:
                return False
            await connection.execute(delete(tables.show_items).where(tables.show_items.c.show == show.id))
            await self._put_items(connection, msgspec.structs.replace(show, items=tuple(items)))
        return True

    async def mend(self, show: ShowRecord) -> bool:
        """Sets items and limits of a show that is not on air; False when it is, or its revision is another."""
        table = tables.shows
        is_it = (table.c.id == show.id, table.c.revision == show.revision, table.c.published_ms.is_(None))
        values = {"revision": show.revision + 1, "limits": show.limits, "hold_seconds": show.hold_seconds}
        async with self._database.write() as connection:
            done = await connection.execute(update(table).where(*is_it).values(values))
            if done.rowcount != 1:
                return False
            await connection.execute(delete(tables.show_items).where(tables.show_items.c.show == show.id))
            await self._put_items(connection, show)
        return True

    async def remove_unpublished(self, show: str) -> bool:
        """Deletes a set-up that never went on air; False when it did."""
        table = tables.shows
        async with self._database.write() as connection:
            waiting = await connection.execute(
                select(table.c.id).where(table.c.id == show, table.c.published_ms.is_(None)).with_for_update()
            )
            if waiting.first() is None:
                return False
            await connection.execute(delete(tables.show_items).where(tables.show_items.c.show == show))
            await connection.execute(delete(table).where(table.c.id == show))
        return True

    async def _put_items(self, connection: AsyncConnection, show: ShowRecord) -> None:
        if show.items:
            rows = [{"show": show.id, **as_values(item)} for item in show.items]
            await connection.execute(insert(tables.show_items), rows)

    async def _items(self, connection: AsyncConnection, show: str) -> tuple[ShowItemRecord, ...]:
        table = tables.show_items
        rows = await connection.execute(select(table).where(table.c.show == show).order_by(table.c.position))
        return tuple(as_struct(row, ShowItemRecord) for row in rows)

    async def get(self, show: str) -> ShowRecord | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(tables.shows).where(tables.shows.c.id == show))).first()
            return as_struct(row, ShowRecord, items=await self._items(connection, show)) if row else None

    async def own(self, shop: str, show: str) -> ShowRecord:
        """The show, if it is this shop's.

        Raises:
            ShowUnknown: also for a show of another shop, so that ids cannot be probed.
        """
        record = await self.get(show)
        if record is None or record.shop != shop:
            raise ShowUnknown
        return record

    async def of_shop(self, shop: str) -> list[ShowRecord]:
        """Shows of a shop, newest first, without their items."""
        table = tables.shows
        statement = select(table).where(table.c.shop == shop).order_by(table.c.created_ms.desc(), table.c.id)
        async with self._database.read() as connection:
            return [as_struct(row, ShowRecord) for row in await connection.execute(statement.limit(SHOWS_LISTED_MAX))]

    async def published(self) -> dict[str, list[str]]:
        """{shop: its shows that pages may have open}, newest first."""
        table = tables.shows
        statement = select(table.c.shop, table.c.id).where(table.c.published_ms.is_not(None))
        found: dict[str, list[str]] = {}
        async with self._database.read() as connection:
            newest = statement.order_by(table.c.created_ms.desc()).limit(PUBLISHED_MAX)
            for row in await connection.execute(newest):
                shows = found.setdefault(row.shop, [])
                if len(shows) < SHOWS_OPEN_MAX:
                    shows.append(row.id)
        return found

    async def item_counts(self, shop: str) -> dict[str, int]:
        """Products by show."""
        items, table = tables.show_items, tables.shows
        statement = (
            select(items.c.show, func.count())
            .join(table, table.c.id == items.c.show)
            .where(table.c.shop == shop)
            .group_by(items.c.show)
        )
        async with self._database.read() as connection:
            return {row.show: row[1] for row in await connection.execute(statement)}

    async def unpublished(self) -> list[ShowRecord]:
        """Shows whose set-up did not reach Valkey, with items: a crash between the two writes left them."""
        table = tables.shows
        statement = select(table).where(table.c.published_ms.is_(None)).order_by(table.c.created_ms)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement.limit(SHOWS_LISTED_MAX))).all()
            return [as_struct(row, ShowRecord, items=await self._items(connection, row.id)) for row in rows]

    async def mark_published(self, show: str) -> None:
        async with self._database.write() as connection:
            await connection.execute(
                update(tables.shows).where(tables.shows.c.id == show).values(published_ms=now_ms())
            )
