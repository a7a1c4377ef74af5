"""What stands at the head of a spreadsheet of orders and in its cells, in the shop's language."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from livecommerce.orders.payments.port import Method
from livecommerce.stock.skus import options_of, product_of

HEADINGS = {
    "zh-TW": {
        "order": "訂單", "order_id": "訂單編號", "buyer": "買家", "buyer_handle": "買家代號", "sku": "貨號",
        "offer": "商品", "number_in_line": "第幾號", "quantity": "件數", "waiting": "候補", "unit_price": "單價",
        "line_total": "小計", "currency": "幣別", "state": "狀態", "claimed_at": "下單時間（UTC）",
        "claimed_at_local": "下單時間", "payment": "付款", "payment_reference": "付款備註",
        "received": "實收金額", "received_at": "收款時間", "received_by": "收款登記人", "taken_back": "收款後取消",
    },
    "en": {
        "order": "Order", "order_id": "Order ID", "buyer": "Buyer", "buyer_handle": "Buyer mark", "sku": "Item code",
        "offer": "Product", "number_in_line": "No. in line", "quantity": "Pieces", "waiting": "In line",
        "unit_price": "Unit price", "line_total": "Line total", "currency": "Currency", "state": "State",
        "claimed_at": "Ordered at (UTC)", "claimed_at_local": "Ordered at", "payment": "Payment",
        "payment_reference": "Payment note", "received": "Money received", "received_at": "Received at",
        "received_by": "Noted by", "taken_back": "Received and taken back",
    },
}  # fmt: skip
WORDS = {
    "zh-TW": {
        "held": "保留中", "waiting": "候補中", "offered": "輪到，待確認", "confirmed": "已成立", "cancelled": "已取消",
        "expired": "逾時", "released": "已釋出", "pending": "待收款", "confirming": "收款確認中",
        "undoing": "取消付款中", "paid": "已收款", "void": "作廢",
    },
    "en": {
        "held": "held", "waiting": "in line", "offered": "offered", "confirmed": "confirmed", "cancelled": "cancelled",
        "expired": "time was up", "released": "released", "pending": "awaited",
        "confirming": "being noted as received", "undoing": "being taken back", "paid": "received", "void": "void",
    },
}  # fmt: skip
_SPOKEN = frozenset(("state", "payment"))


class SheetWords(Struct, frozen=True):
    """What a sheet is written in. `methods`: names of the ways to pay, by method and locale."""

    locale: str = ""
    methods: Mapping[str, Mapping[str, str]] = {}


AS_PROGRAMS_KNOW_IT = SheetWords()


def sheet_words(locale: str, methods: Mapping[str, Method]) -> SheetWords:
    return SheetWords(locale, {name: method.names for name, method in methods.items()})


def heading(column: str, sheet: SheetWords) -> str:
    """The column's name for people; without a locale, or for a column that is new, the name programs know."""
    return HEADINGS.get(sheet.locale, {}).get(column, column)


def worded(column: str, cell: int | str, sheet: SheetWords) -> int | str:
    """A cell for people: states and methods in words, `A01/36%2F38/M` as `A01 36/38 M`."""
    if not sheet.locale or isinstance(cell, int):
        return cell
    if column == "sku":
        return " ".join((product_of(cell), *options_of(cell)))
    if column in _SPOKEN:
        words = WORDS.get(sheet.locale, {})
        ways = {name: names.get(sheet.locale, name) for name, names in sheet.methods.items()}
        return " ".join(words.get(word) or ways.get(word, word) for word in cell.split(" "))
    return cell
