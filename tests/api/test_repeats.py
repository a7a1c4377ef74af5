"""What came before comes again: the same gets its first answer, other content under a known id is refused by number."""

from __future__ import annotations

from typing import Any

import pytest

from livecommerce.catalogue.errors import CatalogueFull, CodeTaken
from livecommerce.errors import IdReused
from livecommerce.shows.model import valid_id
from tests.site import COAT, MUG, Site

COMMANDS = "/api/shows/demo/commands"
ID = "repeat-0001"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"do": "restock", "sku": "B02", "quantity": 2}, {"do": "restock", "sku": "B02", "quantity": 3}),
        ({"do": "restock", "sku": "B02", "quantity": 2}, {"do": "adjust", "sku": "B02", "quantity": 2}),
        ({"do": "price", "code": "B02", "price_minor": 9}, {"do": "price", "code": "B02", "price_minor": 8}),
        ({"do": "notice", "text": "a"}, {"do": "notice", "text": "b"}),
        ({"do": "pin", "code": "B02"}, {"do": "pin", "code": "A01"}),
        ({"do": "undo", "command": "before-001"}, {"do": "undo", "command": "before-002"}),
    ],
)
async def test_a_known_command_id_with_other_content_is_refused(site: Site, first: Any, second: Any) -> None:
    await site.login()
    await site.make_show()
    for one in ("before-001", "before-002"):
        body = {"id": one, "do": "price", "code": "B02", "price_minor": 100}
        assert (await site.ask("POST", COMMANDS, body)).status == 200
    done = await site.told("POST", COMMANDS, {"id": ID, **first})
    assert done[0] == 200
    assert await site.told("POST", COMMANDS, {"id": ID, **first}) == done, "the same again has the first answer"
    assert await site.refused("POST", COMMANDS, {"id": ID, **second}) == (409, IdReused.number)
    assert "content" not in done[1]["outcome"]


@pytest.mark.parametrize("product", [MUG, COAT], ids=["plain", "with options"])
async def test_a_product_sent_again_gets_the_first_answer(site: Site, product: dict[str, Any]) -> None:
    await site.login()
    done = await site.told("POST", "/api/products", product)
    assert done[0] == 201
    assert await site.told("POST", "/api/products", product) == done
    for other in ({"price_minor": 1}, {"names": ["別的"]}, {"code": product["code"].lower()}):
        assert await site.refused("POST", "/api/products", {**product, **other}) == (409, CodeTaken.number)
    _, shape = await site.told("GET", "/api/audit")
    assert [entry["do"] for entry in shape["audit"]].count("product_added") == 1
    assert (await site.ask("DELETE", f"/api/products/{product['code']}")).status == 200
    assert await site.told("POST", "/api/products", product) == done, "what was removed is added again"


async def test_a_full_shop_still_answers_a_repeat(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await site.login()
    done = await site.told("POST", "/api/products", MUG)
    monkeypatch.setattr("livecommerce.catalogue.catalogue.PRODUCTS_MAX", 1)
    assert await site.told("POST", "/api/products", MUG) == done
    assert await site.refused("POST", "/api/products", COAT) == (409, CatalogueFull.number)


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/api/products", {**MUG, "colour": "red"}, "colour"),
        ("POST", "/api/products", {**COAT, "options": [{"axis": "a", "values": ["b"], "colour": "c"}]}, "colour"),
        ("POST", "/api/products", {**COAT, "options": [{"axis": "a", "values": [{"value": "b", "x1": 1}]}]}, "x1"),
        ("POST", "/api/shows", {"title": "x", "settings": {"colour": 1}}, "colour"),
        ("POST", "/api/shows", {"title": "x", "limits": {"colour": 1}}, "colour"),
        ("POST", COMMANDS, {"do": "settings", "colour": 1}, "colour"),
        ("POST", COMMANDS, {"do": "start", "colour": 1}, "colour"),
        ("POST", COMMANDS, {"do": "add_item", "item": {**MUG, "colour": 1}}, "colour"),
        ("POST", "/api/login", {"login": "ling", "password": "x", "colour": 1}, "colour"),
        ("GET", "/api/products?colour=1", None, "colour"),
        ("GET", "/api/shows/demo/orders?limit=5&colour=1", None, "colour"),
        ("GET", "/api/shows/demo/orders?limit=5&limit=6", None, "limit"),
        ("GET", "/api/shows/demo/orders?limit=0", None, "limit"),
    ],
)
async def test_what_nobody_knows_is_refused_by_name(site: Site, method: str, path: str, body: Any, field: str) -> None:
    await site.login()
    await site.make_show()
    status, shape = await site.told(method, path, body)
    assert (status, shape["error"]["number"] // 1000) == (400, 1)
    assert field in shape["error"]["reason"]


@pytest.mark.parametrize(
    "blank", [" ", "\n", "\t", "\u3000", "\u200b", "\x00", "a\x00b", "a\nb", "\x1b[2J", "\u2028", "\u3164"]
)
async def test_a_title_or_name_shows_something_in_one_line(site: Site, blank: str) -> None:
    await site.login()
    await site.make_show()
    for method, path, body in (
        ("POST", "/api/shows", {"title": blank}),
        ("POST", "/api/products", {**MUG, "code": "N1", "names": [blank]}),
        ("POST", COMMANDS, {"do": "add_item", "item": {**MUG, "code": "N1", "names": [blank]}}),
    ):
        status, shape = await site.told(method, path, body)
        assert (status, shape["error"]["number"] // 1000) == (400, 1), (path, blank)
        assert "regex" not in shape["error"]["reason"], "a pattern is no reason for a person"


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\u2028", " "])
async def test_an_id_has_nothing_behind_it(site: Site, ending: str) -> None:
    await site.login()
    await site.make_show()
    assert not valid_id("comment-0001" + ending)
    assert await site.refused("POST", "/api/shows", {"title": "x", "id": "wednesday" + ending}) == (400, 1000)
    assert await site.refused("POST", COMMANDS, {"id": ID + ending, "do": "start"}) == (400, 1000)
    assert await site.refused("POST", COMMANDS, {"do": "pin", "code": "B02" + ending}) in ((400, 1000), (404, 3003))


async def test_a_wrong_method_is_told_the_right_ones(site: Site) -> None:
    for path, allowed in (
        ("/api/login", "POST"),
        ("/api/products", "DELETE, GET, HEAD, POST"),
        ("/api/me", "GET, HEAD"),
    ):
        answer = await site.ask("PATCH", path)
        assert (answer.status, answer.headers["Allow"]) == (405, allowed)
        assert (await answer.json())["error"]["number"] == 1043


@pytest.mark.parametrize("path", ["/api/orders/a%00b", "/api/products?code=%00", "/api/shows/demo/orders?after=%00"])
async def test_an_address_holds_no_nul(site: Site, path: str) -> None:
    await site.login()
    method = "DELETE" if "?code" in path else "GET"
    assert await site.refused(method, path) == ((400, 1000) if "?" in path else (404, 3000))
