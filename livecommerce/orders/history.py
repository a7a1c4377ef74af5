"""The money of an order as it came and went: what the page of orders and its files show, out of one place.

A payment that was taken back covers nothing any more, and was in somebody's hands all the same: a shop that gives money
back, or asks what was pressed, needs the sum, the day and who.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from livecommerce.orders.model import Payment


class MoneyMoved(Struct, frozen=True):
    """`by` is the login of who noted it."""

    what: Literal["received", "taken_back"]
    payment: str
    at_ms: int
    by: str
    method: str
    amount_minor: int
    currency: str
    reference: str


def history(payments: Iterable[Payment]) -> list[MoneyMoved]:
    """In the order of time. A payment that was only awaited is no money."""
    moved: list[MoneyMoved] = []
    for one in payments:
        what: list[tuple[Literal["received", "taken_back"], int, str]] = []
        if one.paid_ms:
            what.append(("received", one.paid_ms, one.paid_by))
            if one.voided_ms:
                what.append(("taken_back", one.voided_ms, one.voided_by))
        moved += [
            MoneyMoved(name, one.id, at_ms, by, one.method, one.amount_minor, one.currency, one.reference)
            for name, at_ms, by in what
        ]
    return sorted(moved, key=lambda one: one.at_ms)
