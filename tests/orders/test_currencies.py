"""Minor units are counted in one way: the page's table is the server's, and where ISO 4217 differs is known."""

from __future__ import annotations

import re

import pytest

from livecommerce.orders.currencies import CURRENCIES, amount, exponent, iso_exponent, iso_minor
from tests.tidy.sources import ROOT


def test_the_pages_count_as_the_books_do() -> None:
    source = (ROOT / "web/shared/currencies.js").read_text("utf-8")
    listed = {code: int(decimals) for code, decimals in re.findall(r"\b([A-Z]{3}): (\d)", source)}
    assert listed == {code: exponent(code) for code in CURRENCIES if exponent(code) != 2}


@pytest.mark.parametrize(
    ("currency", "ours", "iso", "minor", "in_iso", "shown"),
    [
        ("TWD", 0, 2, 590, 59_000, "590"),
        ("JPY", 0, 0, 590, 590, "590"),
        ("USD", 2, 2, 590, 590, "5.90"),
        ("IDR", 2, 2, 590, 590, "5.90"),
        ("KWD", 3, 3, 590, 590, "0.590"),
    ],
)
def test_our_units_and_those_of_iso(currency: str, ours: int, iso: int, minor: int, in_iso: int, shown: str) -> None:
    assert (exponent(currency), iso_exponent(currency)) == (ours, iso)
    assert (iso_minor(minor, currency), amount(minor, currency)) == (in_iso, shown)


def test_twd_is_the_only_one_counted_otherwise() -> None:
    assert [code for code in sorted(CURRENCIES) if exponent(code) != iso_exponent(code)] == ["TWD"]
