"""Products with odd texts: sizes with a slash, codes that no address can hold."""

from __future__ import annotations

import pytest

from livecommerce.catalogue.catalogue import Catalogue, _to_record
from livecommerce.catalogue.products import Product
from livecommerce.catalogue.rows import ProductRepository
from livecommerce.shows.offers import choose
from tests.site import MUG, Site

TROUSERS = {
    "code": "T01", "names": ["長褲"], "price_minor": 590,
    "options": [{"axis": "尺寸", "values": ["36/38", "40/42"]}, {"axis": "長度", "values": ["1,5 m", "#2"]}],
}  # fmt: skip


async def test_values_with_signs_of_names_go_into_a_show_and_are_sold(site: Site) -> None:
    await site.login()
    status, shape = await site.told("POST", "/api/products", TROUSERS)
    assert status == 201
    skus = shape["product"]["skus"]
    assert skus == ["T01/36%2F38/1,5 m", "T01/36%2F38/%232", "T01/40%2F42/1,5 m", "T01/40%2F42/%232"]
    items = [{"code": "T01", "supply": {skus[0]: 3}}]
    assert (await site.told("POST", "/api/shows", {"id": "demo", "title": "x", "items": items}))[0] == 201
    _, snapshot = await site.told("GET", "/api/shows/demo/snapshot")
    assert snapshot["stock"][skus[0]] == [3, 0, 0, 0, 3]
    assert choose(snapshot["items"][0], ["36/38", "#2"], {}) == (skus[1], [])
    restock = {"do": "restock", "sku": skus[1], "quantity": 2}
    assert (await site.ask("POST", "/api/shows/demo/commands", restock)).status == 200


@pytest.mark.parametrize("code", [".", "..", "．．", "\u200b", "A\u202e01", "a b", "a/b", "a#b", "", "\x00"])
async def test_a_code_that_no_address_can_hold_or_nobody_can_see_is_refused(site: Site, code: str) -> None:
    await site.login()
    assert await site.refused("POST", "/api/products", {**MUG, "code": code}) == (400, 1031)


@pytest.mark.parametrize("code", ["..", ".", "a{b}", "50%", "a?b", "a\\b", "a+b", "é;,"])
async def test_every_code_that_stands_can_be_deleted(site: Site, code: str) -> None:
    await site.login()
    record = _to_record("lingling", Product(code, ("x",), 100))  # as an earlier version kept it
    await ProductRepository(site.database).add(record)
    params = {"code": code}
    assert (await site.ask("DELETE", "/api/products", params=params)).status == 200
    assert (await site.ask("DELETE", "/api/products", params=params)).status == 404
    assert await Catalogue(site.database).products("lingling") == []


async def test_a_code_with_braces_has_a_path(site: Site) -> None:
    await site.login()
    assert (await site.told("POST", "/api/products", {**MUG, "code": "a{b}"}))[0] == 201
    assert (await site.ask("DELETE", "/api/products/a%7Bb%7D")).status == 200
