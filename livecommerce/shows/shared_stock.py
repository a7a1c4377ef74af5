"""The pieces of a shop are sold in all of its shows. Stock tells the show that it sold in; this tells the others.

A claim, a lapsed hold or a restock is an event in the log of its own show alone, so a second show (or the studio of the
first, whose holds go on after its end) would show pieces that are gone, or "sold out" over free ones. Once a second the
counters of a shop with several shows are held against what each of them was told.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence

from sqlalchemy.exc import SQLAlchemyError

from livecommerce.errors import LiveCommerceError, ShowUnknown
from livecommerce.ops.log_limit import warn_seldom
from livecommerce.ops.logs import logger
from livecommerce.shows.packing import decoded, pack
from livecommerce.shows.rows import ShowRepository
from livecommerce.shows.store import FAULTS, ShowStore
from livecommerce.shows.supply import counters_shape
from livecommerce.stock import keys as stock_keys
from livecommerce.stock.engine import StockUnavailable

log = logger(__name__)

LOOK_SECONDS = 1.0  # how late another show hears: its own viewers' claims are told at once, and right, in any case
SHOWS_SECONDS = 5.0  # how late a new show is noticed
# An ended show is still looked at: its holds lapse, its orders are packed. A day later its studio is read afresh.
ENDED_MS = 86_400_000
TRIES = 3  # while the show's own claims come between reading and telling; they carry true counters themselves

Told = dict[str, list[int]]


class SharedStock:
    """One per worker process. Several may run: the same counters told twice change nothing."""

    def __init__(self, store: ShowStore, setups: ShowRepository) -> None:
        self._store = store
        self._setups = setups
        self._shops: list[str] = []
        self._shows: dict[str, list[str]] = {}
        self._shows_at = -1e9
        self._seen: dict[str, tuple[str, tuple[str, ...]]] = {}
        self._told: dict[str, Told] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. A shop that cannot be read is told in the log and tried again; the others go on."""
        while not stop.is_set():
            with contextlib.suppress(LiveCommerceError, SQLAlchemyError):  # SQL is away: the shows of before
                await self._look_up_shows()
            for shop, shows in self._shows.items():
                try:
                    await self.tell(shop, shows)
                except (LiveCommerceError, StockUnavailable, *FAULTS) as error:
                    warn_seldom(log, "counters not told to other shows", key=f"stock {shop}", shop=shop, why=str(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)

    async def _look_up_shows(self) -> None:
        """Shops with more than one show that somebody may have open."""
        if time.monotonic() - self._shows_at < SHOWS_SECONDS:
            return
        found: dict[str, list[str]] = {}
        for shop, shows in (await self._setups.published()).items():
            stages = await self._store.stages(shop, shows)
            newest = self._store.now_ms() - ENDED_MS
            found[shop] = [show for show, (stage, started) in stages.items() if stage != "ended" or started > newest]
        self._shows = {shop: shows for shop, shows in found.items() if len(shows) > 1}
        self._shows_at = time.monotonic()
        still = {show for shows in self._shows.values() for show in shows}
        self._told = {show: told for show, told in self._told.items() if show in still}
        self._seen = {shop: seen for shop, seen in self._seen.items() if shop in self._shows}

    async def _ledger_end(self, shop: str) -> str:
        newest = await self._store.redis.xrevrange(stock_keys.ledger(shop), count=1)
        return decoded(newest[0][0]) if newest else ""

    async def tell(self, shop: str, shows: Sequence[str]) -> None:
        """Tells each of these shows of one shop what has changed of its skus since it was last told.

        Raises:
            LiveCommerceError, StockUnavailable
        """
        # Read before the counters: what comes in between is looked at the next time.
        seen = (await self._ledger_end(shop), tuple(shows))
        if self._seen.get(shop) == seen:
            return
        is_all_told = True
        for show in shows:
            with contextlib.suppress(ShowUnknown):
                is_all_told = await self._tell(shop, show) and is_all_told
        if is_all_told:
            self._seen[shop] = seen

    async def _tell(self, shop: str, show: str) -> bool:
        for _ in range(TRIES):
            state = await self._store.load(show, chat=0, whole=False)
            skus = [sku for code in state["order"] for sku in state["items"][code]["skus"]]
            if not skus:
                return True
            counters = counters_shape(await self._store.engine.counters(shop, skus))
            before: Mapping[str, list[int]] = self._told.get(show, {})
            changed = {sku: shape for sku, shape in counters.items() if before.get(sku) != shape}
            if not changed:
                return True
            event = pack({"t": "stock", "stock": changed, "at": state["now"]})
            if await self._store.append_if_at(show, state["offset"], event):
                self._told[show] = counters
                return True
        return False
