"""Orders, their lines and payments as values.

Units are in the names: `_minor` integer minor units of `currency`, `_ms` Unix milliseconds.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

LineState = Literal["held", "waiting", "offered", "confirmed", "cancelled", "expired", "released"]
OrderState = Literal["open", "confirmed", "cancelled"]
# On its way from pending to paid a payment is `confirming`, on its way to void `undoing`: written before stock is asked
# for anything, so that of two people who press at once one waits, and whoever presses again after a crash finishes it.
PaymentState = Literal["pending", "confirming", "paid", "undoing", "void"]


class OrderLine(Struct, frozen=True):
    """One claim. `quantity` pieces reserved (0 when only waiting), `waiting` pieces in the waitlist."""

    shop: str
    reservation: str
    order: str
    sku: str
    number: int
    quantity: int
    waiting: int
    unit_price_minor: int
    currency: str
    text: str
    state: LineState
    deadline_ms: int
    claimed_ms: int
    updated_ms: int


class Payment(Struct, frozen=True):
    """Money expected or received for an order; `reservations` are the claims it confirms once paid.

    `void`: taken back by staff, or begun anew because its claims had changed; it covers nothing. When its money was
    received, and when it was void, stays (0: never).
    """

    id: str
    order: str
    provider: str
    method: str
    state: PaymentState
    amount_minor: int
    currency: str
    reference: str
    reservations: list[str]
    by_staff: str
    created_ms: int
    updated_ms: int
    paid_ms: int = 0
    paid_by: str = ""
    voided_ms: int = 0
    voided_by: str = ""


class Order(Struct, frozen=True):
    """All claims of one viewer in one show. `total_minor` counts held and confirmed pieces."""

    id: str
    shop: str
    show: str
    viewer: str
    number: int
    currency: str
    state: OrderState
    total_minor: int
    confirmed_minor: int
    created_ms: int
    updated_ms: int
    lines: tuple[OrderLine, ...] = ()
    payments: tuple[Payment, ...] = ()
