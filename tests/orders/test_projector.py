"""Orders are what the ledger says, once, whatever happens to the worker on the way."""

from __future__ import annotations

import asyncio
import random

import pytest
from redis.asyncio import Redis
from sqlalchemy.exc import OperationalError

from livecommerce.errors import DatabaseAway
from livecommerce.orders import projector as projector_module
from livecommerce.orders import rows, worker
from livecommerce.orders.model import Order
from livecommerce.orders.projection import apply
from livecommerce.orders.projector import GROUP, Projector
from livecommerce.stock.ledger import LedgerUnreadable, decode
from livecommerce.stock.operations import Cancel, Confirm, Release
from tests.orders.conftest import SHOP, SHOW, Stall


def lines(order: Order) -> list[tuple[str, str, int]]:
    return [(line.reservation, line.state, line.quantity) for line in order.lines]


async def test_one_viewer_and_show_is_one_order_with_a_line_a_claim(stall: Stall) -> None:
    await stall.stock(A01=5, B02=5)
    await stall.claim("vera", "A01", 2, price=590)
    await stall.claim("otto", "A01", 1, price=590)
    await stall.claim("vera", "B02", 1, price=250)
    orders = await stall.orders()
    assert [(order.number, order.viewer) for order in orders.values()] == [(1, "vera"), (2, "otto")]
    vera = orders["vera"]
    assert lines(vera) == [("A01#1", "held", 2), ("B02#1", "held", 1)]
    assert (vera.state, vera.total_minor, vera.confirmed_minor, vera.currency) == ("open", 1430, 0, "TWD")
    assert vera.lines[0].text == "A01！"
    assert vera.lines[0].deadline_ms > vera.lines[0].claimed_ms


async def test_another_show_of_the_shop_is_another_order(stall: Stall) -> None:
    await stall.stock(A01=5)
    await stall.claim("vera", "A01")
    await stall.claim("vera", "A01", show="second")
    first, second = (await stall.orders())["vera"], (await stall.orders("second"))["vera"]
    assert first.id != second.id
    assert (lines(first), lines(second)) == ([("A01#1", "held", 1)], [("A01#2", "held", 1)])


async def test_claims_that_end_leave_the_total_and_stay_in_the_list(stall: Stall) -> None:
    await stall.stock(A01=9)
    for _ in range(3):
        await stall.claim("vera", "A01", 2)
    await stall.engine.submit(Confirm(id=stall.id(), shop=SHOP, show=SHOW, reservation="A01#1"))
    await stall.engine.submit(Cancel(id=stall.id(), shop=SHOP, show=SHOW, viewer="vera", reservation="A01#2"))
    vera = (await stall.orders())["vera"]
    assert [(line.reservation, line.state) for line in vera.lines] == [
        ("A01#1", "confirmed"), ("A01#2", "cancelled"), ("A01#3", "held"),
    ]  # fmt: skip
    assert (vera.state, vera.total_minor, vera.confirmed_minor) == ("open", 400, 200)
    await stall.engine.submit(Cancel(id=stall.id(), shop=SHOP, show=SHOW, viewer="vera", reservation="A01#3"))
    assert (await stall.orders())["vera"].state == "confirmed"
    await stall.engine.submit(Release(id=stall.id(), shop=SHOP, show=SHOW, reservation="A01#1"))
    vera = (await stall.orders())["vera"]
    assert (vera.state, vera.total_minor) == ("cancelled", 0)


async def test_who_waits_owes_nothing_until_served(stall: Stall) -> None:
    await stall.stock(A01=1)
    await stall.claim("vera", "A01")
    await stall.claim("otto", "A01")
    otto = (await stall.orders())["otto"]
    assert (otto.state, otto.total_minor, otto.lines[0].waiting) == ("open", 0, 1)
    await stall.engine.submit(Cancel(id=stall.id(), shop=SHOP, show=SHOW, viewer="vera", reservation="A01#1"))
    otto = (await stall.orders())["otto"]
    assert otto.lines[0].state in ("offered", "held")
    assert otto.total_minor == 100


async def test_replays_from_any_point_change_nothing(stall: Stall) -> None:
    await stall.stock(A01=50)
    for number in range(20):
        await stall.claim(f"viewer-{number % 7}", "A01")
    before = await stall.orders()
    ledger = await stall.redis.xrange(f"lc:{{{SHOP}}}:ledger")
    entries = [(entry.id, entry.claims) for entry in (decode(name, fields) for name, fields in ledger)]
    for start in range(len(entries)):
        assert (await apply(stall.database, SHOP, entries[start:])).counted == 0
    assert await stall.orders() == before


async def test_a_projection_cut_at_every_place_gives_the_same_orders(
    stall: Stall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database fails in the middle of each transaction in turn; the next try begins where SQL stands."""
    monkeypatch.setattr(projector_module, "ENTRIES_MAX", 3)
    await stall.stock(A01=50)
    for number in range(12):
        await stall.claim(f"viewer-{number % 5}", "A01")
    real, fails = rows.move_position, 0

    async def failing(*arguments: object) -> None:
        nonlocal fails
        fails += 1
        if fails % 2:
            raise OperationalError("UPDATE", {}, Exception("disk I/O error"))
        await real(*arguments)

    monkeypatch.setattr(rows, "move_position", failing)
    counted = 0
    for _ in range(40):
        try:
            counted += await stall.projector.step(SHOP)
        except DatabaseAway:
            continue
    assert counted == len(await stall.redis.xrange(f"lc:{{{SHOP}}}:ledger"))
    monkeypatch.undo()
    orders = await stall.orders()
    assert sum(line.quantity for order in orders.values() for line in order.lines) == 12
    assert sorted(order.number for order in orders.values()) == [1, 2, 3, 4, 5]


async def test_two_workers_on_one_shop_count_each_entry_once(stall: Stall) -> None:
    await stall.stock(A01=100)
    second = Projector(stall.redis, stall.database)
    second._take = stall.projector._take = _always  # type: ignore[method-assign]
    claims = [stall.claim(f"viewer-{number % 9}", "A01") for number in range(60)]

    async def work(projector: Projector) -> int:
        counted = 0
        for _ in range(30):
            counted += await projector.step(SHOP)
            await asyncio.sleep(0)
        return counted

    *_, first, other = await asyncio.gather(*claims, work(stall.projector), work(second))
    rest = await stall.project()
    assert first + other + rest == len(await stall.redis.xrange(f"lc:{{{SHOP}}}:ledger"))
    orders = await stall.orders()
    assert sum(line.quantity for order in orders.values() for line in order.lines) == 60
    assert sorted(order.number for order in orders.values()) == list(range(1, 10))


async def _always(_: str) -> bool:
    return True


async def test_a_shop_is_one_workers_until_it_leaves(stall: Stall) -> None:
    await stall.stock(A01=1)
    other = Projector(stall.redis, stall.database)
    assert await stall.projector.step(SHOP) == 1
    await stall.claim("vera", "A01")
    assert await other.step(SHOP) == 0
    assert (await other.lag(SHOP))[0] == 1
    await stall.projector.close()
    assert await other.step(SHOP) == 1
    assert await other.lag(SHOP) == (0, 0.0)


async def test_the_group_shows_how_far_orders_are(stall: Stall) -> None:
    await stall.stock(A01=3)
    await stall.claim("vera", "A01")
    await stall.project()
    (group,) = await stall.redis.xinfo_groups(f"lc:{{{SHOP}}}:ledger")
    assert group["name"] == GROUP.encode()
    assert group["last-delivered-id"].decode() == await stall.rows.position(SHOP)


async def test_an_entry_of_a_newer_program_is_waited_for_not_skipped(stall: Stall) -> None:
    await stall.stock(A01=3)
    await stall.project()
    position = await stall.rows.position(SHOP)
    await stall.redis.xadd(f"lc:{{{SHOP}}}:ledger", {"b": b"\x96\x63\x01\xa0\xa0\x90\x90"})
    with pytest.raises(LedgerUnreadable):
        await stall.project()
    assert await stall.rows.position(SHOP) == position


async def test_orders_equal_the_claims_of_stock_after_a_wild_hour(stall: Stall) -> None:
    """Seeded: claims, cancels, confirms and releases in disorder; at the end SQL and stock say the same."""
    chance = random.Random(20260722)
    await stall.stock(A01=15, B02=8, C03=3)
    for _ in range(150):
        viewer, item = f"viewer-{chance.randrange(6)}", chance.choice(["A01", "B02", "C03"])
        act = chance.random()
        if act < 0.6:
            await stall.claim(viewer, item, chance.randint(1, 3), price=chance.randint(10, 99))
        else:
            kind = Cancel if act < 0.8 else Confirm if act < 0.95 else Release
            reservation = f"{item}#{chance.randint(1, 12)}"
            await stall.engine.submit(kind(id=stall.id(), shop=SHOP, show=SHOW, reservation=reservation))
        if chance.random() < 0.2:
            await stall.project()
    orders = await stall.orders()
    projected = {
        line.reservation: (order.viewer, line.state, line.quantity, line.waiting, line.unit_price_minor)
        for order in orders.values()
        for line in order.lines
    }
    claims = {
        claim.reservation: (claim.viewer, claim.state, claim.reserved, claim.waiting, claim.unit_price_minor)
        for claim in await stall.engine.claims(SHOP, show=SHOW)
    }
    assert projected == claims
    counters = await stall.engine.counters(SHOP)
    for item, counted in counters.items():
        sold = sum(
            line.quantity
            for order in orders.values()
            for line in order.lines
            if line.sku == item and line.state == "confirmed"
        )
        assert sold == counted.sold


async def test_the_worker_projects_and_lets_quiet_holds_lapse(stall: Stall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "SWEEP_SECONDS", 0.05)
    await stall.stock(A01=1)
    await stall.claim("vera", "A01", hold_seconds=1)
    stop = asyncio.Event()
    running = asyncio.create_task(worker.Worker(stall.redis, stall.database, stall.engine).run(stop))
    while not (found := await stall.rows.of_show(SHOP, SHOW)) or found[0].lines[0].state != "expired":
        await asyncio.sleep(0.05)
    stop.set()
    await running
    assert (found[0].state, found[0].total_minor) == ("cancelled", 0)
    assert await stall.redis.exists(f"lc:{{{SHOP}}}:orders-lease") == 0


async def test_the_worker_outlives_a_store_that_goes_away(
    stall: Stall, valkey: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "BACKOFF_SECONDS", (0.01,))
    faults = 0
    real = Projector.step

    async def sometimes(self: Projector, shop: str) -> int:
        nonlocal faults
        if faults < 3:
            faults += 1
            raise ConnectionError("away")
        return await real(self, shop)

    monkeypatch.setattr(Projector, "step", sometimes)
    await stall.stock(A01=1)
    await stall.claim("vera", "A01")
    stop = asyncio.Event()
    running = asyncio.create_task(worker.Worker(stall.redis, stall.database, stall.engine).run(stop))
    while not await stall.rows.of_show(SHOP, SHOW):
        await asyncio.sleep(0.02)
    stop.set()
    await running
    assert faults == 3
