"""A price cut reaches who has claimed already: an open claim keeps its price when prices rise and gets the lower one.

A cut that is taken back (a slip of the finger) is taken back there too, from the claims that it lowered and that still
have its price; who claimed at the lower price was promised it and keeps it. Paid claims are not touched; a payment that
has begun notices by its sum (docs/orders.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from livecommerce.errors import Unavailable
from livecommerce.ops.store_faults import storage_error
from livecommerce.shows.model import Keys
from livecommerce.shows.offers import offer_line
from livecommerce.shows.packing import decoded
from livecommerce.shows.state import PublicItem, State
from livecommerce.shows.store import FAULTS, ShowStore
from livecommerce.stock.operations import Reprice
from livecommerce.stock.outcomes import RETRYABLE

AT_ONCE_MAX = 500  # claims in one turn of the shop's queue, so that buyers come in between
LOWERED_SECONDS = 86_400  # what a cut has lowered is known as long as somebody may take it back
CUT = "cut"  # the field that holds the price of the cut, beside those of reservations


def _lowered(keys: Keys, command: str) -> str:
    return f"lc:{{{keys.shop}}}:show:{keys.show}:lowered:{command}"


async def lower_prices(store: ShowStore, keys: Keys, code: str, command: str) -> None:
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
    open_claims = await store.engine.open_claims(keys.shop, keys.show, code)
    dearer = {reservation: paid for reservation, paid, _ in open_claims if paid > price}
    if dearer:
        await _keep(store, _lowered(keys, command), {CUT: price, **dearer})  # first: else a crash forgets who
        sources = {reservation: source for reservation, _, source in open_claims}
        steps = (_step(state, product, command, one, price, sources[one]) for one in dearer)
        await _submit(store, steps)


async def restore_prices(store: ShowStore, keys: Keys, code: str, command: str) -> None:
    """Gives the claims that the cut `command` has lowered the price they had, where they still have the cut's.

    Raises:
        Unavailable: some have it, some not yet; take it back again.
    """
    state = await store.load(keys.show, chat=0, whole=False)
    product = state["items"].get(code)
    before = await _kept(store, _lowered(keys, command))
    cut = before.pop(CUT, 0)
    if product is not None and before:
        sources = {one: source for one, _, source in await store.engine.open_claims(keys.shop, keys.show, code)}
        steps = (
            replace(_step(state, product, f"{command} back", one, price, sources[one]), expected_minor=cut)
            for one, price in before.items()
            if one in sources
        )
        await _submit(store, steps)


def _step(
    state: State, product: PublicItem, command: str, reservation: str, price: int, source: str
) -> Reprice:  # the claim keeps what it was made by: orders by the button have no other line in the chat
    show = state["show"]
    line = replace(offer_line(state, product, reservation.rpartition("#")[0], 1), unit_price_minor=price)
    digest = hashlib.blake2b(f"{reservation} {command}".encode(), digest_size=16).hexdigest()
    return Reprice(f"price-{digest}", show["shop"], show["id"], reservation, line, source)


async def _submit(store: ShowStore, steps: Iterable[Reprice]) -> None:
    operations = list(steps)
    for start in range(0, len(operations), AT_ONCE_MAX):
        for answer in await store.engine.submit_all(operations[start : start + AT_ONCE_MAX]):
            if answer.outcome in RETRYABLE:
                raise Unavailable("Not every claim has its price yet. Do it again.", retry_after_ms=1_000)


async def _keep(store: ShowStore, key: str, prices: dict[str, int]) -> None:
    try:
        async with store.redis.pipeline(transaction=False) as pipe:
            pipe.hset(key, mapping=dict[Any, Any](prices))
            pipe.expire(key, LOWERED_SECONDS)
            await pipe.execute()
    except FAULTS as error:
        raise storage_error(error) from error


async def _kept(store: ShowStore, key: str) -> dict[str, int]:
    try:
        found = await store.redis.hgetall(key)
    except FAULTS as error:
        raise storage_error(error) from error
    return {decoded(name): int(price) for name, price in found.items()}
