"""What one show of a shop sells, the others show: claims, lapses, restocks, and no figure that was never true."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from livecommerce.accounts.rows import Shop, ShopRepository
from livecommerce.records.database import Database
from livecommerce.shows.rows import ShowRecord, ShowRepository
from livecommerce.shows.shared_stock import SharedStock
from livecommerce.shows.state import State
from livecommerce.shows.store import ShowStore
from livecommerce.stock.operations import Cancel, Line, Reserve, Restock
from tests.shows.world import KINDS, SHOP, SHOW, new_id, setup

OTHER = "second"


class Two:
    """Two shows of one shop; what somebody who opened the second one long ago sees."""

    def __init__(self, store: ShowStore, shared: SharedStock, state: State) -> None:
        self.store = store
        self.shared = shared
        self.state = state
        self.offset = state["offset"]

    async def claim(self, viewer: str, sku: str, quantity: int = 1, show: str = SHOW) -> str:
        line = Line(sku, quantity, 590, "TWD", sku)
        answer = await self.store.engine.submit(Reserve(new_id(), SHOP, show, viewer, (line,), hold_seconds=60))
        return answer.lines[0].reservation

    async def told(self) -> list[list[dict[str, Any]]]:
        """Entries that came to the second show since; the state is then theirs."""
        await self.shared.tell(SHOP, [SHOW, OTHER])
        entries = await self.store.read(OTHER, self.offset)
        for offset, events in entries:
            self.state, self.offset = KINDS.fold(self.state, events), offset
        return [events for _, events in entries]

    async def left(self, sku: str) -> int:
        await self.told()
        return self.state["stock"][sku][0]


@pytest.fixture
async def two(store: ShowStore, database: Database) -> Two:
    await store.create(setup(OTHER))
    shared = SharedStock(store, ShowRepository(database))
    two = Two(store, shared, await store.load(OTHER))
    await two.told()
    return two


async def test_claims_lapses_and_restocks_of_one_show_reach_the_other(two: Two) -> None:
    first = await two.left("A01")
    reservation = await two.claim("anna", "A01", 2)
    assert await two.left("A01") == first - 2
    await two.store.engine.submit(Cancel(new_id(), SHOP, SHOW, "anna", reservation))
    assert await two.left("A01") == first
    await two.store.engine.submit(Restock(new_id(), SHOP, SHOW, "A01", 7))
    assert await two.left("A01") == first + 7
    counters = (await two.store.engine.counters(SHOP, ["A01"]))["A01"]
    assert two.state["stock"]["A01"] == [
        counters.available, counters.held, counters.sold, counters.waiting, counters.supplied,
    ]  # fmt: skip


async def test_the_last_piece_is_gone_in_both(two: Two) -> None:
    left = await two.left("A02/黑色/L")
    await two.claim("anna", "A02/黑色/L", left)
    assert await two.left("A02/黑色/L") == 0


async def test_nothing_is_told_twice_and_nothing_that_the_show_does_not_sell(two: Two) -> None:
    assert await two.told() == []
    await two.store.engine.submit(Restock(new_id(), SHOP, SHOW, "Z99", 3))
    assert await two.told() == []
    await two.claim("anna", "B01")
    (events,) = await two.told()
    assert [(event["t"], list(event["stock"])) for event in events] == [("stock", ["B01"])]
    assert await two.told() == []


async def test_a_claim_of_its_own_in_between_is_never_overwritten_with_what_was(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read 5, its own viewer takes 2, told 5: the log's last word must be 3."""
    engine, first = two.store.engine, await two.left("A01")
    asked = engine.counters
    claimed = False

    async def counters(*arguments: Any) -> Any:
        nonlocal claimed
        found = await asked(*arguments)
        if not claimed:
            claimed = True
            await two.claim("otto", "A01", 2, show=OTHER)
        return found

    await two.claim("anna", "B01")
    monkeypatch.setattr(engine, "counters", counters)
    assert await two.left("A01") == first - 2
    assert await two.left("A01") == first - 2


async def test_a_running_worker_tells_the_shows_of_every_shop(
    two: Two, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livecommerce.shows.shared_stock.LOOK_SECONDS", 0.02)
    monkeypatch.setattr("livecommerce.shows.shared_stock.SHOWS_SECONDS", 0.0)
    await ShopRepository(database).put(Shop(SHOP, "小店"))
    shows, stop = ShowRepository(database), asyncio.Event()
    for name in (SHOW, OTHER):
        record = ShowRecord(name, SHOP, name, "TWD", ("zh-TW",), {}, 900, {}, "owner")
        assert await shows.add(record) is not None
    working = asyncio.create_task(SharedStock(two.store, shows).run(stop))
    first = (await two.store.engine.counters(SHOP, ["A01"]))["A01"].available
    await two.claim("anna", "A01")
    assert await shows.published() == {}
    for name in (SHOW, OTHER):
        await shows.mark_published(name)
    async with asyncio.timeout(10):
        while True:
            state = two.state
            for _, events in await two.store.read(OTHER, state["offset"]):
                state = KINDS.fold(state, events)
            if state["stock"]["A01"][0] == first - 1:
                break
            await asyncio.sleep(0.02)
    stop.set()
    await working
