"""The CSV opens in a spreadsheet in the right letters, and nothing in it runs."""

from __future__ import annotations

import csv
import io

import pytest

from livecommerce.orders.currencies import amount
from livecommerce.orders.export import COLUMNS, csv_lines, header, safe_cell
from livecommerce.orders.model import Order, OrderLine, Payment


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("小美", "小美"),
        ("A01/紅色/M", "A01/紅色/M"),
        ("=1+1", "'=1+1"),
        ("+886", "'+886"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("  =1", "'  =1"),
        ("\u3000=1", "'\u3000=1"),
        ("＝1", "'＝1"),
        ("a=1", "a=1"),
        ("", ""),
    ],
)
def test_no_cell_is_a_formula(text: str, cell: str) -> None:
    assert safe_cell(text) == cell


@pytest.mark.parametrize(
    ("minor", "currency", "written"),
    [(590, "TWD", "590"), (590, "USD", "5.90"), (5, "USD", "0.05"), (0, "USD", "0.00"), (-5, "USD", "-0.05"),
     (1234, "KWD", "1.234"), (1000, "JPY", "1000")],
)  # fmt: skip
def test_money_is_written_as_people_read_it(minor: int, currency: str, written: str) -> None:
    assert amount(minor, currency) == written


def test_a_line_a_claim() -> None:
    line = OrderLine(
        shop="s", reservation="A01#1", order="o-1", sku="A01/紅色", number=1, quantity=2, waiting=0,
        unit_price_minor=590, currency="TWD", text='外套 "紅", 大', state="confirmed", deadline_ms=0,
        claimed_ms=1_784_700_000_000, updated_ms=0,
    )  # fmt: skip
    payment = Payment("p", "o-1", "manual", "bank_transfer", "paid", 1180, "TWD", "=12345", ["A01#1"], "ling", 0, 0)
    order = Order("o-1", "s", "demo", "vera", 7, "TWD", "confirmed", 1180, 1180, 0, 0, (line,), (payment,))
    text = header() + csv_lines([order], {"vera": "=cmd|' /C calc'!A0"}, {"vera": "k3j2m9qx4t"})
    assert text.startswith("\ufeff")
    assert text.count("\r\n") == 2
    (row,) = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    assert set(row) == set(COLUMNS)
    assert row["buyer"] == "'=cmd|' /C calc'!A0"
    assert (row["sku"], row["offer"], row["line_total"]) == ("A01/紅色", '外套 "紅", 大', "1180")
    assert (row["claimed_at"], row["payment"], row["payment_reference"]) == (
        "2026-07-22T06:00:00Z", "bank_transfer paid", "'=12345",
    )  # fmt: skip
