"""Who has a history with a shop: an order of theirs was paid or confirmed, and not all of it was taken back.

A cookie is had for nothing, and however old it is, it says nothing of who keeps it. The worker writes who bought
(`orders/customers.py`); here it is read, once a viewer for a while, not once a claim.
"""

from __future__ import annotations

import time
from collections import OrderedDict

from redis.asyncio import Redis

from livecommerce.ops.store_faults import storage_error
from livecommerce.shows.model import Keys
from livecommerce.shows.store import FAULTS

KEPT_SECONDS = 60.0  # of who has bought: how late an order that was taken back is noticed
NOT_KEPT_SECONDS = 10.0  # of who has not: how late a first order that was just confirmed is
KEPT_MAX = 50_000  # viewers of one process; who asked longest ago is asked about again


class Customers:
    """One per process; the truth is in Valkey."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._kept: OrderedDict[tuple[str, str], tuple[bool, float]] = OrderedDict()

    async def has(self, shop: str, viewer: str) -> bool:
        """Whether this viewer ever bought in the shop.

        Raises:
            LiveCommerceError: the store is away.
        """
        now = time.monotonic()
        kept = self._kept.get((shop, viewer))
        if kept is not None and kept[1] > now:
            return kept[0]
        try:
            found = await self._redis.hexists(Keys.customers_of_shop(shop), viewer)
        except FAULTS as error:
            raise storage_error(error) from error
        self._kept.pop((shop, viewer), None)
        self._kept[shop, viewer] = bool(found), now + (KEPT_SECONDS if found else NOT_KEPT_SECONDS)
        if len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)
        return bool(found)
