"""What viewers whose cookie is young may hold and wait for together, when they come from one network.

A cookie is had for nothing, so a limit per viewer stops nobody who fetches many. Of each product, those of one network
that are new here may have a part (`newcomers_percent` of the show); who came an hour before the show began, and every
other network, is not counted. The count is made in Valkey in one step, so that all processes and all claims of one
moment count together; a piece counts as long as the hold that it was asked for, a place in line for the evening.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from redis.asyncio import Redis
from redis.exceptions import RedisError

from livecommerce.intake.errors import NetworkShareTaken
from livecommerce.intake.orders import done
from livecommerce.intake.speech import Act
from livecommerce.ops.store_faults import storage_error
from livecommerce.shows.state import State
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.operations import Line, Operation
from livecommerce.stock.outcomes import Answer
from livecommerce.stock.skus import product_of

LEAST = 5  # pieces: what one viewer may have where a show says nothing; less would refuse a family its second sock
ALL_PERCENT = 100
PERCENT = 50  # of shows that were made before they said it themselves
OLD_ENOUGH_MS = 3_600_000  # before the start: who fetches cookies for a show does it when the link is posted
LINE_MS = 12 * 3_600_000  # a place in line has no end of its own; a show has
RETRY_MS = 60_000

# KEYS: charges (sorted set, `operation/product` by when it ends), pieces (hash: of each charge, and by product in all).
# ARGV: operation, milliseconds it counts, then product, pieces, most. Returns 0, or the number of the product refused.
_CHARGE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
for _, ended in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 1000)) do
  redis.call('HINCRBY', KEYS[2], string.match(ended, '/(.*)$'), -tonumber(redis.call('HGET', KEYS[2], ended) or '0'))
  redis.call('ZREM', KEYS[1], ended)
  redis.call('HDEL', KEYS[2], ended)
end
local fresh = {}
for index = 3, #ARGV, 3 do
  local charge = ARGV[1] .. '/' .. ARGV[index]
  if not redis.call('ZSCORE', KEYS[1], charge) then
    local sum = tonumber(redis.call('HGET', KEYS[2], ARGV[index]) or '0')
    if sum + tonumber(ARGV[index + 1]) > tonumber(ARGV[index + 2]) then return (index - 3) / 3 + 1 end
    fresh[#fresh + 1] = index
  end
end
for _, index in ipairs(fresh) do
  local charge = ARGV[1] .. '/' .. ARGV[index]
  redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), charge)
  redis.call('HSET', KEYS[2], charge, ARGV[index + 1])
  redis.call('HINCRBY', KEYS[2], ARGV[index], ARGV[index + 1])
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, 86400000) end
return 0
"""

# ARGV: operation, product, pieces that it came to, milliseconds that they count (0: as they do).
_SETTLE = """
local charge = ARGV[1] .. '/' .. ARGV[2]
local before = tonumber(redis.call('HGET', KEYS[2], charge) or '0')
if before == 0 then return 0 end
redis.call('HINCRBY', KEYS[2], ARGV[2], tonumber(ARGV[3]) - before)
if tonumber(ARGV[3]) == 0 then
  redis.call('ZREM', KEYS[1], charge)
  redis.call('HDEL', KEYS[2], charge)
else
  redis.call('HSET', KEYS[2], charge, ARGV[3])
  if tonumber(ARGV[4]) > 0 then
    local clock = redis.call('TIME')
    redis.call('ZADD', KEYS[1], clock[1] * 1000 + tonumber(ARGV[4]), charge)
  end
end
return 1
"""


def newcomer_mark(state: State, since_ms: int, mark: str) -> str:
    """The network that a viewer counts with, "" for one whose cookie is older than the show."""
    return "" if since_ms + OLD_ENOUGH_MS <= state["show"]["started_ms"] else mark


def percent_of(state: State) -> int:
    return state["show"]["limits"].get("newcomers_percent", PERCENT)


def share_of(state: State, product: str) -> int:
    """Pieces of a product that newcomers of one network may have together, places in line with them."""
    percent = percent_of(state)
    known = state["items"].get(product)
    supplied = sum(state["stock"].get(sku, (0,) * 5)[4] for sku in known["skus"]) if known else 0
    return max(LEAST, supplied * percent // 100)


class NewcomerShares:
    """One per process; the counts are in Valkey. `done` does an operation within the share of its speaker's network."""

    def __init__(self, redis: Redis, engine: StockEngine) -> None:
        self._engine = engine
        self._charge = redis.register_script(_CHARGE)
        self._settle = redis.register_script(_SETTLE)

    async def done(self, state: State, act: Act, operation: Operation, lines: Sequence[Line]) -> Answer:
        """`lines`: the pieces that the operation adds.

        Raises:
            NetworkShareTaken: nothing was done. And what `orders.done` raises.
        """
        if not act.newcomer or not lines or percent_of(state) >= ALL_PERCENT:
            return await done(self._engine, operation)
        show = state["show"]
        base = f"lc:{{{show['shop']}}}:show:{show['id']}:share:{act.newcomer}"
        keys, pieces = [base, f"{base}:pieces"], Counter[str]()
        for line in lines:
            pieces[product_of(line.item)] += line.quantity
        arguments: list[str | int] = [operation.id, show["hold_seconds"] * 1000]
        for product, count in pieces.items():
            arguments += [product, count, share_of(state, product)]
        try:
            if await self._charge(keys=keys, args=arguments):
                raise NetworkShareTaken(retry_after_ms=RETRY_MS)
            answer = await done(self._engine, operation)
            await self._settled(keys, operation.id, pieces, answer)
        except RedisError as error:
            raise storage_error(error) from error
        return answer

    async def _settled(self, keys: list[str], operation: str, charged: Counter[str], answer: Answer) -> None:
        """What was not had is given back; a place in line counts for the evening."""
        had, in_line = Counter[str](), Counter[str]()
        for line in answer.lines:
            had[product_of(line.item)] += line.reserved + line.waiting
            in_line[product_of(line.item)] += line.waiting
        for product, count in charged.items():
            came_to = min(count, had[product])
            if came_to != count or in_line[product]:
                settled: list[str | int] = [operation, product, came_to, LINE_MS if in_line[product] else 0]
                await self._settle(keys=keys, args=settled)
