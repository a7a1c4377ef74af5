"""The catalogue of a shop: one product a code, however it is written."""

from __future__ import annotations

import pytest

from livecommerce.catalogue.catalogue import Catalogue
from livecommerce.catalogue.errors import CatalogueFull, CodeTaken, ProductUnknown
from livecommerce.catalogue.products import Product, product_of


def product(code: str, price_minor: int = 100) -> Product:
    values = {"紅色": ["紅"]}
    return product_of(
        {"code": code, "names": ["外套"], "price_minor": price_minor, "options": [{"axis": "顏色", "values": values}]},
        currency="TWD",
    )


async def test_products_are_kept_changed_and_removed(catalogue: Catalogue) -> None:
    await catalogue.add("lingling", product("B02"))
    await catalogue.add("lingling", product("A01"))
    assert await catalogue.products("lingling") == [product("B02"), product("A01")]
    assert await catalogue.product("lingling", "ａ01") == product("A01")
    await catalogue.replace("lingling", product("A01", 90))
    assert (await catalogue.product("lingling", "A01")).price_minor == 90
    await catalogue.remove("lingling", "A01")
    with pytest.raises(ProductUnknown):
        await catalogue.product("lingling", "A01")


async def test_a_code_that_reads_the_same_is_taken(catalogue: Catalogue) -> None:
    await catalogue.add("lingling", product("A01"))
    for code in ("A01", "a01", "Ａ０１"):
        with pytest.raises(CodeTaken):
            await catalogue.add("lingling", product(code))
    await catalogue.add("other", product("A01"))


async def test_another_shops_product_cannot_be_touched(catalogue: Catalogue) -> None:
    await catalogue.add("lingling", product("A01"))
    with pytest.raises(ProductUnknown):
        await catalogue.replace("other", product("A01", 1))
    with pytest.raises(ProductUnknown):
        await catalogue.remove("other", "A01")


async def test_a_catalogue_has_an_end(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livecommerce.catalogue.catalogue.PRODUCTS_MAX", 1)
    await catalogue.add("lingling", product("A01"))
    with pytest.raises(CatalogueFull):
        await catalogue.add("lingling", product("A02"))
