"""Products keep their order, and a code is one however it is written."""

from __future__ import annotations

from msgspec.structs import replace

from livecommerce.accounts.rows import Shop, ShopRepository
from livecommerce.catalogue.rows import ProductRecord, ProductRepository
from livecommerce.records.database import Database


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


async def test_products_keep_their_order_and_refuse_a_taken_code(database: Database) -> None:
    await ShopRepository(database).put(Shop(id="lingling", name="玲玲的小舖"))
    products = ProductRepository(database)
    for code in ("B02", "A01", "A12"):
        assert await products.add(product(code)) is not None
    assert await products.add(product("a01", code_folded="a01")) is None, "same code after folding"
    assert [found.code for found in await products.of_shop("lingling")] == ["B02", "A01", "A12"]
    assert await products.replace(product("A01", price_minor=490))
    found = await products.by_folded("lingling", "a01")
    assert found is not None
    assert (found.price_minor, found.position, found.options) == (490, 2, product("A01").options)
    assert await products.remove("lingling", "A01")
    assert not await products.remove("lingling", "A01")
    assert not await products.replace(product("A01"))
    assert await products.count("lingling") == 2
