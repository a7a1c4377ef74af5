"""One figure of a sku for the whole shop: set, never added, whatever shows, jobs and repeats there are."""

from __future__ import annotations

from typing import Any

import pytest

from livecommerce.stock.operations import Confirm, Line, Reserve
from tests.shows.test_routes import counters
from tests.site import MUG, Site

SHOP = "lingling"


async def sell(site: Site, pieces: int, show: str = "demo") -> None:
    lines = (Line("B02", pieces, 250, "TWD", "馬克杯"),)
    answer = await site.engine.submit(Reserve("operation-1", SHOP, show, "viewer-1", lines))
    reservation = answer.lines[0].reservation
    assert reservation is not None
    await site.engine.submit(Confirm("operation-2", SHOP, show, reservation))


async def make(site: Site, expect: int = 201, headers: dict[str, str] | None = None, **body: Any) -> Any:
    status, shape = await site.told("POST", "/api/shows", {"title": "夜場", **body}, headers=headers or {})
    assert status == expect, shape
    return shape.get("show") or shape["error"]


@pytest.fixture
async def shop(site: Site) -> Site:
    """The mug in a show: of ten pieces three are sold."""
    await site.login()
    await site.ask("POST", "/api/products", MUG)
    await make(site, id="demo", items=[{"code": "B02", "supply": 10}])
    await sell(site, 3)
    return site


async def test_a_second_show_sets_what_is_left_and_does_not_add(shop: Site) -> None:
    await make(shop, id="second", items=[{"code": "B02", "supply": 7}])
    assert await counters(shop, "B02") == (7, 10)


async def test_a_second_show_without_a_figure_sells_what_is_left(shop: Site) -> None:
    show = await make(shop, id="second", items=[{"code": "B02"}])
    assert await counters(shop, "B02") == (7, 10)
    assert show["items"][0]["supply"] == {"B02": 7}


async def test_a_job_that_sends_ten_each_night_leaves_ten(shop: Site) -> None:
    for _ in range(4):
        body = {"items": [{"code": "B02", "supply": 10}]}
        status, shape = await shop.told("PUT", "/api/shows/demo", body)
        assert (status, shape["show"]["items"][0]["supply"]) == (200, {"B02": 10})
    assert await counters(shop, "B02") == (10, 13)


async def test_a_figure_that_moved_since_it_was_seen_is_not_set(shop: Site) -> None:
    body = {"items": [{"code": "B02", "supply": 20, "expected": 10}]}
    assert await shop.refused("PUT", "/api/shows/demo", body) == (409, 4170)
    error = await make(shop, 409, id="second", items=[{"code": "B02", "supply": 20, "expected": {"B02": 10}}])
    assert (error["number"], error["details"]["left"]) == (4170, 7)
    assert len((await shop.told("GET", "/api/shows"))[1]["shows"]) == 1, "nothing was made"
    await make(shop, id="second", items=[{"code": "B02", "supply": 20, "expected": 7}])
    assert await counters(shop, "B02") == (20, 23)


@pytest.mark.parametrize(
    ("body", "headers"),
    [({}, {}), ({"id": "second"}, {}), ({}, {"Idempotency-Key": "form-1"})],
)
async def test_a_show_asked_for_twice_is_one_show(shop: Site, body: dict[str, Any], headers: dict[str, str]) -> None:
    wish = {**body, "items": [{"code": "B02", "supply": 9}]}
    first = await make(shop, headers=headers, **wish)
    await sell(shop, 1, first["id"])
    again = await make(shop, headers=headers, **wish)
    assert first["id"] == again["id"]
    assert len((await shop.told("GET", "/api/shows"))[1]["shows"]) == 2
    assert (await counters(shop, "B02"))[0] == 8, "set once"


async def test_a_key_or_an_id_of_another_set_up_is_refused(shop: Site) -> None:
    await make(shop, headers={"Idempotency-Key": "form-1"})
    error = await make(shop, 409, headers={"Idempotency-Key": "form-1"}, starts_ms=1)
    assert error["number"] == 4040
    assert (await make(shop, 409, id="demo", items=[]))["number"] == 4040


async def test_a_product_taken_out_and_put_in_again_keeps_the_figure(shop: Site) -> None:
    for items in ([], [{"code": "B02"}]):
        assert (await shop.ask("PUT", "/api/shows/demo", {"items": items})).status == 200
    assert await counters(shop, "B02") == (7, 10)


async def test_an_ended_show_takes_no_pieces_but_the_shop_does(shop: Site) -> None:
    for do in ("start", "end"):
        assert (await shop.ask("POST", "/api/shows/demo/commands", {"do": do})).status == 200
    mug = {"code": "B03", "names": ["杯"], "price_minor": 1, "supply": {"B03": 5}}
    for command in (
        {"do": "restock", "sku": "B02", "quantity": 5},
        {"do": "adjust", "sku": "B02", "quantity": 5, "reason": "found"},
        {"do": "set_stock", "sku": "B02", "available": 50},
        {"do": "add_item", "item": mug},
    ):
        assert await shop.refused("POST", "/api/shows/demo/commands", command) == (409, 4172)
    assert await shop.refused("PUT", "/api/shows/demo", {"items": [{"code": "B02", "supply": 9}]}) == (409, 4172)
    assert await counters(shop, "B02") == (7, 10)
    body = {"id": "stock-0001", "sku": "B02", "available": 9, "expected": 7}
    for _ in range(2):
        assert (await shop.told("PUT", "/api/stock", body))[0] == 200
    assert await counters(shop, "B02") == (9, 12)
    assert await shop.refused("PUT", "/api/stock", {**body, "id": "stock-0002"}) == (409, 4170)
    assert (await shop.told("GET", "/api/stock"))[1]["stock"]["B02"]["available"] == 9
    assert await shop.refused("PUT", "/api/stock", {**body, "id": "stock-0003", "sku": "Z"}) == (404, 3003)


async def test_the_pages_of_open_shows_hear_of_the_shops_figure(shop: Site) -> None:
    await shop.ask("PUT", "/api/stock", {"id": "stock-0001", "sku": "B02", "available": 4})
    events = [event for _, events in await shop.shows.read("demo", "0-0") for event in events]
    assert [event["stock"]["B02"][0] for event in events if event.get("stock", {}).get("B02")][-1] == 4


async def test_a_price_set_on_air_is_the_price_everywhere(shop: Site) -> None:
    command = {"do": "price", "code": "B02", "price_minor": 190}
    await shop.ask("POST", "/api/shows/demo/commands", command)
    await shop.ask("POST", "/api/shows/demo/commands", {"do": "close_item", "code": "B02"})
    show = (await shop.told("GET", "/api/shows/demo"))[1]["show"]
    assert [(item["price_minor"], item["closed"]) for item in show["items"]] == [(190, True)]
    for wish, price in (({"supply": 8}, 190), ({"price_minor": 250}, 250)):
        _, shape = await shop.told("PUT", "/api/shows/demo", {"items": [{"code": "B02", **wish}]})
        assert (shape["show"]["items"][0]["price_minor"], shape["show"]["items"][0]["closed"]) == (price, True)


@pytest.mark.parametrize(
    ("command", "refusal", "left"),
    [
        ({"do": "adjust", "quantity": -8, "reason": "broken"}, 4171, 7),
        ({"do": "set_stock", "available": 9, "expected": 8}, 4170, 7),
    ],
)
async def test_a_refusal_says_why_and_what_is_left(shop: Site, command: Any, refusal: int, left: int) -> None:
    status, shape = await shop.told("POST", "/api/shows/demo/commands", {**command, "sku": "B02"})
    error = shape["error"]
    assert (status, error["number"], error["details"]["left"]) == (409, refusal, left)
    assert "7 of B02 are left" in error["reason"]


async def test_a_figure_set_with_what_was_seen_can_be_taken_back(shop: Site) -> None:
    command = {"id": "command-01", "do": "set_stock", "sku": "B02", "available": 12, "expected": 7}
    assert (await shop.ask("POST", "/api/shows/demo/commands", command)).status == 200
    assert await counters(shop, "B02") == (12, 15)
    assert (await shop.ask("POST", "/api/shows/demo/commands", {"do": "undo", "command": "command-01"})).status == 200
    assert await counters(shop, "B02") == (7, 10)
