"""PromptPay (Thailand): the buyer scans a QR code with the amount in it; staff see the money and mark it received.

One file is a provider. To use it, put it beside `livecommerce/orders/payments/manual.py` and set
`LIVECOMMERCE_ORDERS_PAYMENTS=manual,promptpay:081-234-5678`. The code is an EMVCo merchant-presented QR payload: fields
of id, length and value, the last one a CRC of all before it.
"""

from __future__ import annotations

import re

from livecommerce.orders.model import Order
from livecommerce.orders.payments.port import Method
from livecommerce.settings import SettingsError

METHODS = {
    "promptpay": Method(
        names={"zh-TW": "PromptPay", "en": "PromptPay"},
        instructions={"zh-TW": "請在一小時內掃描 QR 碼付款。", "en": "Scan the code and pay within an hour."},
        hold_seconds=3_600,  # scanned at once or not at all; an hour leaves time to top up an account
    )
}
APPLICATION = "A000000677010111"  # PromptPay's id in the scheme


def _field(number: str, value: str) -> str:
    return f"{number}{len(value):02}{value}"


def _checksum(text: str) -> str:
    """CRC-16/CCITT-FALSE, as EMVCo asks for."""
    crc = 0xFFFF
    for byte in text.encode("ascii"):
        crc ^= byte << 8
        for _ in range(8):
            crc = ((crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return f"{crc:04X}"


def payload(phone: str, amount_minor: int) -> str:
    """What the QR code holds. `phone` as written in Thailand (`08x-xxx-xxxx`), the amount in satang."""
    digits = "".join(sign for sign in phone if sign.isdigit())
    receiver = _field("00", APPLICATION) + _field("01", f"0066{digits.removeprefix('0')}")
    amount = f"{amount_minor // 100}.{amount_minor % 100:02}"
    text = _field("00", "01") + _field("01", "12") + _field("29", receiver)
    text += _field("58", "TH") + _field("53", "764") + _field("54", amount) + "6304"  # 12: for one payment; 764: baht
    return text + _checksum(text)


class PromptPay:
    """No outside system either: the shop's bank shows the money. `create` gives the same code for the same payment."""

    name = "promptpay"
    methods = METHODS

    def __init__(self, account: str) -> None:
        """`account`: the shop's phone number as written in Thailand.

        Raises:
            SettingsError: it is none; a code with it would be valid, and nobody's.
        """
        if re.fullmatch(r"0\d{9}", re.sub(r"[- ]", "", account), re.ASCII) is None:
            raise SettingsError("the account is a phone number of ten digits that begins with 0, e.g. 081-234-5678")
        self._phone = account

    def takes(self, order: Order) -> bool:
        return order.currency == "THB"

    async def create(self, order: Order, payment: str, method: str, amount_minor: int) -> dict[str, str]:
        code = payload(self._phone, amount_minor)
        return {locale: f"{text}\n{code}" for locale, text in METHODS[method].instructions.items()}


PROVIDER = PromptPay
