"""Shops, staff and tokens come out as they went in; what is taken is refused by value, not by an exception."""

from __future__ import annotations

from msgspec.structs import replace

from livecommerce.accounts.rows import (
    INGEST_TOKENS_MAX,
    IngestTokenRecord,
    IngestTokenRepository,
    Shop,
    ShopRepository,
    StaffRecord,
    StaffRepository,
)
from livecommerce.records.database import Database

SHOP = Shop(id="lingling", name="玲玲的小舖", currency="TWD", locale="zh-TW", packs=("zh-TW", "en"))


async def test_a_shop_and_its_staff(database: Database) -> None:
    shops = ShopRepository(database)
    kept = await shops.put(SHOP)
    assert await shops.get("lingling") == kept
    await shops.put(replace(SHOP, name="新名字"))
    again = await shops.get("lingling")
    assert again is not None
    assert (again.name, again.created_ms) == ("新名字", kept.created_ms)

    people = StaffRepository(database)
    mei = StaffRecord("s1", "lingling", "mei", "小美", "moderator", "$argon2id$…", 1)
    assert await people.add(mei)
    assert not await people.add(replace(mei, id="s2")), "the login is taken"
    assert await people.by_login("mei") == mei
    assert await people.by_login("nobody") is None
    assert await people.set_role("s1", "host")
    assert await people.set_disabled("s1", True)
    changed = await people.by_login("mei")
    assert changed is not None
    assert changed.role == "host"
    assert changed.disabled_ms
    assert await people.count() == 1
    assert not await people.set_role("nobody", "host")


async def test_the_oldest_ingest_token_gives_way(database: Database) -> None:
    tokens = IngestTokenRepository(database)
    await ShopRepository(database).put(SHOP)
    for number in range(INGEST_TOKENS_MAX + 1):
        await tokens.add(IngestTokenRecord(f"hash-{number:03}", "lingling", "demo", "mei", number + 1))
    oldest, newest = (
        await tokens.get("hash-000"),
        await tokens.get("hash-020"),
    )
    assert oldest is not None
    assert oldest.revoked_ms is not None
    assert newest is not None
    assert newest.revoked_ms is None
    assert await tokens.revoke("demo") == INGEST_TOKENS_MAX
    assert await tokens.revoke("demo") == 0
