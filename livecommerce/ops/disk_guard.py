"""Stops writes to the embedded Valkey before its disk is full.

With `appendfsync always` a server that cannot write its append-only file exits: correct, but every buyer sees a dead
shop. So below a reserve of free space the guard sets `maxmemory` to one byte. Under `noeviction` the server then
refuses every write by name (`OOM command not allowed`), which the rooms turn into the numbered error `storage_full`;
reads, pages and the video go on, and what was acknowledged stays. When space is back, the limit is lifted.

Keys that expire are written down too, and the first of those that finds no room would end the server all the same. So a
closed server has `appendfsync everysec`, with which it waits for room: nothing is sold meanwhile that a second could
take. `always` is back before writes are.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from livecommerce.errors import in_words
from livecommerce.ops.log_limit import warn_seldom
from livecommerce.ops.logs import logger

log = logger(__name__)

# A busy hour writes about 100 bytes a comment: 64 MiB is half a million comments, and room for a rewrite to give up.
RESERVE_BYTES = 64 * 1024 * 1024
# Writes come back only with clearly more than the reserve, so that the guard does not flap.
RELEASE_BYTES = 2 * RESERVE_BYTES
CHECK_SECONDS = 1.0
ANSWER_SECONDS_MAX = 2.0
LIMIT_CLOSED, LIMIT_OPEN = "1", "0"  # maxmemory, bytes; 0 is none
FSYNC_CLOSED, FSYNC_OPEN = "everysec", "always"
FLAGS_CLOSED = ("--maxmemory", LIMIT_CLOSED, "--appendfsync", FSYNC_CLOSED)  # the later of two flags counts


def free_bytes(folder: Path) -> int:
    """Bytes that this user can still write below `folder`."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


class DiskGuard:
    """Watches one folder and closes or opens writes of the server that stores into it."""

    def __init__(
        self,
        redis_url: str,
        folder: Path,
        *,
        reserve_bytes: int = RESERVE_BYTES,
        release_bytes: int = RELEASE_BYTES,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        assert release_bytes >= reserve_bytes
        self.closed = False
        self._redis_url = redis_url
        self._folder = folder
        self._reserve_bytes = reserve_bytes
        self._release_bytes = release_bytes
        self._free = free

    def check(self) -> bool:
        """Looks once and sets the server's limit where it has to change. Returns whether writes are open."""
        free = self._free(self._folder)
        wanted_closed = free < (self._release_bytes if self.closed else self._reserve_bytes)
        # bounded: a stalled server must not hold this thread, and with it the stop of everything
        options = {"socket_timeout": ANSWER_SECONDS_MAX, "socket_connect_timeout": ANSWER_SECONDS_MAX}
        with contextlib.suppress(RedisError), contextlib.closing(Redis.from_url(self._redis_url, **options)) as client:
            # Read, not remembered: a restarted server has forgotten the limit.
            limited = client.config_get("maxmemory")["maxmemory"] == LIMIT_CLOSED
            if wanted_closed and not limited:
                client.config_set("maxmemory", LIMIT_CLOSED)
                client.config_set("appendfsync", FSYNC_CLOSED)
            elif limited and not wanted_closed:
                client.config_set("appendfsync", FSYNC_OPEN)
                client.config_set("maxmemory", LIMIT_OPEN)
        if wanted_closed != self.closed:
            self._set_closed(wanted_closed, free)
        return not self.closed

    def _set_closed(self, closed: bool, free: int) -> None:
        log.log(
            logging.ERROR if closed else logging.WARNING,
            "disk guard: writes %s -> %s, %d MiB free in %s%s",
            "closed" if self.closed else "open",
            "closed" if closed else "open",
            free // (1024 * 1024),
            self._folder,
            "; free some space, sales resume by themselves" if closed else "",
        )
        self.closed = closed

    async def run(self, stop: asyncio.Event) -> None:
        """Checks every second until `stop`."""
        while not stop.is_set():
            try:
                await asyncio.to_thread(self.check)
            except Exception as error:  # a guard that ends guards nothing: the folder may be away for a moment
                warn_seldom(log, "disk guard: cannot look", why=in_words(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), CHECK_SECONDS)
