"""The copy of the shops' own words in SQL: written after the live ones, put back when those are lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec import Struct
from sqlalchemy import select

from livecommerce.accounts.rows import Shop, ShopRepository
from livecommerce.comments import ItemWords, ShopWords
from livecommerce.records.database import Database
from livecommerce.records.rows import as_struct, as_values, now_ms, upsert
from livecommerce.shows import tables
from livecommerce.shows.errors import WordsChanged
from livecommerce.shows.shop_words import KeptWords, check_words, merged, words_of, words_shape
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


class Changed(NamedTuple):
    """What a change came to; `is_new` is False where the words were these already."""

    kept: KeptWords
    warnings: list[dict[str, str]]
    is_new: bool


class WordKeeper:
    """The words of all shops on both sides: the live ones in Valkey, the copy in SQL."""

    def __init__(self, store: ShowStore, copies: ShopWordsRepository, shops: ShopRepository) -> None:
        self._store = store
        self._copies = copies
        self._shops = shops

    async def keep_all(self) -> int:
        """Brings both sides of every shop together; any process may, any number at once. Returns how many changed.

        Raises:
            Unavailable, DatabaseAway.
        """
        known = await self._copies.all()
        changed = 0
        for shop in await self._shops.all():
            changed += await self._keep(shop.id, known.get(shop.id))
        return changed

    async def of(self, shop: str) -> KeptWords:
        """The words of one shop, both sides brought together first.

        Raises:
            Unavailable, DatabaseAway.
        """
        await self._keep(shop, await self._copies.get(shop))
        return await self._store.shop_words(shop)

    async def change(self, shop: Shop, words: ShopWords, revision: int | None, items: Sequence[ItemWords]) -> Changed:
        """Keeps `words` for every show of the shop, running ones too.

        Args:
            revision: which one the caller has seen; None overwrites whatever there is.
            items: the catalogue, with which no new word may clash.

        Raises:
            ShopWordRefused, WordsChanged; Unavailable, StorageFull, DatabaseAway.
        """
        before = await self.of(shop.id)
        if revision is not None and revision != before.revision:
            raise WordsChanged
        warnings = await asyncio.to_thread(check_words, words, before.words, items, shop.packs)
        if words == before.words:
            return Changed(before, warnings, is_new=False)
        after = KeptWords(before.revision + 1, words)
        if not await self._store.put_shop_words(shop.id, before.revision, after):
            raise WordsChanged
        await self.of(shop.id)
        return Changed(after, warnings, is_new=True)

    async def _keep(self, shop: str, copy: ShopWordsRecord | None) -> bool:
        live = await self._store.shop_words(shop)
        if copy is not None and copy.revision >= live.revision:
            kept = words_of(copy.words)
            if kept == live.words:
                return False
            # A store that forgot counts from the beginning again: what was learned since is added, nothing is lost.
            whole = KeptWords(copy.revision + 1, merged(kept, live.words))
            if not await self._store.put_shop_words(shop, live.revision, whole):
                return False  # changed while we looked; the next round sees it
            live = whole
        elif live.revision == 0:
            return False
        return await self._copies.put(ShopWordsRecord(shop, live.revision, words_shape(live.words)))
