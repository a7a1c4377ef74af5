"""The products of a shop as rows."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from livecommerce.catalogue import tables
from livecommerce.records.database import Database
from livecommerce.records.rows import as_struct, as_values, now_ms

PRODUCTS_MAX = 10_000  # of one shop; the comment parser is measured up to here


class ProductRecord(Struct, frozen=True):
    """A product row. `options` is a list of {"axis", "values": [{"value", "short": […]}]}."""

    shop: str
    code: str
    code_folded: str
    position: int
    names: list[str]
    name_en: str
    options: list[dict[str, Any]]
    price_minor: int
    compare_at_minor: int | None
    currency: str
    picture: str
    description: str
    limit_per_viewer: int
    created_ms: int = 0
    updated_ms: int = 0


class ProductRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_shop(self, shop: str) -> list[ProductRecord]:
        """Products in shop order."""
        table = tables.products
        statement = select(table).where(table.c.shop == shop)
        async with self._database.read() as connection:
            rows = await connection.execute(statement.order_by(table.c.position, table.c.code).limit(PRODUCTS_MAX))
            return [as_struct(row, ProductRecord) for row in rows]

    async def by_folded(self, shop: str, code_folded: str) -> ProductRecord | None:
        table = tables.products
        statement = select(table).where(table.c.shop == shop, table.c.code_folded == code_folded)
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).first()
        return as_struct(row, ProductRecord) if row else None

    async def count(self, shop: str) -> int:
        statement = select(func.count()).select_from(tables.products).where(tables.products.c.shop == shop)
        async with self._database.read() as connection:
            return (await connection.execute(statement)).scalar_one()

    async def add(self, record: ProductRecord) -> ProductRecord | None:
        """Stores a new product at the end of the list; None when its code (folded) is taken."""
        table, now = tables.products, now_ms()
        try:
            async with self._database.write() as connection:
                last = select(func.max(table.c.position)).where(table.c.shop == record.shop)
                position = ((await connection.execute(last)).scalar() or 0) + 1
                record = msgspec.structs.replace(record, position=position, created_ms=now, updated_ms=now)
                await connection.execute(insert(table).values(as_values(record)))
        except IntegrityError:
            return None
        return record

    async def replace(self, record: ProductRecord) -> bool:
        """Changes a product in place (its code stays); False when there is none."""
        table = tables.products
        values = as_values(record, without=["shop", "code", "code_folded", "position", "created_ms"])
        values["updated_ms"] = now_ms()
        statement = update(table).where(table.c.shop == record.shop, table.c.code == record.code).values(values)
        async with self._database.write() as connection:
            return (await connection.execute(statement)).rowcount == 1

    async def remove(self, shop: str, code: str) -> bool:
        """Deletes a product. Shows that have it keep their own copy."""
        table = tables.products
        async with self._database.write() as connection:
            done = await connection.execute(delete(table).where(table.c.shop == shop, table.c.code == code))
        return done.rowcount == 1
