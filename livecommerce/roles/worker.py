"""The worker role: the ledger into SQL, holds that lapse while nobody asks, and how far behind it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from livecommerce.media.event_archive import EventArchiver
from livecommerce.ops import metrics
from livecommerce.ops.logs import logger
from livecommerce.orders.worker import Worker
from livecommerce.records.repositories import Repositories
from livecommerce.roles.agreement import check_agreement
from livecommerce.roles.process import Frame
from livecommerce.roles.stores import open_stores, sql_check

log = logger(__name__)

STOP_SECONDS_MAX = 3.0  # of finishing a projection step; unfinished, the next worker does it again
COUNTERS = frozenset({"entries", "faults"})  # of the worker's figures; the others go up and down


@asynccontextmanager
async def worker_role(frame: Frame) -> AsyncIterator[None]:
    """Projects the ledger into SQL, lets holds expire, and keeps recorded shows' events beside their recordings."""
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(open_stores(frame))
        records = await Repositories.open(frame.settings)
        stack.push_async_callback(records.close)
        await check_agreement(stores.redis, records.database, frame.settings.redis.accept_loss)
        frame.health.checks["sql"] = sql_check(records)
        worker = Worker(stores.redis, records, stores.engine)
        metrics.register(
            "orders",
            lambda: {f"{name}_total" if name in COUNTERS else name: v for name, v in worker.figures().items()},
        )
        stop = asyncio.Event()
        working = frame.keep(lambda: worker.run(stop), "worker")
        archiver = EventArchiver(stores.shows, frame.settings.data_folder)
        archiving = frame.keep(lambda: archiver.run(stop), "event archive")
        tasks = {working, archiving}
        try:
            yield
        finally:
            stop.set()
            _, late = await asyncio.wait(tasks, timeout=STOP_SECONDS_MAX)
            for task in late:
                log.warning("did not finish its step in time; the next one does it again", task=task.get_name())
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
