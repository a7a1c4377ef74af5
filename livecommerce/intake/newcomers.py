"""What viewers without a history may hold and wait for together, when they come from one network.

A cookie is had for nothing, the day before as well, so a limit per viewer stops nobody who fetches many. Of each
product, those of one network that never bought in the shop may have a part (`newcomers_percent` of the show); who has
(`customers.py`), and every other network, is not counted. Pieces are the shop's, and so is the count: two shows on air
at once have one share of a product between them. It is made in Valkey in one step, so that all processes, all shows
and all claims of one moment count together; a piece counts as long as the hold that it was asked for, a place
in line for the evening, and neither longer than the claim: before somebody is refused, stock is asked what has ended
meanwhile, in whatever way it ended. Nothing is done for claims of anybody else, nor while there is room.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct
from redis.asyncio import Redis

from livecommerce.errors import in_words
from livecommerce.intake.errors import NetworkShareTaken
from livecommerce.intake.orders import done
from livecommerce.intake.speech import Act
from livecommerce.ops.log_limit import warn_seldom
from livecommerce.ops.logs import logger
from livecommerce.ops.store_faults import storage_error
from livecommerce.shows.state import State
from livecommerce.shows.store import FAULTS
from livecommerce.stock.engine import Standing, StockEngine
from livecommerce.stock.operations import Line, Operation
from livecommerce.stock.outcomes import Answer
from livecommerce.stock.skus import product_of

log = logger(__name__)

LEAST = 5  # pieces: what one viewer may have where a show says nothing; less would refuse a family its second sock
ALL_PERCENT = 100
PERCENT = 50  # of shows that were made before they said it themselves
LINE_MS = 12 * 3_600_000  # a place in line has no end of its own; a show has
RETRY_MS = 60_000
COUNTED_AGAIN_MAX = 1_000  # charges of one look at stock: of more, some by chance, so that each has its turn
# Between two looks for one product of one network: who is refused at full speed must not cost much.
PAUSE_SECONDS = 0.25
LOOKS_MAX = 1_000  # products of networks that are remembered for the pause

# KEYS: charges (sorted set, `show/viewer/operation/product` by when it ends), pieces (hash: of each, and by product in
# all). ARGV: `show/viewer/operation`, milliseconds it counts, then product, pieces, most. Returns 0, or the number of
# the product refused.
_CHARGE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
for _, ended in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 1000)) do
  redis.call('HINCRBY', KEYS[2], string.match(ended, '([^/]*)$'), -tonumber(redis.call('HGET', KEYS[2], ended) or '0'))
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

# ARGV: `show/viewer/operation`, product, pieces that it came to, milliseconds that they count (0: as they do).
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

# ARGV: product, then charge, its pieces as they were read, its pieces from now on. What changed meanwhile stays.
_GIVE_BACK = """
for index = 2, #ARGV, 3 do
  if redis.call('HGET', KEYS[2], ARGV[index]) == ARGV[index + 1] then
    redis.call('HINCRBY', KEYS[2], ARGV[1], tonumber(ARGV[index + 2]) - tonumber(ARGV[index + 1]))
    if ARGV[index + 2] == '0' then
      redis.call('ZREM', KEYS[1], ARGV[index])
      redis.call('HDEL', KEYS[2], ARGV[index])
    else
      redis.call('HSET', KEYS[2], ARGV[index], ARGV[index + 2])
    end
  end
end
return 1
"""


class Charge(NamedTuple):
    """What an operation counts for, of one product."""

    name: str
    pieces: int
    ends_ms: float

    @property
    def operation(self) -> str:
        return self.name.split("/")[2]


def still_counted(charges: Sequence[Charge], standing: Standing, product: str) -> dict[str, int]:
    """{charge: pieces} of one viewer's charges that count for less by now, after what it has by stock's books. Pure.

    An operation that stock does not know yet is on its way, and stays. Pieces that a later operation added to a claim
    are counted with that one and kept with the claim: what is too much is taken where claims of the operation itself
    ended, then from what would count longest.
    """
    counted = {one.name: one.pieces for one in charges if one.operation in standing.operations}
    surplus = sum(counted.values()) - standing.pieces(product)
    known = sorted((one for one in charges if one.name in counted), key=lambda one: -one.ends_ms)
    for is_own in (True, False):
        for one in known:
            left = standing.operations[one.operation].get(product, 0) if is_own else 0
            fewer = min(surplus, counted[one.name] - left)
            if fewer > 0:
                counted[one.name] -= fewer
                surplus -= fewer
    return {one.name: counted[one.name] for one in known if counted[one.name] != one.pieces}


class Look(Struct):
    """At stock, for one product of one network: who waits for the lock goes by what the one before found."""

    lock: asyncio.Lock
    begun_at: float = 0.0
    ended_at: float = 0.0


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
        self._redis = redis
        self._engine = engine
        self._charge = redis.register_script(_CHARGE)
        self._settle = redis.register_script(_SETTLE)
        self._give_back = redis.register_script(_GIVE_BACK)
        self._looks: dict[tuple[str, str], Look] = {}

    async def done(self, state: State, act: Act, operation: Operation, lines: Sequence[Line]) -> Answer:
        """`lines`: the pieces that the operation adds.

        Raises:
            NetworkShareTaken: nothing was done. And what `orders.done` raises.
        """
        if not act.network or not lines or percent_of(state) >= ALL_PERCENT:
            return await done(self._engine, operation)
        show, pieces = state["show"], Counter[str]()
        for line in lines:
            pieces[product_of(line.item)] += line.quantity
        base = f"lc:{{{show['shop']}}}:share:{act.network}"
        name = f"{show['id']}/{act.speaker.viewer}/{operation.id}"
        try:
            await self._charged(state, base, name, pieces)
        except FAULTS as error:
            raise storage_error(error) from error
        answer = await done(self._engine, operation)
        try:
            await self._settled(base, name, pieces, answer)
        except FAULTS as error:
            # It is sold, and that is the answer; what was charged too much is given back at the next look, or ends.
            warn_seldom(log, "a share was not settled", key="newcomer shares", why=in_words(error))
        return answer

    async def _charged(self, state: State, base: str, name: str, pieces: Counter[str]) -> None:
        """
        Raises:
            NetworkShareTaken.
        """
        arguments: list[str | int] = [name, state["show"]["hold_seconds"] * 1000]
        for product, count in pieces.items():
            arguments += [product, count, share_of(state, product)]
        products, looked = list(pieces), set[str]()
        while refused := int(await self._charge(keys=keys_of(base), args=arguments)):
            product = products[refused - 1]
            if product in looked:
                raise NetworkShareTaken(retry_after_ms=RETRY_MS)
            looked.add(product)
            await self._look(state, base, product)

    async def _look(self, state: State, base: str, product: str) -> None:
        """Gives back what has ended since the moment of the call; those who come meanwhile share the next look."""
        look = self._looks.get((base, product))
        if look is None:
            if len(self._looks) >= LOOKS_MAX:
                self._looks = {one: known for one, known in self._looks.items() if known.lock.locked()}
            look = self._looks[base, product] = Look(asyncio.Lock())
        clock = asyncio.get_running_loop().time
        came_at = clock()
        async with look.lock:
            if look.begun_at > came_at:
                return
            await asyncio.sleep(max(0.0, look.ended_at + PAUSE_SECONDS - clock()))
            look.begun_at = clock()
            try:
                await self._count_again(state, base, product)
            finally:
                look.ended_at = clock()

    async def _count_again(self, state: State, base: str, product: str) -> None:
        changed: list[str | int] = []
        for show, charges in (await self._charges(base, product)).items():
            standings = await self._engine.standings(state["show"]["shop"], show, list(charges))
            for viewer, known in charges.items():
                for name, pieces in still_counted(known, standings[viewer], product).items():
                    changed += [name, next(one.pieces for one in known if one.name == name), pieces]
        if changed:
            await self._give_back(keys=keys_of(base), args=[product, *changed])

    async def _charges(self, base: str, product: str) -> dict[str, dict[str, list[Charge]]]:
        """By show and viewer."""
        charges, pieces_key = keys_of(base)
        found: list[tuple[bytes, float]] = await self._redis.zrange(charges, 0, -1, withscores=True)  # type: ignore[assignment]
        named = [(name.decode(), ends) for name, ends in found]
        named = [one for one in named if one[0].rpartition("/")[2] == product]
        if len(named) > COUNTED_AGAIN_MAX:
            named = random.sample(named, COUNTED_AGAIN_MAX)
        if not named:
            return {}
        counts = await self._redis.hmget(pieces_key, [name for name, _ in named])
        by_show: defaultdict[str, defaultdict[str, list[Charge]]] = defaultdict(lambda: defaultdict(list))
        for (name, ends_ms), count in zip(named, counts, strict=True):
            show, viewer, *_ = name.split("/")
            by_show[show][viewer].append(Charge(name, int(count or 0), ends_ms))
        return {show: dict(by_viewer) for show, by_viewer in by_show.items()}

    async def _settled(self, base: str, name: str, charged: Counter[str], answer: Answer) -> None:
        """What was not had is given back; a place in line counts for the evening, if it is not left before."""
        had, in_line = Counter[str](), Counter[str]()
        for line in answer.lines:
            had[product_of(line.item)] += line.reserved + line.waiting
            in_line[product_of(line.item)] += line.waiting
        for product, count in charged.items():
            came_to = min(count, had[product])
            if came_to != count or in_line[product]:
                settled: list[str | int] = [name, product, came_to, LINE_MS if in_line[product] else 0]
                await self._settle(keys=keys_of(base), args=settled)


def keys_of(base: str) -> list[str]:
    """Charges and pieces, see `_CHARGE`; both have the shop's hash tag."""
    return [base, f"{base}:pieces"]
