"""A random evening: claims, changes, cancels, restocks, price cuts, a second show, payments. Then every place that
tells of a claim says the same of it, to the piece and the minor unit: stock, ledger, ticket, control, order, CSV."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from typing import Any

import pytest

from livecommerce.errors import LiveCommerceError
from livecommerce.orders.export import csv_lines, header
from livecommerce.orders.model import Order
from livecommerce.orders.payments.manual import ManualPayments
from livecommerce.orders.projector import Projector
from livecommerce.orders.rows import OrderRepository
from livecommerce.orders.till import Till
from livecommerce.shows.commands import Actor
from livecommerce.shows.executor import Executor
from livecommerce.shows.offers import offer_line
from livecommerce.shows.projection import Projector as ShowProjector
from livecommerce.stock.keys import ledger
from livecommerce.stock.ledger import decode
from livecommerce.stock.operations import Cancel, Reduce, Reserve, SetQuantity
from tests.site import Site

SHOP = "lingling"
SHOWS = ("demo", "second")
SKUS = ("B02", "A01/紅色", "A01/黑色")
STEPS = 45
PAID = ("held", "offered", "confirmed")
Figure = tuple[int, int, int, str]  # pieces held or sold, waiting, price, state


class Evening:
    """Each method is a step, made of random choices."""

    def __init__(self, site: Site, seed: int) -> None:
        self.site, self.random = site, random.Random(seed)
        self.executor = Executor(site.shows)
        self.till = Till(site.database, site.engine, (ManualPayments(),))
        self.count = 0

    def id(self) -> str:
        self.count += 1
        return f"step-{self.count:06}"

    async def reservation(self) -> tuple[str, str, str] | None:
        claims = await self.site.engine.claims(SHOP)
        if not claims:
            return None
        claim = self.random.choice(claims)
        return claim.show, claim.viewer, claim.reservation

    async def claim(self) -> None:
        show, sku = self.random.choice(SHOWS), self.random.choice(SKUS)
        state = await self.site.shows.load(show)
        line = offer_line(state, state["items"][sku.split("/")[0]], sku, self.random.randint(1, 3))
        viewer = self.random.choice(("vera", "otto", "mia", "ben"))
        await self.site.engine.submit(Reserve(self.id(), SHOP, show, viewer, (line,)))

    async def change(self) -> None:
        found = await self.reservation()
        if found is None:
            return
        show, viewer, reservation = found
        operations = (
            Cancel(self.id(), SHOP, show, viewer, reservation),
            Reduce(self.id(), SHOP, show, 1, viewer, reservation),
            SetQuantity(self.id(), SHOP, show, reservation, self.random.randint(1, 4), viewer),
        )
        await self.site.engine.submit(self.random.choice(operations))

    async def command(self) -> None:
        """A refusal is as good: it must leave all figures in agreement too."""
        pick = self.random.choice
        raw: dict[str, Any] = pick(
            (
                {"do": "price", "code": pick(("B02", "A01")), "price_minor": self.random.randint(80, 400)},
                {"do": "restock", "sku": pick(SKUS), "quantity": self.random.randint(1, 3)},
                {"do": "set_stock", "sku": pick(SKUS), "available": self.random.randint(0, 4)},
            )
        )
        command = self.site.shows.kinds.read_command({**raw, "id": self.id()})
        await self.executor.execute(pick(SHOWS), command, Actor("ling", "owner"))

    async def pay(self) -> None:
        orders = [order for show in SHOWS for order in await orders_of(self.site, show)]
        if not orders:
            return
        order, pick = self.random.choice(orders), self.random.random()
        try:
            if order.payments and pick < 0.3:
                await self.till.paid(SHOP, self.random.choice(order.payments).id, "ling")
            elif order.payments and pick < 0.5:
                await self.till.undo(SHOP, self.random.choice(order.payments).id, "ling")
            else:
                method = self.random.choice(("bank_transfer", "cash_on_delivery"))
                await self.till.begin(SHOP, order.id, self.id(), method, "", "ling")
        except LiveCommerceError as refused:
            if refused.code not in ("nothing_to_pay", "payment_outdated", "payment_void", "claims_ended"):
                raise

    async def live(self) -> None:
        steps: tuple[Callable[[], Any], ...] = (self.claim, self.claim, self.claim, self.change, self.command, self.pay)
        for _ in range(STEPS):
            await self.random.choice(steps)()


async def orders_of(site: Site, show: str) -> list[Order]:
    projector = Projector(site.redis, site.database)
    while await projector.step(SHOP):
        pass
    await projector.close()
    return await OrderRepository(site.database).of_show(SHOP, show)


async def tickets_of(site: Site, show: str) -> dict[str, Figure]:
    """As the control panel lists them, from the state as it is; the events must lead to the same."""
    state = await site.shows.load(show)
    projector = ShowProjector(state["salt"])
    events = [event for _, events in await site.shows.read(show, "0-0") for event in events]
    folded = site.shows.kinds.fold({**state, "tickets": {}}, events)["tickets"]
    figures: list[dict[str, Figure]] = []
    for records in (state["tickets"], folded):
        told = [projector.ticket(record, state, staff=True) for record in records.values()]
        figures.append({one["id"]: (one["quantity"], one["waiting"], one["price_minor"], one["state"]) for one in told})
    assert figures[0] == figures[1], "snapshot and events"
    return figures[0]


def lines_of(orders: list[Order]) -> dict[str, Figure]:
    lines = [line for order in orders for line in order.lines]
    return {line.reservation: (line.quantity, line.waiting, line.unit_price_minor, line.state) for line in lines}


def rows_of(orders: list[Order]) -> dict[str, Figure]:
    rows = csv.DictReader(io.StringIO((header() + csv_lines(orders, {}, {})).removeprefix("\ufeff"), newline=""))
    return {
        f"{row['sku']}#{row['number_in_line']}": (
            int(row["quantity"]), int(row["waiting"]), int(row["unit_price"]), row["state"],
        )
        for row in rows
    }  # fmt: skip


async def ledger_of(site: Site, show: str) -> dict[str, Figure]:
    figures: dict[str, Figure] = {}
    for name, fields in await site.redis.xrange(ledger(SHOP)):
        for claim in decode(name, fields).claims:
            if claim.show == show:
                figures[claim.reservation] = (claim.reserved, claim.waiting, claim.unit_price_minor, claim.state)
    return figures


@pytest.mark.parametrize("seed", range(3))
async def test_every_place_tells_the_same_of_a_claim(site: Site, seed: int) -> None:
    await site.login()
    await site.make_show(supply=4)
    items = [{"code": "A01"}, {"code": "B02", "supply": 5}]
    status, shape = await site.told("POST", "/api/shows", {"id": "second", "title": "第二場", "items": items})
    assert status == 201, shape
    await Evening(site, seed).live()
    for show in SHOWS:
        orders = await orders_of(site, show)
        tickets = await tickets_of(site, show)
        claims = await site.engine.claims(SHOP, show=show)
        stock = {one.reservation: (one.reserved, one.waiting, one.unit_price_minor, one.state) for one in claims}
        assert tickets, f"seed {seed}: somebody bought"
        for name, told in (
            ("stock", stock),
            ("ledger", await ledger_of(site, show)),
            ("order", lines_of(orders)),
            ("export", rows_of(orders)),
        ):
            assert told == tickets, f"seed {seed}, {show}: {name}"
        due = sum(held * price for held, _, price, state in tickets.values() if state in PAID)
        assert due == sum(order.total_minor for order in orders), f"seed {seed}, {show}"
        for order in orders:
            covered = [name for one in order.payments if one.state == "pending" for name in one.reservations]
            assert len(covered) == len(set(covered)), f"seed {seed}: a claim is in one open payment at most"
    counters = (await site.engine.counters(SHOP)).values()
    assert all(one.available + one.held + one.sold == one.supplied for one in counters)
