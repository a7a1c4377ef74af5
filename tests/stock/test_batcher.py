"""The queue of a shop: what goes out together, and what a refusal of the server means.

Lost answers, full stores and other servers are in test_store_troubles.py, with real ones.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from livecommerce.ops.valkey import EmbeddedValkey
from livecommerce.stock.batcher import ShopQueue
from livecommerce.stock.connection import Address, Connection
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.operations import Line, Reserve, Restock
from livecommerce.stock.outcomes import Outcome
from livecommerce.stock.servers import Servers
from livecommerce.stock.settings import Stock
from tests.stock.servers import SHOP, SHOW, engine_on, library_with

GOOD = Reserve("good-id-1", SHOP, SHOW, "ann", (Line("A", 1, 100, "TWD"),))
RESTOCK = Restock("restock-1", SHOP, SHOW, "A", 50)

REFUSALS: dict[str, Outcome | str] = {
    "OOM command not allowed when used memory > 'maxmemory'.": Outcome.STORAGE_FULL,
    "MISCONF Redis is configured to save RDB snapshots": Outcome.STORAGE_FULL,
    "READONLY You can't write against a read only replica.": Outcome.READ_ONLY,
    "NOREPLICAS Not enough good replicas to write.": Outcome.READ_ONLY,
    "INPUT a batch has at most 1000 operations": Outcome.INPUT_BAD,
    "MOVED 3999 127.0.0.1:6381": "again",
    "LOADING Redis is loading the dataset in memory": "wait",
    "BUSY Redis is busy running a script.": "wait",
    "CLUSTERDOWN The cluster is down": "wait",
    "MASTERDOWN Link with MASTER is down": "wait",
    "ERR Script killed by user with FUNCTION KILL.": "unexpected",
    "ERR unknown command 'FCALL'": "unexpected",
}


async def agreed(shop: str, connection: Connection) -> str:
    return ""


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_what_a_refusal_means(refusal: str) -> None:
    queue = ShopQueue(SHOP, Servers(Address(path="/nowhere")), Stock(), agreed)
    assert await queue._understand(refusal, Connection()) == REFUSALS[refusal]


async def test_a_quiet_shop_sends_at_once_and_a_busy_one_in_batches(engine: StockEngine, store: Redis) -> None:
    await engine.submit(RESTOCK)
    calls = engine.figures()["batches_total"]
    many = [replace(GOOD, id=f"identity-{n}", viewer=f"viewer-{n}") for n in range(40)]
    first = asyncio.create_task(engine.submit(many[0]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # the first is on its way; the others come while it is
    await asyncio.gather(first, *(engine.submit(operation) for operation in many[1:]))
    assert engine.figures()["batches_total"] - calls == 2
    assert (await engine.counters(SHOP))["A"].held == 40


async def test_a_batch_is_no_longer_than_the_setting(stock_server: EmbeddedValkey, store: Redis) -> None:
    engine = engine_on(stock_server.url, batch_max=16)
    try:
        await engine.submit(RESTOCK)
        calls = engine.figures()["batches_total"]
        await engine.submit_all([replace(GOOD, id=f"identity-{n}", viewer=f"viewer-{n}") for n in range(40)])
        assert engine.figures()["batches_total"] - calls == 3
    finally:
        await engine.close()


STUCK = "test:stuck"  # while this key exists, a call never ends


@pytest.fixture
async def stuck(stock_server: EmbeddedValkey, store: Redis) -> Any:
    """An engine whose call hangs while the key exists, and a server that says BUSY soon."""
    hang = f'  if redis.call("EXISTS", "{STUCK}") == 1 then while true do end end\n'
    line = "  if not BYTE[0] then prepare() end\n"
    found = engine_on(stock_server.url, library=library_with((line, line + hang)))
    threshold = (await store.config_get("lua-time-limit"))["lua-time-limit"]
    await store.config_set("lua-time-limit", 20)
    yield found
    await store.config_set("lua-time-limit", threshold)
    await found.close()


async def test_a_call_that_was_killed_is_sent_again_and_counts_once(
    stuck: StockEngine, engine: StockEngine, store: Redis
) -> None:
    """FUNCTION KILL by an operator: our call has not written yet, so nothing was changed. Others wait meanwhile."""
    await stuck.submit(RESTOCK)
    await store.set(STUCK, 1, px=200)  # gone for the next call; the hanging one has looked already
    killed = asyncio.create_task(stuck.submit(GOOD))
    async with asyncio.timeout(20):
        while not await is_busy(store):
            await asyncio.sleep(0.01)
    other = asyncio.create_task(engine.submit(replace(GOOD, id="good-id-2", viewer="bob")))
    await asyncio.sleep(0.3)  # past the life of the key
    assert not killed.done()
    assert not other.done(), "a busy server is waited for"
    await store.execute_command("FUNCTION", "KILL")
    assert (await killed).outcome is Outcome.RESERVED
    assert (await other).outcome is Outcome.RESERVED
    assert (await engine.counters(SHOP))["A"].held == 2


async def is_busy(store: Redis) -> bool:
    """A server refuses PING for no other reason."""
    try:
        await store.ping()
    except ResponseError:
        return True
    return False
