"""The worker's loops: ledger to orders, and holds that lapse while nobody asks. Bounded, restartable at any line."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from livecommerce.accounts.rows import ShopRepository
from livecommerce.errors import LiveCommerceError, in_words
from livecommerce.ops.log_limit import warn_seldom
from livecommerce.orders.projector import Projector
from livecommerce.records.database import Database
from livecommerce.stock.engine import StockEngine, StockUnavailable

log = structlog.get_logger(__name__)

IDLE_SECONDS = 0.2  # between looks when nothing was there: an order is in SQL well before a person reloads the list
STEPS_IN_A_ROW_MAX = 20  # of one shop, then the next has its turn: 40,000 claims
SWEEP_SECONDS = 1.0  # how late a lapsed hold of a quiet shop is told; correctness never waits for it
MEASURE_SECONDS = 5.0  # between looks at how far behind we are
SHOPS_SECONDS = 5.0  # how late a new shop is noticed
BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)  # after faults in a row: a store that comes back is not trampled


class Worker:
    """One per worker process. Several may run: a shop is projected by the one that holds its lease.

    A shop whose ledger cannot be read (or projected) is told in the log and tried again; the others go on.
    """

    def __init__(self, redis: Redis, database: Database, engine: StockEngine) -> None:
        self._projector = Projector(redis, database)
        self._shop_rows = ShopRepository(database)
        self._engine = engine
        self._shops: list[str] = []
        self._shops_at = -1e9
        self._figures = {"entries": 0.0, "faults": 0.0, "shops": 0.0, "lag_entries": 0.0, "lag_seconds": 0.0}

    def figures(self) -> dict[str, float]:
        """Entries projected and faults met here; shops; the largest lag of a shop, in entries and in seconds."""
        return dict(self._figures)

    async def run(self, stop: asyncio.Event) -> None:
        """Runs until `stop`; then leaves its shops to other workers at once."""
        try:
            async with asyncio.TaskGroup() as group:
                for name, once, pause_seconds in (
                    ("orders", self._project, IDLE_SECONDS),
                    ("expiry", self._sweep, SWEEP_SECONDS),
                    ("lag", self._measure, MEASURE_SECONDS),
                ):
                    group.create_task(self._repeat(name, once, pause_seconds, stop), name=name)
        finally:
            with contextlib.suppress(Exception):  # the lease lapses by itself when the store is away
                await self._projector.close()

    async def _shop_ids(self) -> list[str]:
        if time.monotonic() - self._shops_at > SHOPS_SECONDS:
            self._shops = [shop.id for shop in await self._shop_rows.all()]
            self._shops_at = time.monotonic()
            self._figures["shops"] = len(self._shops)
        return self._shops

    async def _repeat(
        self, name: str, once: Callable[[], Awaitable[bool]], pause_seconds: float, stop: asyncio.Event
    ) -> None:
        """Calls `once` until `stop`: at once again while it says there is more, with growing pauses after faults."""
        faults, told = 0, False  # told: the log has one of them
        while not stop.is_set():
            try:
                more = await once()
                if told:
                    log.info("works again", loop=name)
                faults, told = 0, False
                await _wait(stop, 0.0 if more else pause_seconds)
            except Exception as error:  # whatever it is, orders must go on once it is gone; nothing was half done
                pause = BACKOFF_SECONDS[min(faults, len(BACKOFF_SECONDS) - 1)]
                faults += 1
                self._figures["faults"] += 1
                known = isinstance(error, LiveCommerceError | StockUnavailable | RedisError | OSError)
                told = warn_seldom(
                    log, "fault in the worker", key=f"worker {name} {type(error).__name__}", loop=name,
                    error=in_words(error), seconds=pause, exc_info=faults == 1 and not known,
                ) or told  # fmt: skip
                await _wait(stop, pause)

    async def _each(self, act: Callable[[str], Awaitable[bool]]) -> bool:
        """Does it for every shop, a fault of one not stopping the others; raises the last fault at the end."""
        more, fault = False, None
        for shop in await self._shop_ids():
            try:
                more = await act(shop) or more
            except Exception as error:
                fault = error
        if fault is not None:
            raise fault
        return more

    async def _project(self) -> bool:
        return await self._each(self._project_shop)

    async def _project_shop(self, shop: str) -> bool:
        """Whether more is waiting after this shop's turn."""
        for _ in range(STEPS_IN_A_ROW_MAX):
            counted = await self._projector.step(shop)
            self._figures["entries"] += counted
            if not counted:
                return False
        return True

    async def _sweep(self) -> bool:
        async def sweep_shop(shop: str) -> bool:
            await self._engine.sweep(shop)
            return False

        return await self._each(sweep_shop)

    async def _measure(self) -> bool:
        entries = seconds = 0.0

        async def measure_shop(shop: str) -> bool:
            nonlocal entries, seconds
            behind, age = await self._projector.lag(shop)
            entries, seconds = max(entries, behind), max(seconds, age)
            return False

        await self._each(measure_shop)
        self._figures.update({"lag_entries": entries, "lag_seconds": seconds})
        return False


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
