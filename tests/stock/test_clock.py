"""The store's clock is wrong for a while: no hold outlives its rule for it, and ledger and state still agree."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from livecommerce.ops.valkey import EmbeddedValkey
from livecommerce.stock import keys
from livecommerce.stock.connection import Connection, address_of, connect
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.operations import Extend, Line, Reserve, Restock
from livecommerce.stock.outcomes import Outcome
from livecommerce.stock.rebuild import rebuild, verify
from tests.stock.servers import CLOCK, SHOP, SHOW

START = 1_000_000_000
SECOND, YEAR = 1_000, 365 * 86_400_000
HOLD = 900 * SECOND


class Shop:
    def __init__(self, engine: StockEngine, store: Redis) -> None:
        self.engine, self.store = engine, store

    async def at(self, now: int) -> None:
        await self.store.set(CLOCK, now)

    async def claim(self, viewer: str) -> int:
        """Until when it is held."""
        line = Line("A", 1, 100, "TWD")
        answer = await self.engine.submit(Reserve(f"claim-of-{viewer}", SHOP, SHOW, viewer, (line,), hold_seconds=900))
        assert answer.outcome is Outcome.RESERVED
        return answer.lines[0].deadline_ms

    async def held(self) -> int:
        return (await self.engine.counters(SHOP))["A"].held


@pytest.fixture
async def shop(clocked: StockEngine, store: Redis) -> Shop:
    found = Shop(clocked, store)
    await found.at(START)
    await clocked.submit(Restock("restock-1", SHOP, SHOW, "A", 50))
    return found


@pytest.fixture
async def connection(stock_server: EmbeddedValkey) -> AsyncIterator[Connection]:
    found = await connect(address_of(Redis.from_url(stock_server.url)))
    yield found
    found.close()


@pytest.mark.parametrize("ahead", [YEAR, 3600 * SECOND, 60 * SECOND])
@pytest.mark.parametrize("is_rebuilt", [False, True])
async def test_a_clock_that_was_ahead_for_a_moment_binds_nobody(
    shop: Shop, connection: Connection, ahead: int, is_rebuilt: bool
) -> None:
    await shop.at(START + ahead)
    await shop.claim("in-the-wrong-time")
    await shop.at(START + 2 * SECOND)
    assert await shop.claim("after") == START + 2 * SECOND + HOLD, "by its rule, as if nothing had been"
    if is_rebuilt:
        await rebuild(connection, SHOP)
    assert await verify(connection, SHOP) == []
    await shop.at(START + HOLD - SECOND)
    assert await shop.held() == 2
    await shop.at(START + HOLD + 3 * SECOND)
    assert await shop.held() == 0, "those of the wrong time too"
    assert await verify(connection, SHOP) == []


async def test_a_clock_set_back_leaves_every_hold_the_time_it_had(shop: Shop, connection: Connection) -> None:
    await shop.claim("before")
    await shop.at(START + 600 * SECOND)
    await shop.claim("just-before")
    await shop.at(START)  # ten minutes back: 300 s and 900 s are left
    assert await shop.held() == 2
    await shop.at(START + 299 * SECOND)
    assert await shop.held() == 2
    await shop.at(START + 301 * SECOND)
    assert await shop.held() == 1
    await shop.at(START + HOLD + SECOND)
    assert await shop.held() == 0
    assert await verify(connection, SHOP) == []


async def test_a_hold_of_a_wrong_time_is_extended_by_its_rule(shop: Shop) -> None:
    await shop.at(START + YEAR)
    await shop.claim("buyer")
    await shop.at(START)
    extend = Extend("extend-1", SHOP, SHOW, "A#1", 1800)
    assert (await shop.engine.submit(extend)).lines[0].deadline_ms == START + 1800 * SECOND
    await shop.at(START + 1801 * SECOND)
    assert await shop.held() == 0


async def test_a_small_step_back_stands_still(shop: Shop, store: Redis) -> None:
    await shop.at(START + 4 * SECOND)
    await shop.claim("first")
    await shop.at(START)
    assert await shop.claim("second") == START + 4 * SECOND + HOLD
    assert await store.hget(keys.items(SHOP), keys.NOW) == str(START + 4 * SECOND).encode()


async def test_the_same_claim_again_after_a_step_gets_its_first_answer(shop: Shop) -> None:
    claim = Reserve("the-same-id", SHOP, SHOW, "ann", (Line("A", 1, 100, "TWD"),), hold_seconds=900)
    await shop.at(START + YEAR)
    first = await shop.engine.submit(claim)
    await shop.at(START)
    assert await shop.engine.submit(claim) == first
    assert (await shop.engine.submit(replace(claim, id="another-id"))).at_ms == START
