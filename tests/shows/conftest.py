from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from livecommerce.shows.executor import Executor
from livecommerce.shows.store import ShowStore
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.settings import Stock
from tests.shows.world import KINDS, setup
from tests.site import make_site, relay, site, site_settings

__all__ = ["make_site", "relay", "site", "site_settings"]


@pytest.fixture
async def store(valkey: Redis) -> AsyncIterator[ShowStore]:
    """A store with the demo show in it."""
    engine = StockEngine(valkey, Stock())
    await engine.start()
    store = ShowStore(valkey, engine, KINDS)
    await store.start()
    await store.create(setup())
    yield store
    await store.close()
    await engine.close()


@pytest.fixture
def executor(store: ShowStore) -> Executor:
    return Executor(store)
