"""The shop's own words on two sides: neither loses any."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from livecommerce.accounts.rows import ShopRepository
from livecommerce.comments import ShopWords
from livecommerce.shows.kept_words import ShopWordsRepository, WordKeeper
from livecommerce.shows.model import Keys
from livecommerce.shows.shop_words import KeptWords
from tests.shows.test_shop_words import WORDS
from tests.site import COAT, Site


async def test_neither_side_loses_words(make_site: Callable[..., Awaitable[Site]]) -> None:
    site = await make_site()
    await site.login()
    await site.ask("POST", "/api/products", COAT)
    await site.ask("PUT", "/api/words", WORDS)
    shows, copies = site.shows, ShopWordsRepository(site.database)
    keeper = WordKeeper(shows, copies, ShopRepository(site.database))

    learned = KeptWords(2, ShopWords(aliases={"毛毛球": "A01", "毛毛": "A01"}))
    assert await shows.put_shop_words("lingling", 1, learned), "a moderator accepts a correction"
    assert await keeper.keep_all() == 1
    assert await keeper.keep_all() == 0
    copy = await copies.get("lingling")
    assert copy is not None
    assert (copy.revision, copy.words["aliases"]) == (2, {"毛毛球": "A01", "毛毛": "A01"})

    await site.redis.delete(Keys.words_of_shop("lingling"))
    early = KeptWords(1, ShopWords(aliases={"紅毛": "A01"}))
    assert await shows.put_shop_words("lingling", 0, early), "learned before the lost ones are back"
    assert await keeper.keep_all() == 1
    back = await shows.shop_words("lingling")
    assert back == KeptWords(3, ShopWords(aliases={"毛毛球": "A01", "毛毛": "A01", "紅毛": "A01"}))
    assert await keeper.keep_all() == 0
