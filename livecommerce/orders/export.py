"""Orders for spreadsheets, a row a claim: XLSX, and CSV with a byte-order mark where no cell runs or changes."""

from __future__ import annotations

import csv
import io
import re
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import BinaryIO, cast

import xlsxwriter

from livecommerce.catalogue.currencies import amount
from livecommerce.orders.history import history
from livecommerce.orders.model import Order, OrderLine, Payment
from livecommerce.orders.projection import OWED
from livecommerce.orders.sheet_words import AS_PROGRAMS_KNOW_IT, SheetWords, heading, worded

BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads UTF-8 as the local code page
COLUMNS = (
    "order", "order_id", "buyer", "buyer_handle", "sku", "offer", "number_in_line", "quantity", "waiting", "unit_price",
    "line_total", "currency", "state", "claimed_at", "claimed_at_local", "payment", "payment_reference",
    "received", "received_at", "received_by", "taken_back",
)  # fmt: skip
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
# What a spreadsheet takes for a number, a time or a truth and then shows as another text: zeros in front, more digits
# than it counts (12 become 1.2E+11, past 15 they are lost), exponents, decimals, dates, shares.
_CHANGED = re.compile(
    r"0[0-9]+|[0-9]{12,}|[0-9]+e[+-]?[0-9]+|[0-9]*[.,][0-9]+|[0-9.,]+ ?%|[$¥€£₩฿₱] ?[0-9.,]+"
    r"|[0-9]{1,4}[-/.:年][0-9]{1,2}([-/.:月][0-9]{1,4}日?)?( ?[ap]m)?|[0-9]{1,2}月([0-9]{1,2}日)?"
    r"|([0-9]{1,2}[- ]?)?(jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*([- ]?[0-9]{1,4})?|true|false",
    re.IGNORECASE,
)
_BREAKS = re.compile("[\r\n\v\f\x85\u2028\u2029]+")
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # what XML 1.0 cannot hold


def safe_cell(text: str) -> str:
    """Text in one line that no spreadsheet takes for a formula (OWASP: CSV injection) or changes as it opens it."""
    is_formula = text.lstrip(" \u3000\ufeff\n").startswith((*_DANGEROUS, "＝", "＋", "－", "＠"))
    is_changed = _CHANGED.fullmatch(unicodedata.normalize("NFKC", text).strip()) is not None
    line = _BREAKS.sub(" ", text)
    return f"'{line}" if is_formula or is_changed else line


def moment(milliseconds: int, zone: tzinfo = UTC) -> str:
    """ISO 8601 with the offset from UTC; `Z` is UTC itself."""
    written = datetime.fromtimestamp(milliseconds / 1000, zone).isoformat(timespec="seconds")
    return written.removesuffix("+00:00") + "Z" if zone is UTC else written


def _payment(order: Order, line: OrderLine) -> Payment | None:
    for payment in reversed(order.payments):
        if payment.state != "void" and line.reservation in payment.reservations:
            return payment
    return None


def _taken_back(order: Order, zone: tzinfo) -> str:
    """`900 TWD 2026-11-27T16:40:00+08:00 owner → 2026-11-27T16:45:00+08:00 owner (reference)`, each after the other."""
    moved = history(order.payments)
    received = {one.payment: one for one in moved if one.what == "received"}
    return "; ".join(
        f"{amount(one.amount_minor, one.currency)} {one.currency} {moment(received[one.payment].at_ms, zone)} "
        f"{received[one.payment].by} → {moment(one.at_ms, zone)} {one.by}"
        f"{f' ({one.reference})' if one.reference else ''}"
        for one in moved
        if one.what == "taken_back"
    )


Cell = int | str


def rows(
    orders: Iterable[Order], names: Mapping[str, str], handles: Mapping[str, str], zone: tzinfo
) -> Iterator[list[Cell]]:
    """The cells of `COLUMNS`, a row a claim, each as it is. `names` and `handles` are by viewer.

    What has ended is listed with its quantity and costs nothing: the totals of an order's rows are the order's total.
    The money of a payment stands on the first of its rows, what was taken back on the first of the order: both can be
    summed.
    """
    for order in orders:
        noted: set[str] = set()
        for place, line in enumerate(order.lines):
            payment = _payment(order, line)
            is_received = payment is not None and payment.paid_ms > 0
            is_first = payment is not None and payment.id not in noted
            noted |= {payment.id} if payment is not None else set()
            total = line.quantity * line.unit_price_minor if line.state in OWED else 0
            yield [
                order.number, order.id, names.get(order.viewer, ""), handles.get(order.viewer, ""), line.sku, line.text,
                line.number, line.quantity, line.waiting, amount(line.unit_price_minor, line.currency),
                amount(total, line.currency), line.currency, line.state,
                moment(line.claimed_ms), moment(line.claimed_ms, zone),
                f"{payment.method} {payment.state}" if payment else "", payment.reference if payment else "",
                amount(payment.amount_minor, payment.currency) if payment and is_received and is_first else "",
                moment(payment.paid_ms, zone) if payment and is_received else "",
                payment.paid_by if payment and is_received else "",
                _taken_back(order, zone) if place == 0 else "",
            ]  # fmt: skip


def header(sheet: SheetWords = AS_PROGRAMS_KNOW_IT) -> str:
    return BYTE_ORDER_MARK + ",".join(heading(column, sheet) for column in COLUMNS) + "\r\n"


_MONEY = ("unit_price", "line_total", "received")
_OURS = frozenset((*_MONEY, "claimed_at", "claimed_at_local", "received_at"))  # written by us, to be read as it is
_GUARDED = [column not in _OURS for column in COLUMNS]


def for_people(cells: Iterable[list[Cell]], sheet: SheetWords) -> Iterator[list[Cell]]:
    """The same rows in the words of a language."""
    for row in cells:
        yield [worded(column, cell, sheet) for column, cell in zip(COLUMNS, row, strict=True)]


def csv_lines(
    orders: Iterable[Order],
    names: Mapping[str, str],
    handles: Mapping[str, str],
    zone: tzinfo = UTC,
    sheet: SheetWords = AS_PROGRAMS_KNOW_IT,
) -> str:
    """CSV text of a page of orders, without the header."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")  # RFC 4180; a reader of any line ends finds none inside a cell
    for row in for_people(rows(orders, names, handles, zone), sheet):
        writer.writerow(
            [
                safe_cell(cell) if is_guarded and isinstance(cell, str) else cell
                for cell, is_guarded in zip(row, _GUARDED, strict=True)
            ]
        )
    return out.getvalue()


class Workbook:
    """The same rows as XLSX, in a temporary file: text is text there, whatever it looks like, and money can be summed.

    `add` for each page of rows, then `finish`; `close` forgets the file.
    """

    def __init__(self, sheet: SheetWords = AS_PROGRAMS_KNOW_IT) -> None:
        self._words = sheet
        self.file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        settings = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        self._book = xlsxwriter.Workbook(self.file, settings)
        self._sheet = self._book.add_worksheet("orders")
        for column, name in enumerate(COLUMNS):
            self._sheet.write_string(0, column, heading(name, sheet))
        self._row = 1

    def add(self, cells: Iterable[list[Cell]]) -> None:
        for row in for_people(cells, self._words):
            for column, cell in enumerate(row):
                if isinstance(cell, int):
                    self._sheet.write_number(self._row, column, cell)
                elif cell and COLUMNS[column] in _MONEY:
                    self._sheet.write_number(self._row, column, float(cell))  # 15 digits: far under 2^53
                else:
                    self._sheet.write_string(self._row, column, _UNWRITABLE.sub("", cell))
            self._row += 1

    def finish(self) -> BinaryIO:
        """The whole file, to be read from its beginning. Takes some time: call it in a thread."""
        self._book.close()
        self.file.seek(0)
        return cast("BinaryIO", self.file)

    def close(self) -> None:
        self.file.close()
