"""The CSV opens in a spreadsheet in the right letters, and nothing in it runs."""

from __future__ import annotations

import csv
import io
from datetime import UTC
from typing import get_args

import msgspec
import pytest
from openpyxl import load_workbook

from livecommerce.catalogue.currencies import amount
from livecommerce.orders.export import COLUMNS, Workbook, csv_lines, header, rows, safe_cell
from livecommerce.orders.model import LineState, Order, OrderLine, Payment, PaymentState
from livecommerce.orders.payments.manual import METHODS
from livecommerce.orders.sheet_words import HEADINGS, WORDS, sheet_words
from livecommerce.orders.zones import export_zone
from livecommerce.settings import LOCALES, SettingsError


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
        ("\r=1", "' =1"),
        ("  =1", "'  =1"),
        ("\u3000=1", "'\u3000=1"),
        ("＝1", "'＝1"),
        ("a=1", "a=1"),
        ("00123", "'00123"),
        ("12345", "12345"),
        ("123456789012345678", "'123456789012345678"),
        ("８８８８８８８８８８８８８", "'８８８８８８８８８８８８８"),
        ("1E5", "'1E5"),
        ("3-4", "'3-4"),
        ("3/4", "'3/4"),
        ("2026-07-22", "'2026-07-22"),
        ("Mar1", "'Mar1"),
        ("1.50", "'1.50"),
        ("10%", "'10%"),
        ("NT$5", "NT$5"),
        ("TRUE", "'TRUE"),
        ("A01/36%2F38", "A01/36%2F38"),
        ("a\nb\r\nc\u2028d", "a b c d"),
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


def sold(reference: str, text: str) -> Order:
    line = OrderLine(
        shop="s", reservation="A01#1", order="o-1", sku="A01/紅色", number=1, quantity=2, waiting=0,
        unit_price_minor=590, currency="TWD", text=text, state="confirmed", deadline_ms=0,
        claimed_ms=1_784_700_000_000, updated_ms=0,
    )  # fmt: skip
    payment = Payment("p", "o-1", "manual", "bank_transfer", "paid", 1180, "TWD", reference, ["A01#1"], "ling", 0, 0)
    return Order("o-1", "s", "demo", "vera", 7, "TWD", "confirmed", 1180, 1180, 0, 0, (line,), (payment,))


def test_a_line_a_claim() -> None:
    order = sold("=12345", '外套 "紅", 大')
    zone = export_zone("", "zh-TW")
    text = header() + csv_lines([order], {"vera": "=cmd|' /C calc'!A0"}, {"vera": "k3j2m9qx4t"}, zone)
    assert text.startswith("\ufeff")
    assert text.count("\r\n") == 2
    (row,) = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    assert set(row) == set(COLUMNS)
    assert row["buyer"] == "'=cmd|' /C calc'!A0"
    assert (row["sku"], row["offer"], row["line_total"]) == ("A01/紅色", '外套 "紅", 大', "1180")
    assert row["claimed_at_local"] == "2026-07-22T14:00:00+08:00"
    assert (row["claimed_at"], row["payment"], row["payment_reference"]) == (
        "2026-07-22T06:00:00Z", "bank_transfer paid", "'=12345",
    )  # fmt: skip


@pytest.mark.parametrize("odd", ["00123", "1234567890123456789", "=1+1", "3/4", "TRUE", "http://a.example", "a\x00b"])
def test_a_workbook_gives_back_what_was_put_in(odd: str) -> None:
    book = Workbook()
    book.add(rows([sold(odd, odd)], {"vera": odd}, {"vera": "h"}, export_zone("Europe/Madrid", "en")))
    head, row = load_workbook(book.finish()).active.iter_rows()
    cells = dict(zip((cell.value for cell in head), row, strict=True))
    book.close()
    kept = odd.replace("\x00", "")
    for column in ("buyer", "offer", "payment_reference"):
        assert (cells[column].value, cells[column].data_type) == (kept, "s")
    assert (cells["quantity"].value, cells["line_total"].value) == (2, 1180)
    assert cells["claimed_at_local"].value == "2026-07-22T08:00:00+02:00"


def test_a_sheet_speaks_the_language_of_the_shop() -> None:
    for locale in LOCALES:
        assert set(HEADINGS[locale]) == set(COLUMNS)
        states = {word for kind in (LineState, PaymentState) for word in get_args(kind)}
        assert states <= set(WORDS[locale])
    order = sold("", "外套 36/38")
    line = msgspec.structs.replace(order.lines[0], sku="A01/36%2F38", state="offered")
    order = msgspec.structs.replace(order, lines=(line,))
    text = (
        header(sheet_words("zh-TW", METHODS)) + csv_lines([order], {}, {}, sheet=sheet_words("zh-TW", METHODS))
    ).removeprefix("\ufeff")
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert (row["貨號"], row["狀態"], row["付款"]) == ("A01 36/38", "輪到，待確認", "銀行轉帳 已收款")
    book = Workbook(sheet_words("en", METHODS))
    book.add(rows([order], {}, {}, export_zone("", "en")))
    head, cells = load_workbook(book.finish()).active.iter_rows(values_only=True)
    book.close()
    found = dict(zip(head, cells, strict=True))
    assert (found["Item code"], found["State"], found["Payment"]) == ("A01 36/38", "offered", "Bank transfer received")


def test_a_file_read_with_any_line_ends_has_the_same_rows() -> None:
    text = header() + csv_lines([sold("a\nb", "c\r\nd")], {"vera": "e\u2028f"}, {})
    for ends in ("\r\n", "\n", "\r"):
        found = list(csv.reader(text.replace("\r\n", ends).splitlines()))
        reference = found[1][COLUMNS.index("payment_reference")]
        assert (len(found), found[1][2], found[1][5], reference) == (2, "e f", "c d", "a b")


def test_a_zone_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="Asia/Taibei"):
        export_zone("Asia/Taibei", "zh-TW")


def test_the_rows_of_an_order_add_up_to_its_total() -> None:
    """The accountant's sum was another one than the page's: what had lapsed was counted at its price."""
    order = sold("", "外套")
    (line,) = order.lines
    states: tuple[LineState, ...] = ("expired", "cancelled", "released", "waiting")
    ended = [
        msgspec.structs.replace(line, reservation=f"A01#{number}", state=state)
        for number, state in enumerate(states, 2)
    ]
    order = msgspec.structs.replace(order, lines=(line, *ended))
    listed = list(rows([order], {}, {}, UTC))
    assert [row[COLUMNS.index("quantity")] for row in listed] == [2] * 5
    assert [row[COLUMNS.index("line_total")] for row in listed] == ["1180", *["0"] * 4]
    assert sum(int(row[COLUMNS.index("line_total")]) for row in listed) == order.total_minor
