"""The worker role: the ledger into SQL, holds that lapse while nobody asks, and how far behind it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from livecommerce.ops import metrics
from livecommerce.ops.logs import logger
from livecommerce.ops.process import Frame
from livecommerce.orders.worker import Worker
from livecommerce.records.repositories import Repositories
from livecommerce.roles.stores import open_stores, sql_check

log = logger(__name__)

STOP_SECONDS_MAX = 3.0  # of finishing a projection step; unfinished, the next worker does it again
COUNTERS = frozenset({"entries", "faults"})  # of the worker's figures; the others go up and down


@asynccontextmanager
async def worker_role(frame: Frame) -> AsyncIterator[None]:
    """Projects the ledger into SQL and lets holds expire."""
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(open_stores(frame))
        records = await Repositories.open(frame.settings)
        stack.push_async_callback(records.close)
        frame.health.checks["sql"] = sql_check(records)
        worker = Worker(stores.redis, records, stores.engine)
        metrics.register(
            "orders",
            lambda: {f"{name}_total" if name in COUNTERS else name: v for name, v in worker.figures().items()},
        )
        stop = asyncio.Event()
        working = asyncio.create_task(worker.run(stop), name="worker")
        frame.watch(working)
        try:
            yield
        finally:
            stop.set()
            done, _ = await asyncio.wait({working}, timeout=STOP_SECONDS_MAX)
            if not done:
                log.warning("the worker did not finish its step in time; the next one does it again")
                working.cancel()
            await asyncio.gather(working, return_exceptions=True)
