"""What a payment provider is to the till. A file of this folder declares its own as `PROVIDER`, see `providers.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from livecommerce.orders.model import Order


class Method(Struct, frozen=True):
    """A way to pay, and how it treats the claims of an order.

    names: what people call it, by locale of the pages.
    instructions: what the buyer does, by locale.
    hold_seconds: how long the claims are held from the moment the buyer chose to pay so; 0 leaves them as they are.
    confirms_at_once: the pieces count as sold already when payment is promised (cash on delivery).
    """

    names: dict[str, str]
    instructions: dict[str, str]
    hold_seconds: int
    confirms_at_once: bool = False


class PaymentProvider(Protocol):
    """One way to get money, or several. `PROVIDER(account)` makes it, with what stands behind the colon in the setting
    (no comma; empty where there is none). An account that is missing or cannot be one must be refused there with
    `SettingsError`, and what is right: what is made of it may look valid and pay nobody.

    name: of its file, as the setting has it. methods: by the name that requests and payments have.
    """

    name: str
    methods: Mapping[str, Method]

    def takes(self, order: Order) -> bool:
        """Whether this order may be paid so: its currency, its sum. Else its methods are not offered."""
        ...

    async def create(self, order: Order, payment: str, method: str, amount_minor: int) -> dict[str, str]:
        """Begins a payment of `amount_minor` for the order; safe to repeat with the same payment id.

        Returns:
            What the buyer does now, by locale.

        Raises:
            PaymentRefused: the payment is void then, and another may cover the claims.
        """
        ...
