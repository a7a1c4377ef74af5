"""The worker's loops: ledger to orders, and holds that lapse while nobody asks. Bounded, restartable at any line."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

import structlog
from redis.asyncio import Redis

from livecommerce.orders.projector import ENTRIES_MAX, Projector
from livecommerce.records.repositories import Repositories
from livecommerce.stock.engine import StockEngine

log = structlog.get_logger(__name__)

IDLE_SECONDS = 0.2  # between looks when nothing was there: an order is in SQL well before a person reloads the list
STEPS_IN_A_ROW_MAX = 20  # of one shop, then the next has its turn: 2,000 batches
SWEEP_SECONDS = 1.0  # how late a lapsed hold of a quiet shop is told; correctness never waits for it
SHOPS_SECONDS = 5.0  # how late a new shop is noticed
BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)  # after faults in a row: a store that comes back is not trampled


class Shops:
    """The ids of all shops, asked of SQL now and then."""

    def __init__(self, records: Repositories) -> None:
        self._records = records
        self._known: list[str] = []
        self._at = -1e9

    async def ids(self) -> list[str]:
        if time.monotonic() - self._at > SHOPS_SECONDS:
            self._known = [shop.id for shop in await self._records.shops.all()]
            self._at = time.monotonic()
        return self._known


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def _repeat(name: str, once: Callable[[], Awaitable[bool]], pause_seconds: float, stop: asyncio.Event) -> None:
    """Calls `once` until `stop`: at once again while it says there is more, with growing pauses after faults."""
    faults = 0
    while not stop.is_set():
        try:
            more = await once()
            if faults:
                log.info("works again", loop=name)
            faults = 0
            await _wait(stop, 0.0 if more else pause_seconds)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # whatever it is, orders must go on once it is gone; nothing was half done
            pause = BACKOFF_SECONDS[min(faults, len(BACKOFF_SECONDS) - 1)]
            faults += 1
            log.warning(
                "fault in the worker", loop=name, error=repr(error), again_in_seconds=pause, exc_info=faults == 1
            )
            await _wait(stop, pause)


async def _project_shop(projector: Projector, shop: str) -> bool:
    """Whether more is waiting after this shop's turn."""
    for _ in range(STEPS_IN_A_ROW_MAX):
        if await projector.step(shop) < ENTRIES_MAX:
            return False
    return True


async def run(redis: Redis, records: Repositories, engine: StockEngine, stop: asyncio.Event) -> None:
    """Runs until `stop`. Several workers may run: a shop is projected by the one that holds its lease.

    A shop whose ledger cannot be read (or projected) is told in the log and tried again; the others go on.
    """
    projector = Projector(redis, records.database)
    shops = Shops(records)

    async def project() -> bool:
        more, fault = False, None
        for shop in await shops.ids():
            try:
                more = await _project_shop(projector, shop) or more
            except Exception as error:
                fault = error
        if fault is not None:
            raise fault
        return more

    async def sweep() -> bool:
        fault = None
        for shop in await shops.ids():
            try:
                await engine.sweep(shop)
            except Exception as error:
                fault = error
        if fault is not None:
            raise fault
        return False

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_repeat("orders", project, IDLE_SECONDS, stop), name="orders")
            group.create_task(_repeat("expiry", sweep, SWEEP_SECONDS, stop), name="expiry")
    finally:
        with contextlib.suppress(Exception):  # the lease lapses by itself when the store is away
            await projector.close()
