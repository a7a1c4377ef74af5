"""The copy of the shops' own words in SQL: written after the live ones, put back when those are lost."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from sqlalchemy import select

from livecommerce.accounts.rows import ShopRepository
from livecommerce.records.database import Database
from livecommerce.records.rows import as_struct, as_values, now_ms, upsert
from livecommerce.shows import tables
from livecommerce.shows.shop_words import KeptWords, merged, words_of, words_shape
from livecommerce.shows.store import ShowStore

SHOPS_MAX = 1_000  # as many as `ShopRepository.all` lists


class ShopWordsRecord(Struct, frozen=True):
    """A shop's own words for its comments, whole; `revision` as the live store counts it."""

    shop: str
    revision: int
    words: dict[str, Any]
    updated_ms: int = 0


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


async def keep_words(store: ShowStore, copies: ShopWordsRepository, shops: ShopRepository) -> int:
    """Brings both sides of every shop together; any process may, any number at once. Returns how many changed.

    Raises:
        Unavailable; SQLAlchemyError.
    """
    known = await copies.all()
    changed = 0
    for shop in await shops.all():
        changed += await _keep(store, copies, shop.id, known.get(shop.id))
    return changed


async def keep_words_of(store: ShowStore, copies: ShopWordsRepository, shop: str) -> KeptWords:
    """The words of one shop, both sides brought together first.

    Raises:
        Unavailable; SQLAlchemyError.
    """
    await _keep(store, copies, shop, await copies.get(shop))
    return await store.shop_words(shop)


async def _keep(store: ShowStore, copies: ShopWordsRepository, shop: str, copy: ShopWordsRecord | None) -> bool:
    live = await store.shop_words(shop)
    if copy is not None and copy.revision >= live.revision:
        kept = words_of(copy.words)
        if kept == live.words:
            return False
        # A store that forgot counts from the beginning again: what was learned since then is added, nothing is lost.
        whole = KeptWords(copy.revision + 1, merged(kept, live.words))
        if not await store.put_shop_words(shop, live.revision, whole):
            return False  # changed while we looked; the next round sees it
        live = whole
    elif live.revision == 0:
        return False
    return await copies.put(ShopWordsRecord(shop, live.revision, words_shape(live.words)))
