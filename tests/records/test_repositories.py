"""What goes into a repository comes out the same; what is taken is refused by value, not by an exception."""

from __future__ import annotations

from msgspec.structs import replace

from livecommerce.records import shops as shops_module
from livecommerce.records.repositories import Repositories
from livecommerce.records.structs import (
    AuditEntry,
    IngestTokenRecord,
    ProductRecord,
    Shop,
    ShowItemRecord,
    ShowRecord,
    StaffRecord,
)

SHOP = Shop(id="lingling", name="玲玲的小舖", currency="TWD", locale="zh-TW", packs=("zh-TW", "en"))


def product(code: str, **changes: object) -> ProductRecord:
    record = ProductRecord(
        shop="lingling",
        code=code,
        code_folded=code.lower(),
        position=0,
        names=["針織外套", "外套"],
        name_en="Knit cardigan",
        options=[{"axis": "顏色", "values": {"紅色": ["紅"]}}],
        price_minor=590,
        compare_at_minor=None,
        currency="TWD",
        picture="",
        description="",
        limit_per_viewer=0,
    )
    return replace(record, **changes)


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


async def test_a_shop_and_its_staff(records: Repositories) -> None:
    kept = await records.shops.put(SHOP)
    assert await records.shops.get("lingling") == kept
    await records.shops.put(replace(SHOP, name="新名字"))
    again = await records.shops.get("lingling")
    assert again is not None
    assert (again.name, again.created_ms) == ("新名字", kept.created_ms)

    mei = StaffRecord("s1", "lingling", "mei", "小美", "moderator", "$argon2id$…", 1)
    assert await records.staff.add(mei)
    assert not await records.staff.add(replace(mei, id="s2")), "the login is taken"
    assert await records.staff.by_login("mei") == mei
    assert await records.staff.by_login("nobody") is None
    assert await records.staff.set_role("s1", "host")
    assert await records.staff.set_disabled("s1", True)
    changed = await records.staff.by_login("mei")
    assert changed is not None
    assert changed.role == "host"
    assert changed.disabled_ms
    assert await records.staff.count() == 1
    assert not await records.staff.set_role("nobody", "host")


async def test_products_keep_their_order_and_refuse_a_taken_code(records: Repositories) -> None:
    await records.shops.put(SHOP)
    for code in ("B02", "A01", "A12"):
        assert await records.products.add(product(code)) is not None
    assert await records.products.add(product("a01", code_folded="a01")) is None, "same code after folding"
    assert [found.code for found in await records.products.of_shop("lingling")] == ["B02", "A01", "A12"]
    assert await records.products.replace(product("A01", price_minor=490))
    found = await records.products.get("lingling", "A01")
    assert found is not None
    assert (found.price_minor, found.position, found.options) == (490, 2, product("A01").options)
    assert await records.products.remove("lingling", "A01")
    assert not await records.products.remove("lingling", "A01")
    assert not await records.products.replace(product("A01"))
    assert await records.products.count("lingling") == 2


async def test_a_show_is_unpublished_until_it_is_said_to_stand(records: Repositories) -> None:
    await records.shops.put(SHOP)
    assert await records.shows.add(show("wednesday")) is not None
    assert await records.shows.add(show("wednesday")) is None, "the id is taken"
    assert [found.id for found in await records.shows.unpublished()] == ["wednesday"]
    await records.shows.mark_published("wednesday")
    assert await records.shows.unpublished() == []
    first = await records.shows.get("wednesday")
    assert first is not None
    assert await records.shows.replace_items(first, [ShowItemRecord("A09", 0, {}, {"A09": 1})])
    assert not await records.shows.replace_items(first, []), "somebody else was faster"
    found = await records.shows.get("wednesday")
    assert found is not None
    assert ([item.code for item in found.items], found.revision) == (["A09"], 2)
    assert await records.shows.item_counts("lingling") == {"wednesday": 1}
    assert await records.shows.get("nowhere") is None


async def test_the_oldest_ingest_token_gives_way(records: Repositories) -> None:
    await records.shops.put(SHOP)
    for number in range(shops_module.INGEST_TOKENS_MAX + 1):
        await records.ingest_tokens.add(IngestTokenRecord(f"hash-{number:03}", "lingling", "demo", "mei", number + 1))
    oldest, newest = await records.ingest_tokens.get("hash-000"), await records.ingest_tokens.get("hash-020")
    assert oldest is not None
    assert oldest.revoked_ms is not None
    assert newest is not None
    assert newest.revoked_ms is None
    assert await records.ingest_tokens.revoke("demo") == shops_module.INGEST_TOKENS_MAX
    assert await records.ingest_tokens.revoke("demo") == 0


async def test_the_audit_trail_reads_backwards(records: Repositories) -> None:
    for number in range(3):
        await records.audit.add(AuditEntry("lingling", number, "mei", "product_removed", f"A0{number}", {"n": number}))
    trail = await records.audit.newest("lingling")
    assert [entry.subject for entry in trail] == ["A02", "A01", "A00"]
    assert [entry.subject for entry in await records.audit.newest("lingling", before=trail[0].id)] == ["A01", "A00"]
