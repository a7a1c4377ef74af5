"""Setting up: products into a show, the show on air."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from livecommerce.comments import PackUnknown
from livecommerce.roles.rooms import publish_and_keep
from livecommerce.shows.routes import SHOWS
from livecommerce.shows.rows import ShowRepository
from livecommerce.shows.store import ShowStore
from livecommerce.stock.engine import StockUnavailable
from tests.site import MUG, Site


async def counters(site: Site, item: str) -> tuple[int, int]:
    found = (await site.engine.counters("lingling", [item]))[item]
    return found.available, found.supplied


async def test_a_show_goes_on_air_with_its_supply(site: Site) -> None:
    await site.login()
    await site.make_show(supply=3)
    assert await counters(site, "A01/紅色") == (3, 3)
    assert await counters(site, "B02") == (3, 3)
    _, shape = await site.told("GET", "/api/shows")
    assert [(show["id"], show["stage"], show["items"]) for show in shape["shows"]] == [("demo", "scheduled", 2)]
    _, shape = await site.told("GET", "/api/shows/demo")
    assert shape["show"]["is_published"]
    site.leave()
    status, snapshot = await site.told("GET", "/api/shows/demo/snapshot")
    assert status == 200
    assert [item["code"] for item in snapshot["items"]] == ["A01", "B02"]
    assert snapshot["stock"]["B02"] == [3, 0, 0, 0, 3]
    assert snapshot["show"]["shop_name"] == "玲玲的小舖"


async def test_prices_limits_and_supply_of_the_show_are_its_own(site: Site) -> None:
    await site.login()
    await site.ask("POST", "/api/products", MUG)
    item = {"code": "B02", "price_minor": 199, "compare_at_minor": 250, "limit_per_viewer": 2, "supply": {"B02": 7}}
    status, shape = await site.told("POST", "/api/shows", {"title": "特賣", "items": [item]})
    assert status == 201
    product = shape["show"]["items"][0]
    assert (product["price_minor"], product["limit_per_viewer"], product["supply"]) == (199, 2, {"B02": 7})
    assert len(shape["show"]["id"]) == 7
    assert (await site.told("GET", "/api/products"))[1]["products"][0]["price_minor"] == 250


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({}, (400, 1000)),
        ({"title": ""}, (400, 1000)),
        ({"title": "x" * 121}, (400, 1000)),
        ({"title": "x", "id": "Über"}, (400, 1000)),
        ({"title": "x", "id": "a" * 41}, (400, 1000)),
        ({"title": "x", "hold_seconds": 1}, (400, 1000)),
        ({"title": "x", "color": "red"}, (400, 1000)),
        ({"title": "x", "packs": ["klingon"]}, (400, PackUnknown.number)),
        ({"title": "x", "packs": []}, (400, 1000)),
        ({"title": "x", "items": [{"code": "ZZ"}]}, (404, 3030)),
        ({"title": "x", "items": [{"code": "B02"}, {"code": "B02"}]}, (400, 1000)),
        ({"title": "x", "items": [{"code": "B02", "price_minor": -1}]}, (400, 1032)),
        ({"title": "x", "items": [{"code": "B02", "supply": {"B03": 1}}]}, (400, 1034)),
        ({"title": "x", "items": [{"code": "B02", "supply": -1}]}, (400, 1034)),
        ({"title": "x", "items": [{"code": "B02"}] * 501}, (400, 1000)),
        ({"title": "x", "settings": {"slow_seconds": -1}}, (400, 1000)),
    ],
)
async def test_set_ups_that_are_refused_leave_nothing(site: Site, body: Any, refusal: tuple[int, int]) -> None:
    await site.login()
    await site.ask("POST", "/api/products", MUG)
    assert await site.refused("POST", "/api/shows", body) == refusal
    assert await site.told("GET", "/api/shows") == (200, {"shows": []})


async def test_the_list_of_products_of_a_show_is_changed_as_a_whole(site: Site) -> None:
    await site.login()
    await site.make_show(supply=3)
    await site.ask("POST", "/api/products", {**MUG, "code": "C03"})
    items = [
        {"code": "B02", "price_minor": 200, "supply": 5},
        {"code": "C03", "supply": 2},
    ]
    status, shape = await site.told("PUT", "/api/shows/demo", {"items": items, "revision": 1})
    assert (status, shape["show"]["revision"]) == (200, 2)
    await asyncio.sleep(0.3)
    _, snapshot = await site.told("GET", "/api/shows/demo/snapshot")
    assert [(item["code"], item["price_minor"]) for item in snapshot["items"]] == [("B02", 200), ("C03", 250)]
    assert await counters(site, "B02") == (5, 5)
    assert await counters(site, "C03") == (2, 2)
    status, _ = await site.told("PUT", "/api/shows/demo", {"items": [{**items[0], "supply": 4}, items[1]]})
    assert await counters(site, "B02") == (4, 4)
    assert await site.refused("PUT", "/api/shows/demo", {"items": items, "revision": 1}) == (409, 4041)


async def test_a_put_that_broke_off_half_way_is_finished_by_the_next(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await site.login()
    await site.make_show(supply=3)
    body = {"items": [{"code": "B02", "supply": 10}, {"code": "A01", "supply": 3}]}

    async def lost(*_: object) -> bool:
        raise StockUnavailable("the line broke here")

    with monkeypatch.context() as broken:
        broken.setattr(ShowRepository, "replace_items", lost)
        assert await site.refused("PUT", "/api/shows/demo", body) == (503, 6001)
    assert await counters(site, "B02") == (10, 10)
    assert (await site.told("PUT", "/api/shows/demo", body))[0] == 200
    assert await counters(site, "B02") == (10, 10), "the restock counted once"


async def test_a_show_that_could_not_go_on_air_does_at_the_next_start(
    site: Site, make_site: Callable[..., Awaitable[Site]], monkeypatch: pytest.MonkeyPatch
) -> None:
    await site.login()
    await site.ask("POST", "/api/products", MUG)

    async def lost(*_: object) -> str:
        from livecommerce.errors import Unavailable

        raise Unavailable

    with monkeypatch.context() as broken:
        broken.setattr(ShowStore, "create", lost)
        body = {"id": "later", "title": "晚點", "items": [{"code": "B02", "supply": 4}]}
        assert await site.refused("POST", "/api/shows", body) == (409, 4042)
    _, shape = await site.told("GET", "/api/shows")
    assert shape["shows"][0]["stage"] == "preparing"
    again = await make_site()
    await publish_and_keep(again.client.server.app[SHOWS])  # what a web process does first of all
    status, snapshot = await again.told("GET", "/api/shows/later/snapshot")
    assert (status, snapshot["stock"]) == (200, {"B02": [4, 0, 0, 0, 4]})


async def test_commands_over_http_are_those_of_the_desk(site: Site) -> None:
    await site.login("host")
    await site.make_show()
    start = {"id": "command-0001", "do": "start"}
    status, shape = await site.told("POST", "/api/shows/demo/commands", start)
    assert (status, shape["outcome"]["do"]) == (200, "start")
    assert await site.told("POST", "/api/shows/demo/commands", start) == (status, shape), "once is once"
    assert (await site.ask("POST", "/api/shows/demo/commands", {"do": "pin", "code": "A01"})).status == 200
    restock = {"do": "restock", "sku": "B02", "quantity": 2}
    assert (await site.ask("POST", "/api/shows/demo/commands", restock)).status == 200
    assert await counters(site, "B02") == (5, 5)
    assert await site.refused("POST", "/api/shows/demo/commands", {"do": "fly"}) == (400, 1003)
    assert await site.refused("POST", "/api/shows/demo/commands", {"do": "pin"}) == (400, 1000)
    assert await site.refused("POST", "/api/shows/demo/commands", {"do": "pin", "code": "ZZ"}) == (404, 3003)
    await site.login("mei")
    assert await site.refused("POST", "/api/shows/demo/commands", {"do": "end"}) == (403, 2030)


async def test_an_unknown_show_is_not_found(site: Site) -> None:
    for path in ("/api/shows/nowhere/snapshot", "/api/shows/nowhere/ice-servers"):
        assert await site.refused("GET", path) == (404, 3001)
    assert await site.refused("GET", "/api/shows/No_Where/snapshot") == (404, 3000)
