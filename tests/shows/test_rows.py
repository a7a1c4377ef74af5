"""Set-ups of shows: unpublished until said otherwise, changed by whom nobody was faster than, of one shop."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from livecommerce.accounts.rows import Shop, ShopRepository
from livecommerce.errors import ShowUnknown
from livecommerce.records.database import Database
from livecommerce.shows.kept_words import ShopWordsRecord, ShopWordsRepository
from livecommerce.shows.rows import ShowItemRecord, ShowRecord, ShowRepository

SHOP = Shop(id="lingling", name="玲玲的小舖")


def show(show_id: str, **changes: object) -> ShowRecord:
    record = ShowRecord(
        id=show_id,
        shop="lingling",
        title="週三夜場",
        currency="TWD",
        packs=("zh-TW",),
        limits={"per_item": 3},
        hold_seconds=900,
        settings={},
        created_by="owner",
        items=(
            ShowItemRecord("A01", 0, {"code": "A01"}, {"A01": 5}),
            ShowItemRecord("A02", 1, {"code": "A02"}, {}),
        ),
    )
    return replace(record, **changes)


async def test_a_show_is_unpublished_until_it_is_said_to_stand(database: Database) -> None:
    await ShopRepository(database).put(SHOP)
    shows = ShowRepository(database)
    assert await shows.add(show("wednesday")) is not None
    assert await shows.add(show("wednesday")) is None, "the id is taken"
    assert [found.id for found in await shows.unpublished()] == ["wednesday"]
    await shows.mark_published("wednesday")
    assert await shows.unpublished() == []
    first = await shows.get("wednesday")
    assert first is not None
    assert await shows.replace_items(first, [ShowItemRecord("A09", 0, {}, {"A09": 1})])
    assert not await shows.replace_items(first, []), "somebody else was faster"
    found = await shows.get("wednesday")
    assert found is not None
    assert ([item.code for item in found.items], found.revision) == (["A09"], 2)
    assert await shows.item_counts("lingling") == {"wednesday": 1}
    assert await shows.get("nowhere") is None


async def test_a_show_of_another_shop_is_unknown(database: Database) -> None:
    await ShopRepository(database).put(SHOP)
    shows = ShowRepository(database)
    await shows.add(show("wednesday"))
    assert (await shows.own("lingling", "wednesday")).id == "wednesday"
    for shop, asked in (("other", "wednesday"), ("lingling", "thursday")):
        with pytest.raises(ShowUnknown):
            await shows.own(shop, asked)


async def test_newer_words_are_not_overwritten_by_older_ones(database: Database) -> None:
    await ShopRepository(database).put(SHOP)
    copies = ShopWordsRepository(database)
    assert await copies.put(ShopWordsRecord("lingling", 2, {"order": ["喊單"]}))
    assert not await copies.put(ShopWordsRecord("lingling", 1, {"order": ["喊包"]}))
    assert await copies.put(ShopWordsRecord("lingling", 2, {"order": ["喊貨"]})), "the same revision is written again"
    kept = await copies.all()
    assert (kept["lingling"].revision, kept["lingling"].words) == (2, {"order": ["喊貨"]})
    assert await copies.get("other") is None
