"""Reads a shop's ledger from where SQL stands and projects it. Any process may be killed at any line."""

from __future__ import annotations

import secrets
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from livecommerce.orders.customers import CustomerBook
from livecommerce.orders.projection import apply
from livecommerce.orders.rows import OrderRepository
from livecommerce.records.database import Database
from livecommerce.stock import keys as stock_keys
from livecommerce.stock.ledger import LedgerClaim, decode
from livecommerce.stock.stream_ids import stream_key

log = structlog.get_logger(__name__)

GROUP = "orders"  # its last-delivered id mirrors the SQL position: for lag figures, and so that stock trims behind it
ENTRIES_MAX = 100  # read at once
CHANGES_MAX = 2_000  # of claims in one transaction: it holds SQLite's write lock a quarter of a second
LAG_MAX = 2_000  # "many" is all a graph needs to know
LEASE_MS = 15_000  # a worker that died leaves a shop alone this long; SQL's own lock keeps two from counting twice

_RENEW = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0
"""
_GIVE_UP = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class Projector:
    """Projects one shop at a time. `step(shop)` does one bounded piece of work."""

    def __init__(self, redis: Redis, database: Database) -> None:
        self._redis = redis
        self._database = database
        self._orders = OrderRepository(database)
        self._customers = CustomerBook(redis, self._orders)
        self._name = secrets.token_hex(8)
        self._renew = redis.register_script(_RENEW)
        self._give_up = redis.register_script(_GIVE_UP)
        self._positions: dict[str, str] = {}  # while we hold the lease nobody else moves them

    def _ledger(self, shop: str) -> str:
        return stock_keys.ledger(shop)

    def _lease(self, shop: str) -> str:
        return f"lc:{{{shop}}}:orders-lease"

    async def _take(self, shop: str) -> bool:
        """Whether this worker has the shop now. Two that race are harmless, only wasteful."""
        mine = bool(await self._renew(keys=[self._lease(shop)], args=[self._name, LEASE_MS]))
        if not mine:
            self._positions.pop(shop, None)
        return mine

    async def step(self, shop: str) -> int:
        """Projects one transaction's worth of entries. Returns how many counted; 0 also when another worker has it.

        Raises:
            redis.RedisError, DatabaseAway, StorageFull: nothing was half done; call again.
            LedgerUnreadable: an entry of a newer program; nothing is skipped, the position stays before it.
        """
        if not await self._take(shop):
            return 0
        position = self._positions.get(shop)
        if position is None:
            position = await self._orders.position(shop)
            await self._prepare(shop, position)
            await self._customers.restore(shop)
            self._positions[shop] = position
        raw: Any = await self._redis.xrange(self._ledger(shop), f"({position}", "+", count=ENTRIES_MAX)
        if not raw:
            return 0
        entries: list[tuple[str, list[LedgerClaim]]] = []
        changes = 0
        for name, fields in raw:
            entry = decode(name, fields)
            entries.append((entry.id, entry.claims))
            changes += len(entry.claims)
            if changes >= CHANGES_MAX:
                break
        self._positions.pop(shop)  # unknown again if the next line fails half-way
        applied = await apply(self._database, shop, entries)
        await self._customers.follow(shop, applied.orders)
        self._positions[shop] = applied.position
        await self._redis.xgroup_setid(self._ledger(shop), GROUP, applied.position)
        return applied.counted

    async def _prepare(self, shop: str, position: str) -> None:
        """Makes the group, and says so loudly if entries we have not seen were trimmed away."""
        ledger = self._ledger(shop)
        try:
            await self._redis.xgroup_create(ledger, GROUP, id=position, mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
            await self._redis.xgroup_setid(ledger, GROUP, position)
        info: dict[str, Any] = await self._redis.xinfo_stream(ledger)
        deleted = info.get("max-deleted-entry-id", b"0-0")
        deleted = deleted.decode() if isinstance(deleted, bytes) else str(deleted)
        if stream_key(deleted) > stream_key(position):
            log.error("ledger entries were trimmed before orders had them", shop=shop, position=position, to=deleted)

    async def close(self) -> None:
        """Leaves the shops to other workers at once."""
        for shop in list(self._positions):
            await self._give_up(keys=[self._lease(shop)], args=[self._name])
        self._positions.clear()

    async def lag(self, shop: str) -> tuple[int, float]:
        """(entries of the ledger that are not in SQL yet, counted up to LAG_MAX; seconds since the oldest of them)."""
        position = await self._orders.position(shop)
        waiting: Any = await self._redis.xrange(self._ledger(shop), f"({position}", "+", count=1)
        if not waiting:
            return 0, 0.0
        oldest_ms = stream_key(waiting[0][0].decode())[0]
        seconds, microseconds = await self._redis.time()
        entries: Any = await self._redis.xrange(self._ledger(shop), f"({position}", "+", count=LAG_MAX)
        return len(entries), max(0.0, seconds + microseconds / 1e6 - oldest_ms / 1000)
