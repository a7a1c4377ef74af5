"""Who has bought in a shop, kept in Valkey for those who decide while a show sells: derived from orders, written here
alone, by the worker that has the shop.

A hash `{viewer: the first show in which an order of theirs was paid or confirmed}`. It is made anew from SQL whenever a
worker takes a shop, and followed from there on; what it loses is restored by the next worker.
"""

from __future__ import annotations

from collections.abc import Iterable

from redis.asyncio import Redis

from livecommerce.orders.model import Order
from livecommerce.orders.rows import OrderRepository
from livecommerce.records.rows import chunks
from livecommerce.shows.model import Keys

CUSTOMERS_MAX = 200_000  # the latest; 20 MB of Valkey. Who bought longer ago is a new visitor once more
_REPLACE_CHUNK = 1_000

# KEYS: the hash. ARGV: show, then viewers whose order of it is sold, then "", then those of whom nothing is.
_FOLLOW = """
local sold = true
for index = 2, #ARGV do
  if ARGV[index] == '' then sold = false
  elseif sold then redis.call('HSETNX', KEYS[1], ARGV[index], ARGV[1])
  elseif redis.call('HGET', KEYS[1], ARGV[index]) == ARGV[1] then redis.call('HDEL', KEYS[1], ARGV[index])
  end
end
return 1
"""


def is_sold(order: Order) -> bool:
    """Whether a part of it was paid or confirmed, and still is."""
    return order.state == "confirmed" or order.confirmed_minor > 0


class CustomerBook:
    """One per worker, which calls it only for shops that it has."""

    def __init__(self, redis: Redis, orders: OrderRepository) -> None:
        self._redis = redis
        self._orders = orders
        self._follow = redis.register_script(_FOLLOW)

    async def restore(self, shop: str) -> None:
        """As SQL has it; nobody ever reads half of it.

        Raises:
            redis.RedisError, DatabaseAway: as it was before; call again.
        """
        key = Keys.customers_of_shop(shop)
        found = await self._orders.customers(shop, CUSTOMERS_MAX)
        await self._redis.delete(f"{key}:next")
        if not found:
            await self._redis.delete(key)
            return
        for viewers in chunks(list(found), _REPLACE_CHUNK):
            await self._redis.hset(f"{key}:next", mapping={viewer: found[viewer] for viewer in viewers})
        await self._redis.rename(f"{key}:next", key)

    async def follow(self, shop: str, orders: Iterable[Order]) -> None:
        """Orders as they are now.

        Raises:
            redis.RedisError: restore it before the next.
        """
        shows: dict[str, tuple[list[str], list[str]]] = {}
        for order in orders:
            shows.setdefault(order.show, ([], []))[0 if is_sold(order) else 1].append(order.viewer)
        for show, (sold, unsold) in shows.items():
            await self._follow(keys=[Keys.customers_of_shop(shop)], args=[show, *sold, "", *unsold])
