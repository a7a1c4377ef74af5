"""The worker role: the ledger into SQL, facts to their readers, holds that lapse while nobody asks, and what one
show sells to the others of its shop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from livecommerce.ops import metrics
from livecommerce.ops.logs import logger
from livecommerce.orders.money_trail import MONEY_TRAIL
from livecommerce.orders.worker import Worker
from livecommerce.records.fact_loop import FactLoop
from livecommerce.records.fact_readers import Reader
from livecommerce.replay.archive import EventArchiver
from livecommerce.roles.off_air import OffAir
from livecommerce.roles.process import Frame
from livecommerce.roles.sql import open_database
from livecommerce.roles.stores import open_stores
from livecommerce.shows.rows import ShowRepository
from livecommerce.shows.shared_stock import SharedStock

log = logger(__name__)

STOP_SECONDS_MAX = 3.0  # of finishing a projection step; unfinished, the next worker does it again
# Of the figures of the worker and of its readers; the others go up and down.
COUNTERS = frozenset({"entries", "faults", "read", "refused", "pruned"})
FACT_READERS: tuple[Reader, ...] = (MONEY_TRAIL,)  # everything that follows from facts; registered when a worker starts


def _named(figures: Mapping[str, float]) -> dict[str, float]:
    return {f"{name}_total" if name in COUNTERS else name: value for name, value in figures.items()}


@asynccontextmanager
async def worker_role(frame: Frame) -> AsyncIterator[None]:
    """Projects the ledger into SQL, runs the readers of facts, lets holds expire, tells shows of a shop each other's
    stock, and keeps recorded shows' events beside their recordings."""
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(open_stores(frame))
        database = await stack.enter_async_context(open_database(frame, stores.redis))
        worker = Worker(stores.redis, database, stores.engine)
        metrics.register("orders", lambda: _named(worker.figures()))
        facts = FactLoop(database, FACT_READERS)
        metrics.register("facts", lambda: _named(facts.figures()))
        stop = asyncio.Event()
        working = frame.keep(lambda: worker.run(stop), "worker")
        archiver = EventArchiver(stores.shows, frame.settings.data_folder)
        archiving = frame.keep(lambda: archiver.run(stop), "event archive")
        reading = frame.keep(lambda: facts.run(stop), "facts")
        shared = SharedStock(stores.shows, ShowRepository(database))
        telling = frame.keep(lambda: shared.run(stop), "shared stock")
        tasks = {working, archiving, reading, telling}
        looking = frame.keep(OffAir(stores.redis, stores.shows).run, "streams off the air")
        try:
            yield
        finally:
            stop.set()
            looking.cancel()
            _, late = await asyncio.wait(tasks, timeout=STOP_SECONDS_MAX)
            for task in late:
                log.warning("did not finish its step in time; the next one does it again", task=task.get_name())
                task.cancel()
            await asyncio.gather(*tasks, looking, return_exceptions=True)
