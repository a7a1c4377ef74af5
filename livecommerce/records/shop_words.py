"""The copy of a shop's own words: what is live is in Valkey, this is what comes back when that is lost."""

from __future__ import annotations

from sqlalchemy import select

from livecommerce.records import tables
from livecommerce.records.database import Database
from livecommerce.records.rows import as_struct, as_values, now_ms, upsert
from livecommerce.records.structs import ShopWordsRecord

SHOPS_MAX = 1_000  # as many as `ShopRepository.all` lists


class ShopWordsRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, shop: str) -> ShopWordsRecord | None:
        table = tables.shop_words
        async with self._database.read() as connection:
            row = (await connection.execute(select(table).where(table.c.shop == shop))).first()
        return as_struct(row, ShopWordsRecord) if row else None

    async def all(self) -> dict[str, ShopWordsRecord]:
        """By shop, at most SHOPS_MAX."""
        async with self._database.read() as connection:
            rows = await connection.execute(
                select(tables.shop_words).order_by(tables.shop_words.c.shop).limit(SHOPS_MAX)
            )
            records = [as_struct(row, ShopWordsRecord) for row in rows]
        return {record.shop: record for record in records}

    async def put(self, record: ShopWordsRecord) -> bool:
        """Keeps the words; False when newer ones are kept already (another process was faster)."""
        table = tables.shop_words
        values = {**as_values(record), "updated_ms": now_ms()}
        async with self._database.write() as connection:
            # Locked until we have written: two processes copy the same shop now and then.
            known = (
                await connection.execute(select(table.c.revision).where(table.c.shop == record.shop).with_for_update())
            ).scalar_one_or_none()
            if known is not None and known > record.revision:
                return False
            await upsert(connection, table, values, ["shop"])
        return True
