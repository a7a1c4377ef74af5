"""Long random lives of a shop: the model beside Valkey 9 and Redis 7. A failure prints its seed; put it into KEPT."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from livecommerce.ops.valkey import EmbeddedValkey
from livecommerce.stock.engine import StockEngine
from tests.stock.driver import play, play_all
from tests.stock.machine import OFFER_SECONDS
from tests.stock.servers import clocked_library, engine_on

# Seeds worth running for ever: many waitlists over two shows; a swap by staff under an id that the viewer has used
# before (1606) and uses afterwards (1728, in batch 97).
KEPT = (3, 11, 1606, 1728)
FRESH = tuple(range(100, 112))


@pytest.fixture
async def player(stock_server: EmbeddedValkey, store: Redis) -> AsyncIterator[StockEngine]:
    found = engine_on(stock_server.url, library=clocked_library(), offer_seconds=OFFER_SECONDS)
    yield found
    await found.close()


@pytest.mark.parametrize("seed", KEPT + FRESH)
async def test_a_life(seed: int, player: StockEngine, store: Redis) -> None:
    await play(seed, player, store, batches=100 if seed in KEPT else 60)


@pytest.mark.nightly
async def test_a_thousand_lives(player: StockEngine, store: Redis) -> None:
    await play_all(range(1_000, 2_000), player, store, batches=100)
