"""Bank transfer and cash on delivery: a person of the shop sees the money and says so. What live sellers use first."""

from __future__ import annotations

from livecommerce.orders.errors import PaymentRefused
from livecommerce.orders.model import Order
from livecommerce.orders.payments.port import Started, Terms

DAY_SECONDS = 86_400
TRANSFER_DAYS = 3  # what shops give for a transfer; over a weekend it still arrives

_TERMS = {
    "bank_transfer": Terms(
        hold_seconds=TRANSFER_DAYS * DAY_SECONDS,
        confirms_at_once=False,
        instructions={
            "zh-TW": f"請在 {TRANSFER_DAYS} 天內轉帳，並告訴賣家帳號後五碼。",
            "en": f"Transfer the amount within {TRANSFER_DAYS} days and tell the shop the last five digits.",
        },
    ),
    "cash_on_delivery": Terms(
        hold_seconds=0,
        confirms_at_once=True,
        instructions={"zh-TW": "取貨時付款。", "en": "Pay when you receive the parcel."},
    ),
}


class ManualPayments:
    """No outside system: the payment stands at `pending` until staff mark it paid."""

    name = "manual"
    methods = frozenset(_TERMS)

    def terms(self, method: str) -> Terms:
        try:
            return _TERMS[method]
        except KeyError as error:
            raise PaymentRefused(f"method is one of {', '.join(sorted(self.methods))}.", field="method") from error

    async def create(self, order: Order, payment: str, method: str, amount_minor: int) -> Started:
        return Started("pending", self.terms(method).instructions)
