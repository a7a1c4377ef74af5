"""A web process that sells as fast as it can and tells every answer on standard output, until it is killed.

A line an answer, written the moment it is known: `viewer id outcome reservation at_ms`. What stands there is promised.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys

from redis.asyncio import Redis

from livecommerce.stock.engine import StockEngine
from livecommerce.stock.operations import Cancel, Confirm, Line, Operation, Reserve
from livecommerce.stock.outcomes import RETRYABLE, Answer
from livecommerce.stock.settings import Stock

BUYERS = 40  # comments under way at a time
SHOP, SHOW = "shop", "show-1"


async def tell(engine: StockEngine, operation: Operation) -> Answer | None:
    answer = await engine.submit(operation)
    if answer.outcome in RETRYABLE:
        return None
    line = answer.lines[0] if answer.lines else None
    reservation = (line.reservation if line else None) or "-"
    words = f"{operation.viewer} {answer.id} {answer.outcome} {reservation} {answer.at_ms}\n"  # type: ignore[union-attr]
    os.write(1, words.encode())
    return answer


async def buyer(engine: StockEngine, seed: int) -> None:
    chance, turn = random.Random(seed), 0
    while True:
        turn += 1
        viewer = f"viewer-{seed}-{turn}"
        lines = (Line(chance.choice(("A", "B")), chance.choice((1, 1, 2)), 100, "TWD"),)
        answer = await tell(engine, Reserve(f"{viewer}-reserve", SHOP, SHOW, viewer, lines))
        reservation = answer.lines[0].reservation if answer and answer.lines else None
        if reservation is None:
            continue
        if chance.random() < 0.4:
            await tell(engine, Cancel(f"{viewer}-cancel", SHOP, SHOW, viewer, reservation))
        elif chance.random() < 0.2:
            await tell(engine, Confirm(f"{viewer}-confirm", SHOP, SHOW, reservation, viewer))


async def main(url: str, seed: int) -> None:
    engine = StockEngine(Redis.from_url(url), Stock())
    await engine.start()
    await asyncio.gather(*(buyer(engine, seed * 1000 + number) for number in range(BUYERS)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
