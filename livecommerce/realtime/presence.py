"""How many people watch a show, on all processes together; its peak and watch time.

Each process tells once a second who came and who went (by a hash of the viewer id), in one call a show:

    lc:presence:{show}                `p:<process>` = until when it is believed to live (ms), `peak`, `watch_ms`
    lc:presence:{show}:people         hash of a viewer -> on how many processes; its length is the number of people
    lc:presence:{show}:course         `ms:people`, one in five seconds, for the curve of the last twenty minutes
    lc:presence:{show}:of:<process>   who is on that process: told twice counts once, and the dead can be taken back

A process that dies stops refreshing; after EXPIRY_MS whoever refreshes next takes its people back.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any, cast

import structlog
from msgspec import Struct, field
from redis.asyncio import Redis
from redis.exceptions import RedisClusterException, RedisError

from livecommerce.ops.log_limit import warn_seldom

log = structlog.get_logger(__name__)

REFRESH_SECONDS = 1.0
EXPIRY_MS = 6_000  # six missed refreshes: the process is gone, not slow
KEPT_SECONDS = 7 * 86_400  # peak and watch time outlive the show by a week for the report
PEOPLE_SECONDS = 600  # who was there outlives the last process by this; until then a new one takes the dead ones back
COURSE_STEP_MS, COURSE_MAX = 5_000, 240  # twenty minutes: 5 kB a show
MOVES_MAX = 2_000  # comings and goings in one call: some 3 ms of the server's time

_NOW = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
-- a lease further ahead than any is given is of before the server's clock stepped back
local function lives(lease) return tonumber(lease) >= now and tonumber(lease) <= now + EXPIRY_MS end
""".replace("EXPIRY_MS", str(EXPIRY_MS))
# KEYS: figures, people, the process's own, course. ARGV: process, watched ms, expiry ms, kept seconds, people seconds,
# how many came, then who came and who went. Returns {people, peak, watched ms, now, 1 if we were unknown, dead
# processes …}.
_TELL = f"""{_NOW}
local lease = redis.call('HGET', KEYS[1], ARGV[1])
local is_new = (not lease or not lives(lease)) and 1 or 0
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now + ARGV[3]))
for index = 7, 6 + ARGV[6] do
  if redis.call('SADD', KEYS[3], ARGV[index]) == 1 then redis.call('HINCRBY', KEYS[2], ARGV[index], 1) end
end
for index = 7 + ARGV[6], #ARGV do
  if redis.call('SREM', KEYS[3], ARGV[index]) == 1 and redis.call('HINCRBY', KEYS[2], ARGV[index], -1) <= 0 then
    redis.call('HDEL', KEYS[2], ARGV[index])
  end
end
local total = redis.call('HLEN', KEYS[2])
local peak = tonumber(redis.call('HGET', KEYS[1], 'peak') or '0')
if total > peak then redis.call('HSET', KEYS[1], 'peak', total); peak = total end
local last = redis.call('LINDEX', KEYS[4], -1)
if not last or now - tonumber(string.match(last, '^%d+')) >= {COURSE_STEP_MS} then
  redis.call('RPUSH', KEYS[4], string.format('%.0f:%d', now, total))
  redis.call('LTRIM', KEYS[4], -{COURSE_MAX}, -1)
end
redis.call('EXPIRE', KEYS[4], ARGV[5] * 6)
local answer = {{total, peak, redis.call('HINCRBY', KEYS[1], 'watch_ms', ARGV[2]), now, is_new}}
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[5])
redis.call('EXPIRE', KEYS[3], ARGV[5] * 2)
local fields = redis.call('HGETALL', KEYS[1])
for index = 1, #fields, 2 do
  if string.sub(fields[index], 1, 2) == 'p:' and not lives(fields[index + 1]) then
    answer[#answer + 1] = fields[index]
  end
end
return answer
"""
# KEYS: as above, of the process that goes. ARGV: process, how many at most, '' only if it is dead or 'own'.
# Returns {how many are left to be taken back, people}.
_TAKE_BACK = f"""{_NOW}
local lease = redis.call('HGET', KEYS[1], ARGV[1])
if ARGV[3] == '' and lease and lives(lease) then return {{0, redis.call('HLEN', KEYS[2])}} end
for _, person in ipairs(redis.call('SPOP', KEYS[3], ARGV[2])) do
  if redis.call('HINCRBY', KEYS[2], person, -1) <= 0 then redis.call('HDEL', KEYS[2], person) end
end
local left = redis.call('SCARD', KEYS[3])
if left == 0 then redis.call('HDEL', KEYS[1], ARGV[1]) end
return {{left, redis.call('HLEN', KEYS[2])}}
"""
# KEYS: figures, people. How many watch, 0 when no process lives.
_COUNT = f"""{_NOW}
local fields = redis.call('HGETALL', KEYS[1])
for index = 1, #fields, 2 do
  if string.sub(fields[index], 1, 2) == 'p:' and lives(fields[index + 1]) then
    return redis.call('HLEN', KEYS[2])
  end
end
return 0
"""


def keys_of(show: str, process: str = "") -> list[str]:
    """In one slot of a cluster."""
    base = f"lc:presence:{{{show}}}"
    return [base, f"{base}:people", *([f"{base}:of:{process}"] if process else [])]


def course_key(show: str) -> str:
    return f"lc:presence:{{{show}}}:course"


def person(viewer: str) -> bytes:
    """Eight bytes for a viewer id: a shared one among 50,000 has a chance of one in 10^10."""
    return hashlib.blake2b(viewer.encode(), digest_size=8).digest()


class ShowPresence(Struct):
    """As of the last refresh: people here and in all, peak, summed watch time. `untold` moved since."""

    own: int = 0
    total: int = 0
    peak: int = 0
    watch_ms: int = 0
    refreshed: float = 0.0
    untold: set[str] = field(default_factory=set)


class Presence:
    """One per process; `process` is its name among all."""

    def __init__(self, redis: Redis, process: str) -> None:
        self._redis = redis
        self._tell_script = redis.register_script(_TELL)
        self._take_back_script = redis.register_script(_TAKE_BACK)
        self._process = f"p:{process}"
        self._shows: dict[str, ShowPresence] = {}
        # to the steady clock: the wall clock may be set at any moment
        self._clock_offset_ms = (time.time() - time.monotonic()) * 1000
        self.on_clock: Callable[[float], None] = lambda server_ms: None  # told the server's clock once a second
        self._telling = asyncio.Lock()  # calls of one process must arrive in order

    def now_ms(self) -> int:
        """Valkey's clock as last compared."""
        return int(time.monotonic() * 1000 + self._clock_offset_ms)

    def count(self, show: str, own: int) -> int:
        """People who watch a show: all as of the last refresh, and who came and went here since."""
        known = self._shows.get(show)
        return own if known is None else max(own, known.total + own - known.own)

    def figures(self, show: str, own: int) -> dict[str, int]:
        known = self._shows.get(show, ShowPresence())
        now = self.count(show, own)
        return {"now": now, "peak": max(known.peak, now), "watch_seconds": known.watch_ms // 1000}

    async def course(self, show: str) -> list[list[int]]:
        """`[[ms, people]]`, oldest first: how many watched, as far back as it is kept.

        Raises:
            RedisError.
        """
        found = await cast("Awaitable[list[bytes]]", self._redis.lrange(course_key(show), 0, -1))
        return [[int(part) for part in sample.split(b":")] for sample in found]

    async def refresh(self, show: str, here: Collection[str], moved: set[str]) -> None:
        """Tells who came and went, reads the total. Failing is no harm: it is told the next time.

        Args:
            here: viewers on this process.
            moved: those of whom that has changed since the last call.
        """
        known = self._shows.setdefault(show, ShowPresence())
        known.untold |= moved
        try:
            async with self._telling:
                dead = await self._tell_all(show, known, here)
                for process in dead:
                    known.total = await self._take_back(show, process, "")
        except (RedisError, RedisClusterException) as error:
            warn_seldom(log, "presence not refreshed", why=str(error)[:100])

    async def _tell_all(self, show: str, known: ShowPresence, here: Collection[str]) -> list[str]:
        while True:
            batch = [viewer for viewer, _ in zip(known.untold, range(MOVES_MAX), strict=False)]
            came = [person(viewer) for viewer in batch if viewer in here]
            went = [person(viewer) for viewer in batch if viewer not in here]
            own, now = len(here), time.monotonic()
            watched_ms = int(known.own * (now - known.refreshed) * 1000) if known.refreshed else 0
            call = self._tell_script(
                keys=[*keys_of(show, self._process), course_key(show)],
                args=[self._process, watched_ms, EXPIRY_MS, KEPT_SECONDS, PEOPLE_SECONDS, len(came), *came, *went],
            )
            total, peak, watch_ms, server_ms, is_new, *dead = await cast("Awaitable[Any]", call)
            known.untold.difference_update(batch)
            known.own, known.total, known.peak, known.watch_ms, known.refreshed = own, total, peak, watch_ms, now
            self._clock_offset_ms = server_ms - time.monotonic() * 1000
            self.on_clock(server_ms)
            if is_new:  # the first time, or we were held to be dead and our people taken back
                known.untold.update(here)
            if not known.untold:
                return [process.decode() for process in dead]

    async def _take_back(self, show: str, process: str, how: str) -> int:
        """Takes the people of a process out of the count; the number of people then."""
        while True:
            call = self._take_back_script(keys=keys_of(show, process), args=[process, MOVES_MAX, how])
            left, total = await cast("Awaitable[Any]", call)
            if not left:
                return int(total)

    async def leave(self, show: str) -> None:
        """Our last viewer of a show is gone."""
        known = self._shows.get(show)
        if known is None:
            return
        await self.refresh(show, (), set())  # the watch time until now
        self._shows.pop(show, None)
        try:
            async with self._telling:
                await self._take_back(show, self._process, "own")
        except (RedisError, RedisClusterException) as error:  # the lease runs out by itself
            warn_seldom(log, "presence not told", why=str(error)[:100])


async def count_viewers(redis: Redis, show: str) -> int:
    """How many watch a show on all processes, for one that may not have it open. Reads only."""
    return int(await redis.eval(_COUNT, 2, *keys_of(show)))
