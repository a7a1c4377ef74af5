"""What a payment provider is to the till."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from livecommerce.orders.model import Order, PaymentState


class Terms(Struct, frozen=True):
    """How a method treats the claims of an order.

    hold_seconds: how long the claims are held from the moment the buyer chose to pay so; 0 leaves them as they are.
    confirms_at_once: the pieces count as sold already when payment is promised (cash on delivery).
    instructions: what the buyer is told, by locale.
    """

    hold_seconds: int
    confirms_at_once: bool
    instructions: dict[str, str]


class Started(Struct, frozen=True):
    """What the provider answered to `create`: where the payment stands and what the buyer does next.

    held_until_ms: the till's: when the first of its claims lapses; 0 where they are sold already.
    """

    state: PaymentState
    instructions: dict[str, str]
    redirect_url: str = ""
    held_until_ms: int = 0


class PaymentProvider(Protocol):
    """One way to get money. `create` must be safe to repeat with the same payment id."""

    name: str
    methods: frozenset[str]

    def terms(self, method: str) -> Terms:
        """Raises: PaymentRefused for a method that is none of `methods`."""
        ...

    async def create(self, order: Order, payment: str, method: str, amount_minor: int) -> Started:
        """Begins a payment of `amount_minor` for the order."""
        ...
