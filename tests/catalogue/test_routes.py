"""Products into the catalogue."""

from __future__ import annotations

from tests.site import COAT, MUG, Site


async def test_a_product_is_added_changed_and_removed(site: Site) -> None:
    await site.login("host")
    status, shape = await site.told("POST", "/api/products", COAT)
    assert status == 201
    assert shape["product"]["skus"] == ["A01/紅色", "A01/黑色"]
    assert shape["warnings"] == []
    assert await site.refused("POST", "/api/products", {**MUG, "code": "ａ01"}) == (409, 4030)
    status, shape = await site.told("PUT", "/api/products/A01", {**COAT, "price_minor": 490})
    assert (status, shape["product"]["price_minor"]) == (200, 490)
    assert await site.refused("PUT", "/api/products/A01", {**COAT, "code": "A02"}) == (400, 1031)
    assert (await site.ask("DELETE", "/api/products/A01")).status == 200
    assert await site.refused("DELETE", "/api/products/A01") == (404, 3030)
    assert await site.refused("GET", "/api/audit") == (403, 2020), "the trail is the owner's"
    await site.login("ling")
    _, shape = await site.told("GET", "/api/audit")
    trail = [entry for entry in shape["audit"] if entry["do"] != "logged_in"]
    assert [entry["do"] for entry in trail] == ["product_removed", "product_changed", "product_added"]
    _, shape = await site.told("GET", f"/api/audit?before={trail[0]['id']}")
    assert [entry for entry in shape["audit"] if entry["do"] != "logged_in"] == trail[1:]


async def test_the_parsers_warnings_are_told_where_a_product_causes_them(site: Site) -> None:
    await site.login("host")
    status, shape = await site.told("POST", "/api/products/check", {**MUG, "code": "12"})
    assert status == 200
    assert [(warning["reason"], warning["code"]) for warning in shape["warnings"]] == [("all_digits", "12")]
    assert await site.told("GET", "/api/products") == (200, {"products": []}), "a check keeps nothing"
    await site.ask("POST", "/api/products", {**MUG, "code": "12"})
    added = await site.told("POST", "/api/products", {**MUG, "names": ["水壺"]})
    assert added[1]["warnings"] == [], "not this product's doing"
