"""Token buckets in Valkey, all of one question in one script: either every bucket gives, or none does.

Keys `lc:{rate}:<name>`, each a hash of `t` (milli-tokens left) and `at` (server milliseconds), gone when full again.
They share a hash tag, so that a cluster can answer for several at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from redis.asyncio import Redis

PREFIX = "lc:{rate}:"

# Integers throughout: milli-tokens and milliseconds; `rate` is milli-tokens a second. Time is the server's.
_SCRIPT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local wait, left = 0, {}
for i = 1, #KEYS do
  local capacity, rate, cost = tonumber(ARGV[i * 3 - 2]), tonumber(ARGV[i * 3 - 1]), tonumber(ARGV[i * 3])
  local state = redis.call('HMGET', KEYS[i], 't', 'at')
  local tokens = capacity
  -- what was counted later than now is of before the server's clock stepped back: it counts no more
  if state[1] and tonumber(state[2]) <= now + 2000 then
    local passed = math.max(0, now - tonumber(state[2]))
    tokens = math.min(capacity, tonumber(state[1]) + math.floor(passed * rate / 1000))
  end
  left[i] = tokens - cost
  if left[i] < 0 then wait = math.max(wait, math.ceil(-left[i] * 1000 / rate)) end
end
if wait > 0 then return wait end
for i = 1, #KEYS do
  local capacity, rate, cost = tonumber(ARGV[i * 3 - 2]), tonumber(ARGV[i * 3 - 1]), tonumber(ARGV[i * 3])
  if cost ~= 0 then
    local tokens = math.min(capacity, left[i])
    if tokens >= capacity then
      redis.call('DEL', KEYS[i])
    else
      redis.call('HSET', KEYS[i], 't', tokens, 'at', now)
      redis.call('PEXPIRE', KEYS[i], math.ceil((capacity - tokens) * 1000 / rate) + 1000)
    end
  end
end
return 0
"""


class Bucket(Struct, frozen=True):
    """`capacity` requests at once, refilled at `per_minute` requests a minute, for one `name` (who or where)."""

    name: str
    capacity: int
    per_minute: float


class RateLimit:
    def __init__(self, redis: Redis) -> None:
        self._script = redis.register_script(_SCRIPT)

    async def take(self, buckets: Sequence[Bucket], cost: float = 1.0) -> int:
        """Takes `cost` from every bucket, or from none. Returns 0, or the milliseconds until all would give.

        A cost of 0 only looks whether the buckets are in debt; a negative one gives back.
        """
        keys = [PREFIX + bucket.name for bucket in buckets]
        arguments: list[int] = []
        for bucket in buckets:
            arguments += [bucket.capacity * 1000, max(1, round(bucket.per_minute * 1000 / 60)), round(cost * 1000)]
        return int(await self._script(keys=keys, args=arguments))
