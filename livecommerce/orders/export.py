"""Orders as CSV for spreadsheets: UTF-8 with a byte-order mark, one line a claim, no cell that would run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from livecommerce.orders.currencies import amount
from livecommerce.orders.model import Order, OrderLine

BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads UTF-8 as the local code page
COLUMNS = (
    "order", "order_id", "buyer", "buyer_handle", "sku", "offer", "number_in_line", "quantity", "waiting", "unit_price",
    "line_total", "currency", "state", "claimed_at", "payment", "payment_reference",
)  # fmt: skip
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula (OWASP: CSV injection)."""
    return f"'{text}" if text.lstrip(" \u3000\ufeff\n").startswith((*_DANGEROUS, "＝", "＋", "－", "＠")) else text


def moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _payment(order: Order, line: OrderLine) -> tuple[str, str]:
    for payment in reversed(order.payments):
        if payment.state != "void" and line.reservation in payment.reservations:
            return f"{payment.method} {payment.state}", payment.reference
    return "", ""


def header() -> str:
    return BYTE_ORDER_MARK + ",".join(COLUMNS) + "\r\n"


def csv_lines(orders: Iterable[Order], names: Mapping[str, str], handles: Mapping[str, str]) -> str:
    """CSV text of a page of orders, without the header. `names` and `handles` are by viewer."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for order in orders:
        for line in order.lines:
            payment, reference = _payment(order, line)
            writer.writerow(
                [
                    order.number,
                    order.id,
                    safe_cell(names.get(order.viewer, "")),
                    safe_cell(handles.get(order.viewer, "")),
                    safe_cell(line.sku),
                    safe_cell(line.text),
                    line.number,
                    line.quantity,
                    line.waiting,
                    amount(line.unit_price_minor, line.currency),
                    amount(line.quantity * line.unit_price_minor, line.currency),
                    line.currency,
                    line.state,
                    moment(line.claimed_ms),
                    payment,
                    safe_cell(reference),
                ]
            )
    return out.getvalue()
