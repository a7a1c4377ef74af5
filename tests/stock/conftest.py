"""Every stock test that takes `server_url` runs on Valkey 9 and on Redis 7."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis

from livecommerce.ops.valkey import EmbeddedValkey
from livecommerce.stock.engine import StockEngine
from tests.stock.servers import CLOCK, KINDS, clocked_library, engine_on, server


@pytest.fixture(scope="session", params=KINDS)
def stock_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    found = server(request.param, tmp_path_factory.mktemp(f"stock-{request.param}"))
    found.start()
    yield found
    found.stop()


@pytest.fixture
async def store(stock_server: EmbeddedValkey) -> AsyncIterator[Redis]:
    """A client of an empty server."""
    client = Redis.from_url(stock_server.url)
    await client.flushall()
    await client.function_flush("SYNC")
    yield client
    await client.aclose()


@pytest.fixture
async def engine(stock_server: EmbeddedValkey, store: Redis) -> AsyncIterator[StockEngine]:
    """An engine on an empty server, real time."""
    found = engine_on(stock_server.url)
    yield found
    await found.close()


@pytest.fixture
async def clocked(stock_server: EmbeddedValkey, store: Redis) -> AsyncIterator[StockEngine]:
    """An engine on an empty server whose time is the key `test:clock`, at first 1,000,000 ms."""
    await store.set(CLOCK, 1_000_000)
    found = engine_on(stock_server.url, library=clocked_library())
    yield found
    await found.close()
