"""A shop with real stock on a real Valkey, and its orders in both databases."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from livecommerce.orders.projector import Projector
from livecommerce.records.database import Database
from livecommerce.records.repositories import Repositories
from livecommerce.records.structs import Order, Shop
from livecommerce.settings import Settings
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.operations import Line, Reserve, Restock
from livecommerce.stock.outcomes import Answer
from tests.records.conftest import database_url, postgres_url

__all__ = ["database_url", "postgres_url"]

SHOP, SHOW = "lingling", "demo"


class Stall:
    """The shop in a test's words."""

    def __init__(self, redis: Redis, records: Repositories, engine: StockEngine) -> None:
        self.redis = redis
        self.records = records
        self.engine = engine
        self.projector = Projector(redis, records.database)
        self._ids = (f"operation-{number:04}" for number in itertools.count())

    def id(self) -> str:
        return next(self._ids)

    async def stock(self, **items: int) -> None:
        for item, quantity in items.items():
            await self.engine.submit(Restock(id=self.id(), shop=SHOP, show=SHOW, item=item, quantity=quantity))

    async def claim(
        self, viewer: str, item: str, quantity: int = 1, *, price: int = 100, show: str = SHOW, hold_seconds: int = 900
    ) -> Answer:
        return await self.engine.submit(
            Reserve(
                id=self.id(), shop=SHOP, show=show, viewer=viewer, hold_seconds=hold_seconds,
                lines=(Line(item=item, quantity=quantity, unit_price_minor=price, currency="TWD", text=f"{item}！"),),
            )
        )  # fmt: skip

    async def project(self) -> int:
        """Everything there is; returns how many entries counted."""
        counted = 0
        while step := await self.projector.step(SHOP):
            counted += step
        return counted

    async def orders(self, show: str = SHOW) -> dict[str, Order]:
        await self.project()
        return {order.viewer: order for order in await self.records.orders.of_show(SHOP, show)}


@pytest.fixture
async def records(database_url: str) -> AsyncIterator[Repositories]:
    database = Database(database_url)
    await database.start()
    repositories = Repositories(database)
    await repositories.shops.put(Shop(id=SHOP, name="玲玲的小舖"))
    yield repositories
    await repositories.close()


@pytest.fixture
async def stall(valkey: Redis, records: Repositories) -> AsyncIterator[Stall]:
    engine = StockEngine(valkey, Settings().stock)
    await engine.start()
    yield Stall(valkey, records, engine)
    await engine.close()
