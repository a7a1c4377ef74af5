"""The copy of the shops' own words in SQL: written after the live ones, put back when those are lost."""

from __future__ import annotations

from livecommerce.records.repositories import Repositories
from livecommerce.records.structs import ShopWordsRecord
from livecommerce.shows.shop_words import KeptWords, merged, words_of, words_shape
from livecommerce.shows.store import ShowStore


async def keep_words(shows: ShowStore, records: Repositories) -> int:
    """Brings both sides of every shop together; any process may, any number at once. Returns how many changed.

    Raises:
        Unavailable; SQLAlchemyError.
    """
    copies = await records.shop_words.all()
    changed = 0
    for shop in await records.shops.all():
        changed += await _keep(shows, records, shop.id, copies.get(shop.id))
    return changed


async def keep_words_of(shows: ShowStore, records: Repositories, shop: str) -> KeptWords:
    """The words of one shop, both sides brought together first.

    Raises:
        Unavailable; SQLAlchemyError.
    """
    await _keep(shows, records, shop, await records.shop_words.get(shop))
    return await shows.shop_words(shop)


async def _keep(shows: ShowStore, records: Repositories, shop: str, copy: ShopWordsRecord | None) -> bool:
    live = await shows.shop_words(shop)
    if copy is not None and copy.revision >= live.revision:
        kept = words_of(copy.words)
        if kept == live.words:
            return False
        # A store that forgot counts from the beginning again: what was learned since then is added, nothing is lost.
        whole = KeptWords(copy.revision + 1, merged(kept, live.words))
        if not await shows.put_shop_words(shop, live.revision, whole):
            return False  # changed while we looked; the next round sees it
        live = whole
    elif live.revision == 0:
        return False
    return await records.shop_words.put(ShopWordsRecord(shop, live.revision, words_shape(live.words)))
