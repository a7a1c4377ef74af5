"""A cluster under load: a planned failover, then a dead primary. Nothing acknowledged is lost; sales go on after the
ledger has been compared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from livecommerce.stock.engine import StockEngine
from livecommerce.stock.operations import Line, Reserve, Restock
from livecommerce.stock.outcomes import RETRYABLE, Answer, Outcome
from livecommerce.stock.rebuild import shops_of, verify
from tests.stock.cluster import Cluster
from tests.stock.servers import KINDS, SHOW, engine_on

SHOPS = ("north", "south", "west")  # their slots lie on all three primaries
SUPPLY = 3_000
BUYERS = 12
LINES = (Line("A", 1, 100, "TWD"),)


@pytest.fixture(params=KINDS)
async def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Cluster]:
    found = Cluster(request.param, tmp_path)
    try:
        await found.start()
        yield found
    finally:
        found.stop()


class Load:
    """Buyers that insist, in every shop, until told to stop."""

    def __init__(self, engine: StockEngine) -> None:
        self.engine = engine
        self.told: dict[tuple[str, str, str], Answer] = {}
        self.going = True

    async def buyer(self, shop: str, number: int) -> None:
        turn = 0
        while self.going:
            turn += 1
            viewer = f"viewer-{number}-{turn}"
            operation = Reserve(f"{viewer}-reserve", shop, SHOW, viewer, LINES)
            answer = await self.engine.submit(operation)
            while answer.outcome in RETRYABLE and self.going:
                await asyncio.sleep(0.05)
                answer = await self.engine.submit(operation)
            if answer.outcome not in RETRYABLE:
                self.told[shop, viewer, operation.id] = answer
            await asyncio.sleep(0.002)

    async def more(self, shop: str, count: int = 20) -> None:
        """Until `count` more answers of the shop have come."""
        goal = self.count(shop) + count
        async with asyncio.timeout(60):
            while self.count(shop) < goal:
                await asyncio.sleep(0.02)

    def count(self, shop: str) -> int:
        return sum(1 for key in list(self.told) if key[0] == shop)


async def check(load: Load) -> None:
    engine = load.engine
    for shop in SHOPS:
        counters = (await engine.counters(shop))["A"]
        assert counters.supplied == SUPPLY
        assert counters.available + counters.held + counters.sold == SUPPLY
        assert counters.available >= 0
        assert await verify(await engine._servers.connection_of(shop), shop) == []
    for (shop, viewer, identity), answer in load.told.items():
        again = await engine.submit(Reserve(identity, shop, SHOW, viewer, LINES))
        assert again == answer, "acknowledged, and now another answer"


async def test_failovers_under_load(cluster: Cluster) -> None:
    """First a planned failover of one shop's primary, then kill -9 of another's."""
    engine = engine_on(f"redis://127.0.0.1:{cluster.ports[0]}", replicas_wait=1)
    load = Load(engine)
    try:
        for shop in SHOPS:
            answer = await engine.submit(Restock(f"restock-{shop}", shop, SHOW, "A", SUPPLY))
            assert answer.outcome is Outcome.RESTOCKED, answer
        assert await shops_of(engine._servers) == sorted(SHOPS)
        tasks = [asyncio.create_task(load.buyer(shop, number)) for shop in SHOPS for number in range(BUYERS)]
        await asyncio.gather(*(load.more(shop) for shop in SHOPS))

        key = "lc:{north}:ledger"
        primary = cluster.primary_of(key)
        cluster.ask_for_failover(primary)
        await cluster.until_another(key, primary)
        await load.more("north")

        key = "lc:{south}:ledger"
        primary = cluster.primary_of(key)
        cluster.kill(primary)
        await cluster.until("a replica voted in", lambda: cluster.primary_of(key) != primary)
        cluster.revive(primary)  # until it follows, the shop has no replica and acknowledges nothing
        await asyncio.gather(*(load.more(shop) for shop in SHOPS))

        load.going = False
        await asyncio.gather(*tasks)
        await check(load)
    finally:
        load.going = False
        await engine.close()
