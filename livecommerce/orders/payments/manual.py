"""Bank transfer and cash on delivery: a person of the shop sees the money and says so. What live sellers use first."""

from __future__ import annotations

from livecommerce.orders.model import Order
from livecommerce.orders.payments.port import Method

DAY_SECONDS = 86_400
TRANSFER_DAYS = 3  # what shops give for a transfer; over a weekend it still arrives

METHODS = {
    "bank_transfer": Method(
        names={"zh-TW": "銀行轉帳", "en": "Bank transfer"},
        instructions={
            "zh-TW": f"請在 {TRANSFER_DAYS} 天內轉帳，並告訴賣家帳號後五碼。",
            "en": f"Transfer the amount within {TRANSFER_DAYS} days and tell the shop the last five digits.",
        },
        hold_seconds=TRANSFER_DAYS * DAY_SECONDS,
    ),
    "cash_on_delivery": Method(
        names={"zh-TW": "貨到付款", "en": "Cash on delivery"},
        instructions={"zh-TW": "取貨時付款。", "en": "Pay when you receive the parcel."},
        hold_seconds=0,
        confirms_at_once=True,
    ),
}


class ManualPayments:
    """No outside system: the payment stands at `pending` until staff mark it paid. It has no account to be named."""

    name = "manual"
    methods = METHODS

    def __init__(self, account: str = "") -> None:
        pass

    def takes(self, order: Order) -> bool:
        return True

    async def create(self, order: Order, payment: str, method: str, amount_minor: int) -> dict[str, str]:
        return METHODS[method].instructions


PROVIDER = ManualPayments
