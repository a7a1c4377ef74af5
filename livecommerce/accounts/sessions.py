"""Staff sessions: a random token in a cookie, its SHA-256 in Valkey with an expiry. Revocable at once, one or all.

Keys: `lc:session:<sha256>` the staff record as JSON; `lc:sessions:<staff id>` the hashes of that person's sessions.
"""

from __future__ import annotations

import hashlib
import secrets

import msgspec
from redis.asyncio import Redis

from livecommerce.http.identity import Staff

COOKIE = "lc_staff"
SESSION_SECONDS = 12 * 3600  # a long show day; an evening's laptop left open is logged out by morning
SESSIONS_MAX = 20  # of one person: phones, studios, control rooms; the oldest goes first
_TOKEN_LENGTH = 43  # token_urlsafe(32)


def key_of(token: str | None) -> str:
    """Under which a token's session is kept; "" for what is no token."""
    if not token or len(token) != _TOKEN_LENGTH or not token.isascii():
        return ""
    return f"lc:session:{hashlib.sha256(token.encode()).hexdigest()}"


def _index(staff_id: str) -> str:
    return f"lc:sessions:{staff_id}"


class SessionStore:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def open(self, staff: Staff) -> str:
        """Starts a session and returns its token: the only time it exists outside the browser."""
        token = secrets.token_urlsafe(32)
        key, index = key_of(token), _index(staff.id)
        clock = await self._redis.time()
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.set(key, msgspec.json.encode(staff), ex=SESSION_SECONDS)
            pipe.zremrangebyscore(index, 0, clock[0] - SESSION_SECONDS)
            pipe.zadd(index, {key: clock[0] + clock[1] / 1e6})
            pipe.expire(index, SESSION_SECONDS)
            await pipe.execute()
        surplus = await self._redis.zrange(index, 0, -SESSIONS_MAX - 1)
        if surplus:
            await self._redis.delete(*surplus)
            await self._redis.zrem(index, *surplus)
        return token

    async def find(self, token: str | None) -> Staff | None:
        """Who has this token; None for unknown, expired, revoked and malformed ones."""
        return await self.at(key_of(token))

    async def at(self, key: str) -> Staff | None:
        """Who is logged in under this key (`key_of`) now."""
        found = await self._redis.get(key) if key else None
        if found is None:
            return None
        try:
            return msgspec.json.decode(found, type=Staff)
        except msgspec.MsgspecError:  # a record of another release: log in again
            return None

    async def close(self, token: str | None) -> Staff | None:
        """Ends a session; whose it was."""
        key = key_of(token)
        staff = await self.at(key)
        if staff is not None:
            await self._redis.delete(key)
            await self._redis.zrem(_index(staff.id), key)
        return staff

    async def close_all(self, staff_id: str) -> int:
        """Ends every session of a person (password or role changed, account disabled). Returns how many."""
        keys = await self._redis.zrange(_index(staff_id), 0, -1)
        if not keys:
            return 0
        ended = int(await self._redis.delete(*keys))
        await self._redis.zrem(_index(staff_id), *keys)  # these alone: one opened meanwhile must be found the next time
        return ended
