"""A shop with real stock on a real Valkey, and its orders in both databases."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from livecommerce.accounts.rows import Shop, ShopRepository
from livecommerce.configuration.tree import Settings
from livecommerce.orders.model import Order
from livecommerce.orders.projector import Projector
from livecommerce.orders.rows import OrderRepository
from livecommerce.records.database import Database
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.operations import Line, Reserve, Restock
from livecommerce.stock.outcomes import Answer
from tests.site import make_site, relay, site, site_settings

__all__ = ["make_site", "relay", "site", "site_settings"]

SHOP, SHOW = "lingling", "demo"


class Stall:
    """The shop in a test's words."""

    def __init__(self, redis: Redis, database: Database, engine: StockEngine) -> None:
        self.redis = redis
        self.database = database
        self.rows = OrderRepository(database)
        self.engine = engine
        self.projector = Projector(redis, database)
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
        return {order.viewer: order for order in await self.rows.of_show(SHOP, show)}


@pytest.fixture
async def stall(valkey: Redis, database: Database) -> AsyncIterator[Stall]:
    await ShopRepository(database).put(Shop(id=SHOP, name="玲玲的小舖"))
    engine = StockEngine(valkey, Settings().stock)
    await engine.start()
    yield Stall(valkey, database, engine)
    await engine.close()
