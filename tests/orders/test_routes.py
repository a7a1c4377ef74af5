"""Orders over HTTP: lists in pages, a CSV, payments marked by staff."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from aiohttp import ClientError
from openpyxl import load_workbook
from sqlalchemy.exc import OperationalError

from livecommerce.orders.projector import Projector
from livecommerce.orders.rows import OrderRepository
from livecommerce.stock.operations import Line, Reserve
from tests.site import Site


@pytest.fixture
async def selling(site: Site) -> Site:
    """A show in which three viewers have claimed mugs."""
    await site.login()
    await site.make_show(supply=9)
    for number, viewer in enumerate(("vera", "otto", "mia")):
        await site.engine.submit(
            Reserve(
                id=f"comment-{number:04}",
                shop="lingling",
                show="demo",
                viewer=viewer,
                lines=(Line("B02", number + 1, 250, "TWD", "馬克杯"),),
            )
        )
    await site.shows.name("demo", "vera", "=小美")
    projector = Projector(site.redis, site.database)
    while await projector.step("lingling"):
        pass
    return site


async def orders_of(site: Site, query: str = "") -> Any:
    status, shape = await site.told("GET", f"/api/shows/demo/orders{query}")
    assert status == 200
    return shape


async def test_orders_come_in_pages(selling: Site) -> None:
    shape = await orders_of(selling, "?limit=2")
    assert [(order["number"], order["total_minor"]) for order in shape["orders"]] == [(1, 250), (2, 500)]
    assert shape["next"] == 2
    rest = await orders_of(selling, "?limit=2&after=2")
    assert ([order["number"] for order in rest["orders"]], rest["next"]) == ([3], None)


async def test_the_buyers_private_id_stays_inside(selling: Site) -> None:
    shape = await orders_of(selling)
    first = shape["orders"][0]
    assert (first["name"], len(first["by"])) == ("=小美", 10)
    assert "viewer" not in first
    assert "vera" not in str(shape)


@pytest.mark.parametrize("query", ["?limit=x", "?limit=-1", "?after=1.5", "?limit=501", "?after=99999999999999999999"])
async def test_pages_that_are_none(selling: Site, query: str) -> None:
    assert await selling.refused("GET", f"/api/shows/demo/orders{query}") == (400, 1000)


async def test_the_csv_holds_every_claim_and_no_formula(selling: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livecommerce.orders.rows.ORDERS_PAGE_MAX", 2)
    answer = await selling.client.get("/api/shows/demo/orders.csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="orders-demo.csv"'
    body = (await answer.read()).decode()
    assert body.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(body.removeprefix("\ufeff"), newline="")))
    assert [(row["貨號"], row["件數"]) for row in rows] == [("B02", "1"), ("B02", "2"), ("B02", "3")]
    assert rows[0]["買家"] == "'=小美"
    assert "vera" not in body


async def test_the_workbook_holds_every_claim(selling: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livecommerce.orders.rows.ORDERS_PAGE_MAX", 2)
    answer = await selling.client.get("/api/shows/demo/orders.xlsx")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="orders-demo.xlsx"'
    body = await answer.read()
    found = list(load_workbook(io.BytesIO(body)).active.iter_rows(min_row=2, values_only=True))
    assert [(row[4], row[7]) for row in found] == [("B02", number) for number in (1, 2, 3)]
    assert found[0][2] == "=小美"


async def test_a_file_that_breaks_off_is_not_taken_for_the_whole(
    selling: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = OrderRepository.of_show

    async def breaks(self: Any, shop: str, show: str, *, after: int = 0, limit: int = 1) -> Any:
        if after:
            raise OperationalError("SELECT", {}, Exception("disk I/O error"))
        return await whole(self, shop, show, after=after, limit=limit)

    monkeypatch.setattr(OrderRepository, "of_show", breaks)
    answer = await selling.client.get("/api/shows/demo/orders.csv")
    with pytest.raises(ClientError):
        await answer.read()


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_a_login_that_ends_while_a_file_is_written_gets_no_more_of_it(
    selling: Site, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    whole = OrderRepository.of_show
    token = selling.client.session.cookie_jar.filter_cookies(selling.client.make_url("/"))["lc_staff"].value

    async def logs_out(self: Any, shop: str, show: str, *, after: int = 0, limit: int = 1) -> Any:
        if after:
            await selling.accounts.sessions.close(token)
        return await whole(self, shop, show, after=after, limit=limit)

    monkeypatch.setattr(OrderRepository, "of_show", logs_out)
    answer = await selling.client.get(f"/api/shows/demo/orders.{kind}")
    if kind == "xlsx":  # none of it has left yet
        assert (answer.status, (await answer.json())["error"]["number"]) == (401, 2001)
        return
    with pytest.raises(ClientError):
        await answer.read()


async def test_money_is_marked_by_the_host_and_not_by_a_moderator(selling: Site) -> None:
    order = (await orders_of(selling))["orders"][1]["id"]
    body = {"id": "payment-0001", "method": "bank_transfer", "reference": "12345"}
    status, shape = await selling.told("POST", f"/api/orders/{order}/payments", body)
    assert (status, shape["payment"]["amount_minor"], shape["payment"]["state"]) == (201, 500, "pending")
    await selling.login("mei")
    assert await selling.refused("POST", "/api/payments/payment-0001/paid", {}) == (403, 2020)
    await selling.login("rival")
    assert await selling.refused("POST", "/api/payments/payment-0001/paid", {}) == (404, 3050)
    assert await selling.refused("GET", f"/api/orders/{order}") == (404, 3040)
    await selling.login("host")
    status, shape = await selling.told("POST", "/api/payments/payment-0001/paid", {"reference": "67890"})
    assert (status, shape["payment"]["state"]) == (200, "paid")
    counters = await selling.engine.counters("lingling", ["B02"])
    assert counters["B02"].sold == 2


async def test_a_page_is_told_how_an_order_may_be_paid_and_what_its_buyer_does(selling: Site) -> None:
    shape = await orders_of(selling)
    ways = ["bank_transfer", "cash_on_delivery"]
    assert [order["methods"] for order in shape["orders"]] == [ways] * 3
    assert list(shape["methods"]) == ways
    assert shape["methods"]["cash_on_delivery"]["names"] == {"zh-TW": "貨到付款", "en": "Cash on delivery"}
    order = shape["orders"][0]["id"]
    _, one = await selling.told("GET", f"/api/orders/{order}")
    assert (one["order"]["methods"], one["methods"]) == (ways, shape["methods"])
    body = {"id": "payment-0001", "method": "bank_transfer"}
    for _ in range(2):  # sent again it tells the same again: how a page that was left shows it
        status, begun = await selling.told("POST", f"/api/orders/{order}/payments", body)
        assert (status, begun["instructions"]) == (201, shape["methods"]["bank_transfer"]["instructions"])


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"id": "payment-0001", "method": "shells"}, (400, 1050)),
        ({"id": "short", "method": "bank_transfer"}, (400, 1000)),
        ({"method": "bank_transfer"}, (400, 1000)),
        ({"id": "payment-0001", "method": "bank_transfer", "amount_minor": 1}, (400, 1000)),
        ({"id": "payment-0001", "method": "bank_transfer", "reference": "x" * 81}, (400, 1000)),
    ],
)
async def test_payments_that_are_refused(selling: Site, body: Any, refusal: tuple[int, int]) -> None:
    order = (await orders_of(selling))["orders"][0]["id"]
    assert await selling.refused("POST", f"/api/orders/{order}/payments", body) == refusal
    assert (await orders_of(selling))["orders"][0]["payments"] == []
