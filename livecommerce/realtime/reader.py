"""Reads the event logs of the shows that this process has viewers of, and its shop's own words. One blocked XREAD
per shop is the doorbell: it cannot miss a ring, needs nothing from writers, and stays within one slot of a cluster. The
log is the truth.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable
from typing import Any, cast

import structlog
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.connection import ConnectionPool
from redis.exceptions import RedisClusterException, RedisError

from livecommerce.errors import Unavailable
from livecommerce.ops.log_limit import warn_seldom
from livecommerce.realtime.channel import Channel
from livecommerce.realtime.metrics import METRICS
from livecommerce.realtime.tasks import end
from livecommerce.shows.model import Keys
from livecommerce.shows.packing import decoded
from livecommerce.shows.shop_words import KeptWords
from livecommerce.shows.store import ShowStore, events_of, kept_words

log = structlog.get_logger(__name__)

BLOCK_MS = 2_000
# redis-py 8 gives up on an answer after 5 s by default, in the midst of a blocked read; ours must outlast BLOCK_MS,
# and still notice a server that is gone without a word.
ANSWER_SECONDS_MAX = 10.0
ENTRIES_MAX = 500  # per show and read: a full batch entry is up to 100 KB
# Appends of the next moments come in one read, not one each. Short against a tick, which waits on top of it.
PAUSE_SECONDS = 0.01
RETRY_SECONDS_FIRST = 0.1
RETRY_SECONDS_LAST = 3.0


async def reading_client(redis: Redis | RedisCluster, key: str) -> Redis:
    """A client of its own for blocked reads of the server that holds `key` now: one connection to read, one to nudge.

    In a cluster it is of that node alone and follows nobody: a slot that has moved ends it, and gaps are looked for.
    """
    if isinstance(redis, RedisCluster):
        await redis.exists(key)  # finds out where the slot is after a failover
        where: Any = redis.get_node_from_key(key)
    else:
        where = redis.connection_pool
    options = {**where.connection_kwargs, "socket_timeout": ANSWER_SECONDS_MAX}
    return Redis(connection_pool=ConnectionPool(connection_class=where.connection_class, max_connections=2, **options))


class ShopReader:
    """The blocked reader of one shop's shows."""

    def __init__(self, store: ShowStore, shop: str) -> None:
        self.channels: dict[str, Channel] = {}
        self._redis = store.redis
        self._store = store
        self._shop = shop
        self._task: asyncio.Task[None] | None = None
        self._reading: tuple[Redis, int] | None = None  # the client and the id of its connection that reads
        self._changed = asyncio.Event()
        self._words = KeptWords()
        self._words_key = Keys.words_of_shop(shop)
        self._words_offset = "0-0"  # read whole once more than needed: one entry

    def watch(self, channel: Channel, words: KeptWords) -> None:
        """`words` are the shop's as just read; newer ones may have come to this reader meanwhile."""
        if words.revision > self._words.revision:
            self._take_words(words)
        channel.mirror.use_words(self._words.words)
        self.channels[Keys(self._shop, channel.show).log] = channel
        self._changed.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"log reader of {self._shop}")

    def _take_words(self, words: KeptWords) -> None:
        self._words = words
        for channel in self.channels.values():
            channel.mirror.use_words(words.words)

    def unwatch(self, channel: Channel) -> None:
        self.channels.pop(Keys(self._shop, channel.show).log, None)

    async def nudge(self) -> None:
        """Ends the read in flight, so that a new show is read at once."""
        if self._reading is not None:
            client, connection = self._reading
            try:
                await client.client_unblock(connection)
            except RedisError as error:  # it ends by itself after BLOCK_MS
                log.debug("reader not nudged", why=str(error)[:100])

    async def close(self) -> None:
        task, self._task = self._task, None
        await end(task)

    async def _run(self) -> None:
        delay = RETRY_SECONDS_FIRST
        while True:
            try:
                async with await reading_client(self._redis, self._words_key) as client:
                    self._reading = client, int(await client.client_id())
                    await self._check_gaps()
                    delay = RETRY_SECONDS_FIRST
                    while True:
                        await self._read(client)
            except (RedisError, RedisClusterException, Unavailable) as error:
                warn_seldom(log, "log not readable", key=f"log {self._shop}", shop=self._shop, why=str(error)[:200])
            except Exception:
                log.exception("log reader failed", shop=self._shop)
            finally:
                self._reading = None
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))
            delay = min(RETRY_SECONDS_LAST, delay * 2)

    async def _read(self, client: Redis) -> None:
        if not self.channels:
            self._changed.clear()
            await self._changed.wait()
        streams: dict[Any, Any] = {key: channel.read_offset for key, channel in self.channels.items()}
        streams[self._words_key] = self._words_offset
        answer = await cast("Awaitable[Any]", client.xread(streams, count=ENTRIES_MAX, block=BLOCK_MS))
        full = False
        for key, entries in _listed(answer):
            if key == self._words_key and entries:
                self._words_offset = decoded(entries[-1][0])
                words = kept_words(entries[-1][1])
                if words != self._words:
                    self._take_words(words)
                continue
            channel = self.channels.get(key)
            if channel is None or not entries:
                continue
            if channel.read_offset != streams[key]:  # reloaded while we were reading: read again from there
                continue
            full = full or len(entries) == ENTRIES_MAX
            channel.feed([(decoded(entry), events_of(fields)) for entry, fields in entries])
        if not full:
            await asyncio.sleep(PAUSE_SECONDS)

    async def _check_gaps(self) -> None:
        """After a break: is the entry we stand at still there, and is it the same show? Else load it again."""
        for key, channel in list(self.channels.items()):
            epoch = await self._store.epoch_of(self._shop, channel.show)
            here = await self._redis.xrange(key, channel.read_offset, channel.read_offset, count=1)
            if epoch == channel.mirror.state["epoch"] and here:
                continue
            METRICS.reloads.inc()
            log.warning("gap in the log, show loaded again", show=channel.show)
            await reload_channel(channel, self._store)


async def reload_channel(channel: Channel, store: ShowStore) -> None:
    """Loads the show again and hands every viewer a fresh snapshot."""
    channel.load(await store.load(channel.show))
    for viewer in channel.everyone():
        viewer.behind = None
        viewer.send("snapshot", channel.snapshot(viewer, channel.own_tickets(viewer.viewer, {})))


def _listed(answer: Any) -> list[tuple[str, list[Any]]]:
    """XREAD's answer as [(key, entries)]: RESP2 gives a list, RESP3 a map whose values are lists of lists."""
    if not answer:
        return []
    if isinstance(answer, dict):
        return [
            (decoded(key), value[0] if len(value) == 1 and _nested(value) else value) for key, value in answer.items()
        ]
    return [(decoded(key), entries) for key, entries in answer]


def _nested(value: list[Any]) -> bool:
    return isinstance(value[0], list) and bool(value[0]) and isinstance(value[0][0], list | tuple)
