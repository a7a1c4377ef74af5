"""Pieces as a show first gets them, and their counters as events carry them. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from livecommerce.stock.operations import Restock
from livecommerce.stock.outcomes import Counters, Outcome

FIRST_PIECES_DONE = frozenset((Outcome.RESTOCKED, Outcome.UNCHANGED))


def first_pieces(shop: str, show: str, sku: str, quantity: int, reason: str) -> Restock:
    """The first pieces of a sku; the id is made of the reason, so that repeating adds nothing."""
    digest = hashlib.blake2b(f"{reason} {sku}".encode(), digest_size=16).hexdigest()
    return Restock(id=f"supply-{digest}", shop=shop, show=show, item=sku, quantity=quantity)


def counters_shape(counters: Mapping[str, Counters]) -> dict[str, list[int]]:
    """{sku: [available, held, sold, waiting, supplied]}."""
    return {sku: [c.available, c.held, c.sold, c.waiting, c.supplied] for sku, c in counters.items()}
