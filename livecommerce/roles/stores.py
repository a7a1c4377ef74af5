"""What every role stands on: a checked Valkey with the function libraries, the stock engine, the shows."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from redis.asyncio import Redis, RedisCluster
from redis.exceptions import RedisError, ResponseError

from livecommerce.configuration.tree import Settings
from livecommerce.errors import StorageFull
from livecommerce.ops import metrics
from livecommerce.ops.health import Check, Degraded
from livecommerce.ops.log_limit import warn_seldom
from livecommerce.ops.logs import logger
from livecommerce.ops.redis_client import connect_store, library_names
from livecommerce.ops.store_faults import storage_error
from livecommerce.ops.store_promise import check_promise, read_facts, replicas_lacking
from livecommerce.ops.valkey import EmbeddedValkey
from livecommerce.roles.process import Frame
from livecommerce.settings import SettingsError
from livecommerce.shows.kinds import SHOW_KINDS
from livecommerce.shows.registry import Registry
from livecommerce.shows.store import LIBRARY as SHOWS_LIBRARY
from livecommerce.shows.store import ShowStore
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.library import library as stock_library

log = logger(__name__)


def _library_name(text: str) -> str:
    found = re.match(r"#!lua name=(\S+)", text)
    assert found, "a function library starts with its name"
    return found[1]


# What the rooms load into Valkey; `doctor` and readiness ask for them by name.
FUNCTION_LIBRARIES: tuple[str, ...] = (stock_library()[0], _library_name(SHOWS_LIBRARY))


def store_url(settings: Settings) -> str:
    """The configured Valkey, else the embedded one of a server that runs on this data folder.

    Raises:
        SettingsError: there is neither.
    """
    if settings.redis.url:
        return settings.redis.url
    embedded = EmbeddedValkey(Path(settings.data_folder))
    if embedded.answers():
        return embedded.url
    raise SettingsError(
        "redis.url is empty and no embedded Valkey runs here. A role alone needs LIVECOMMERCE_REDIS_URL; "
        "`livecommerce serve` starts everything."
    )


async def _missing_libraries(redis: Redis) -> list[str]:
    """Those that a server lacks, of a cluster any primary."""
    answer: Any = await redis.function_list()
    nodes = list(answer.values()) if isinstance(answer, dict) else [answer]
    return sorted(name for name in FUNCTION_LIBRARIES if not all(name in library_names(node) for node in nodes))


class Libraries:
    """Ours, in the server. To load one is a write: while writes are closed it waits, and the process starts with what
    is there."""

    def __init__(self, redis: Redis, shows: ShowStore) -> None:
        self._redis = redis
        self._shows = shows
        self._refused = True  # the server may hold those of an older version

    async def load(self) -> None:
        """Where they are missing, or may be older. Writes that are closed are no fault.

        Raises:
            Unavailable, RedisError: the server does not answer.
        """
        missing = await _missing_libraries(self._redis)
        if not missing and not self._refused:
            return
        try:
            await self._shows.start()
            name, text = stock_library()
            if name in missing:
                await self._redis.function_load(text.decode(), replace=True)
            self._refused = False
        except (StorageFull, RedisError) as error:
            known = storage_error(error)
            if not isinstance(known, StorageFull):
                raise
            self._refused = True
            lacking = ", ".join(missing) or "none"
            warn_seldom(
                log, "writes are closed, function libraries were not loaded", missing=lacking, number=known.number
            )


def _valkey_check(redis: Redis, libraries: Libraries) -> Check:
    async def check() -> str | None:
        """Loads what a flushed or replaced server has lost: while we are red nobody sends us the call that would."""
        try:
            await redis.ping()
        except ResponseError as error:
            if not str(error).startswith("MISCONF"):  # up, and without room to write: `storage` tells of that
                raise
        await libraries.load()
        missing = await _missing_libraries(redis)
        return f"function libraries not loaded: {', '.join(missing)}" if missing else None

    return check


STORAGE_SECONDS_MAX = 1.5  # less than a check has


def _storage_check(redis: Redis, *, sells: bool) -> Check:
    async def check() -> str | None:
        """Whether Valkey takes writes: the disk guard, a full memory and a full disk close it. Red only where nothing
        can be sold: on a web process, and of a cluster when every primary is full. Video and the worker go on."""
        where: dict[str, Any] = {"target_nodes": RedisCluster.PRIMARIES} if isinstance(redis, RedisCluster) else {}
        try:
            async with asyncio.timeout(STORAGE_SECONDS_MAX):
                info: Any = await redis.info(**where)
        except (RedisError, OSError, TimeoutError):
            return None  # away or stalled is no word about its room: the check `valkey` tells of that
        nodes = list(info.values()) if info and all(isinstance(one, dict) for one in info.values()) else [info]
        full = [words for node in nodes if (words := _full(node))]
        metrics.STORAGE_FULL.set(1 if full else 0)
        if not full:
            return None
        return full[0] if sells and len(full) == len(nodes) else Degraded(full[0])

    return check


def _replicas_check(redis: Redis, wanted: int) -> Check:
    async def check() -> str | None:
        """Orders wait for so many replicas; watching and chat go on without them."""
        words = replicas_lacking(await read_facts(redis), wanted)
        return Degraded(words) if words else None

    return check


def _full(info: Mapping[str, Any]) -> str | None:
    limit, used = int(info.get("maxmemory", 0)), int(info.get("used_memory", 0))
    if limit == 1:  # what the disk guard sets
        return "storage_full: the disk is nearly full, writes are closed. Free some space, sales resume by themselves."
    if limit and used >= limit:
        return f"storage_full: Valkey uses {used} of maxmemory {limit} bytes and refuses writes. Raise maxmemory."
    if info.get("aof_last_write_status", "ok") != "ok":
        return "storage_full: Valkey cannot write its append-only file. Look at its disk."
    return None


class Stores:
    """What every role holds: a checked Valkey, the engine and the shows on it, with their libraries loaded."""

    def __init__(self, redis: Redis, engine: StockEngine, shows: ShowStore) -> None:
        self.redis = redis
        self.engine = engine
        self.shows = shows


@asynccontextmanager
async def open_stores(frame: Frame) -> AsyncIterator[Stores]:
    redis = await connect_store(store_url(frame.settings))
    try:
        for given_up in await check_promise(redis, frame.settings.redis.accept_loss):
            log.warning("redis.accept_loss is set, sales may be lost", why=given_up)
        engine = StockEngine(redis, frame.settings.stock)
        shows = ShowStore(redis, engine, Registry(SHOW_KINDS))
        try:
            libraries = Libraries(redis, shows)
            await libraries.load()
            frame.health.checks["valkey"] = _valkey_check(redis, libraries)
            frame.health.checks["storage"] = _storage_check(redis, sells=frame.role == "web")
            if frame.settings.stock.replicas_wait:
                frame.health.checks["replicas"] = _replicas_check(redis, frame.settings.stock.replicas_wait)
            yield Stores(redis, engine, shows)
        finally:
            await shows.close()
            await engine.close()
    finally:
        await redis.aclose()
