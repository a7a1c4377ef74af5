"""`kill -9` of the worker again and again while people claim: afterwards SQL and stock say the same."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys

from livecommerce.ops.valkey import EmbeddedValkey
from livecommerce.stock.operations import Confirm
from tests.orders.conftest import SHOP, SHOW, Stall

WORKER = """
import asyncio, sys
from redis.asyncio import Redis
from livecommerce.orders import projector
from livecommerce.orders.worker import Worker
from livecommerce.records.database import Database
from livecommerce.stock.settings import Stock
from livecommerce.stock.engine import StockEngine

projector.ENTRIES_MAX = 4  # many small transactions: more places to die in
projector.LEASE_MS = 200

async def main():
    redis = Redis.from_url(sys.argv[1])
    database = Database(sys.argv[2])
    await database.start()
    print("up", flush=True)
    await Worker(redis, database, StockEngine(redis, Stock())).run(asyncio.Event())

asyncio.run(main())
"""
KILLS = 4
CLAIMS = 160


def start(server: EmbeddedValkey, database: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", WORKER, server.url, database], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    return process


async def test_a_worker_killed_at_any_moment_loses_and_doubles_nothing(
    stall: Stall, valkey_server: EmbeddedValkey, database_url: str
) -> None:
    chance = random.Random(6)
    await stall.stock(A01=CLAIMS)

    async def people() -> None:
        for number in range(CLAIMS):
            await stall.claim(f"viewer-{number % 17}", "A01", price=10)
            if number % 5 == 0:
                await stall.engine.submit(
                    Confirm(id=stall.id(), shop=SHOP, show=SHOW, reservation=f"A01#{number // 2 + 1}")
                )
            await asyncio.sleep(0.02)

    buying = asyncio.create_task(people())
    for _ in range(KILLS):
        process = await asyncio.to_thread(start, valkey_server, database_url)
        await asyncio.sleep(chance.uniform(0.05, 0.6))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    await buying
    process = await asyncio.to_thread(start, valkey_server, database_url)
    try:
        while (await stall.projector.lag(SHOP))[0]:
            await asyncio.sleep(0.05)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    orders = await stall.rows.of_show(SHOP, SHOW)
    projected = {line.reservation: (order.viewer, line.state) for order in orders for line in order.lines}
    claims = {claim.reservation: (claim.viewer, claim.state) for claim in await stall.engine.claims(SHOP, show=SHOW)}
    assert len(projected) == CLAIMS
    assert projected == claims
    assert [order.number for order in orders] == list(range(1, 18))
    sold = (await stall.engine.counters(SHOP, ["A01"]))["A01"].sold
    assert sum(order.confirmed_minor for order in orders) == sold * 10
