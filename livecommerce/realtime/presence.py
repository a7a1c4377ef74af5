"""How many watch a show, on all processes; its peak and watch time. One hash a show, one field a process.

`lc:presence:<show>`: `p:<process>` = "viewers:expiry ms", `peak`, `watch_ms`. A process that dies stops refreshing and
falls out after EXPIRY_MS. Counted are people by viewer id on each process; tabs of one person on two processes are two.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable
from typing import Any, cast

import structlog
from msgspec import Struct
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

REFRESH_SECONDS = 1.0
EXPIRY_MS = 6_000  # six missed refreshes: the process is gone, not slow
KEPT_SECONDS = 7 * 86_400  # peak and watch time outlive the show by a week for the report

_SCRIPT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
if ARGV[2] == '' then redis.call('HDEL', KEYS[1], ARGV[1])
else redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ':' .. (now + tonumber(ARGV[4]))) end
local total, fields = 0, redis.call('HGETALL', KEYS[1])
for index = 1, #fields, 2 do
  if string.sub(fields[index], 1, 2) == 'p:' then
    local count, expiry = string.match(fields[index + 1], '^(%d+):(%d+)$')
    if tonumber(expiry) < now then redis.call('HDEL', KEYS[1], fields[index]) else total = total + tonumber(count) end
  end
end
local peak = tonumber(redis.call('HGET', KEYS[1], 'peak') or '0')
if total > peak then redis.call('HSET', KEYS[1], 'peak', total); peak = total end
local watched = redis.call('HINCRBY', KEYS[1], 'watch_ms', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[5])
return {total, peak, watched, now}
"""


class ShowPresence(Struct):
    """As of the last refresh: others' viewers, peak, summed watch time."""

    own: int = 0
    others: int = 0
    peak: int = 0
    watch_ms: int = 0
    refreshed: float = 0.0


class Presence:
    def __init__(self, redis: Redis, process: str) -> None:
        self._script = redis.register_script(_SCRIPT)
        self._process = f"p:{process}"
        self._shows: dict[str, ShowPresence] = {}
        self._clock_offset_ms = 0.0

    def now_ms(self) -> int:
        """Valkey's clock as last compared."""
        return int(time.time() * 1000 + self._clock_offset_ms)

    def count(self, show: str, own: int) -> int:
        """Viewers of a show now: ours exactly, the others' as of their last refresh."""
        known = self._shows.get(show)
        return own + (known.others if known else 0)

    def figures(self, show: str, own: int) -> dict[str, int]:
        known = self._shows.get(show, ShowPresence())
        now = own + known.others
        return {"now": now, "peak": max(known.peak, now), "watch_seconds": known.watch_ms // 1000}

    async def refresh(self, show: str, own: int) -> None:
        """Tells our count, reads the others'. Failing is no harm: the last figures stay."""
        known = self._shows.setdefault(show, ShowPresence())
        now = time.monotonic()
        watched_ms = int(known.own * (now - known.refreshed) * 1000) if known.refreshed else 0
        try:
            total, peak, watch_ms, server_ms = await self._tell(show, str(own), watched_ms)
        except RedisError as error:
            log.warning("presence not refreshed", show=show, why=str(error)[:100])
            return
        known.own, known.others, known.peak, known.watch_ms = own, max(0, total - own), peak, watch_ms
        known.refreshed = now
        self._clock_offset_ms = server_ms - time.time() * 1000

    async def leave(self, show: str) -> None:
        """Our last viewer of a show is gone."""
        known = self._shows.pop(show, None)
        watched_ms = 0
        if known is not None and known.refreshed:
            watched_ms = int(known.own * (time.monotonic() - known.refreshed) * 1000)
        try:
            await self._tell(show, "", watched_ms)
        except RedisError as error:  # the field expires by itself
            log.warning("presence not told", show=show, why=str(error)[:100])

    async def _tell(self, show: str, count: str, watched_ms: int) -> list[int]:
        call = self._script(
            keys=[f"lc:presence:{show}"], args=[self._process, count, watched_ms, EXPIRY_MS, KEPT_SECONDS]
        )
        return [int(value) for value in await cast("Awaitable[Any]", call)]


async def count_viewers(redis: Redis, show: str) -> int:
    """How many watch a show on all processes, for one that may not have it open. Reads only."""
    pipe = redis.pipeline(transaction=False)
    pipe.time()
    pipe.hgetall(f"lc:presence:{show}")
    (seconds, microseconds), fields = await pipe.execute()
    now_ms = int(seconds) * 1000 + int(microseconds) // 1000
    total = 0
    for name, value in fields.items():
        if name.startswith(b"p:"):
            count, _, expiry_ms = value.partition(b":")
            total += int(count) if int(expiry_ms) >= now_ms else 0
    return total
