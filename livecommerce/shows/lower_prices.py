"""A price cut reaches who has claimed already: an open claim keeps its price when prices rise and gets the lower one.

Paid claims are not touched; a payment that has begun notices by its sum (docs/orders.md).
"""

from __future__ import annotations

import hashlib

from livecommerce.errors import Unavailable
from livecommerce.shows.model import Keys
from livecommerce.shows.offers import offer_line
from livecommerce.shows.store import ShowStore
from livecommerce.stock.operations import Reprice
from livecommerce.stock.outcomes import RETRYABLE

AT_ONCE_MAX = 500  # claims in one turn of the shop's queue, so that buyers come in between


async def lower_prices(store: ShowStore, keys: Keys, code: str) -> None:
    """Gives every open claim of the show on this product the price it has now, where that is lower.

    Looks at what is, so that the command repeated after a crash completes it.

    Raises:
        Unavailable: some have it, some not yet; give the command again.
    """
    state = await store.load(keys.show, chat=0, whole=False)
    product = state["items"].get(code)
    if product is None:
        return
    price = product["price_minor"]
    dearer = [name for name, paid in await store.engine.open_claims(keys.shop, keys.show, code) if paid > price]
    for start in range(0, len(dearer), AT_ONCE_MAX):
        operations = []
        for reservation in dearer[start : start + AT_ONCE_MAX]:
            line = offer_line(state, product, reservation.rpartition("#")[0], 1)
            digest = hashlib.blake2b(f"{reservation} {price}".encode(), digest_size=16).hexdigest()
            operations.append(Reprice(f"price-{digest}", keys.shop, keys.show, reservation, line))
        for answer in await store.engine.submit_all(operations):
            if answer.outcome in RETRYABLE:
                raise Unavailable("Not every claim has the new price yet. Set it again.", retry_after_ms=1_000)
