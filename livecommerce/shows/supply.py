"""Pieces as a set-up names them, and their counters as events carry them. Pure.

A shop has one figure a sku, whatever its shows are: what a set-up names is set, never added (docs/stock.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from livecommerce.stock.operations import Restock, SetAvailable
from livecommerce.stock.outcomes import Counters, Outcome

SUPPLY_DONE = frozenset((Outcome.RESTOCKED, Outcome.ADJUSTED, Outcome.UNCHANGED))


def named_pieces(
    shop: str, show: str, sku: str, available: int | None, reason: str, expected: int | None = None
) -> SetAvailable | Restock:
    """Sets the pieces left of a sku; None leaves them as they are and makes the sku known.

    The id is made of the reason, so that a repeat changes nothing, whatever was sold meanwhile.
    """
    digest = hashlib.blake2b(f"{reason} {sku}".encode(), digest_size=16).hexdigest()
    if available is None:
        return Restock(id=f"known-{digest}", shop=shop, show=show, item=sku, quantity=0)
    return SetAvailable(id=f"supply-{digest}", shop=shop, show=show, item=sku, available=available, expected=expected)


def setup_reason(show: str) -> str:
    """Of the pieces that a new show names."""
    return f"setup {show}"


def counters_shape(counters: Mapping[str, Counters]) -> dict[str, list[int]]:
    """{sku: [available, held, sold, waiting, supplied]}."""
    return {sku: [c.available, c.held, c.sold, c.waiting, c.supplied] for sku, c in counters.items()}
