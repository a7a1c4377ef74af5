"""Minor units are counted in one way: the page's table is the server's, and where ISO 4217 differs is known."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from livecommerce.catalogue.currencies import CURRENCIES, amount, exponent, iso_exponent, iso_minor
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


# (typed, currency, page's locale, what it is read as): minor units, or why it is asked back
TYPED = [
    ("25", "USD", "en", 2500), ("12.50", "USD", "en", 1250), ("12,5", "USD", "en", 1250), ("12,50", "USD", "en", 1250),
    ("1,290", "USD", "en", 129_000), ("1,299", "USD", "en", 129_900), ("1,290.00", "USD", "zh-TW", 129_000),
    ("12,500.50", "USD", "en", 1_250_050), ("1.290,50", "USD", "en", 129_050), ("1 290", "USD", "en", 129_000),
    ("1 290,50", "EUR", "en", 129_050), ("1’290.50", "CHF", "en", 129_050), ("1,29,000", "INR", "en", 12_900_000),
    ("1.290", "USD", "en", "unclear 129000 129"), ("12.500", "USD", "en", "unclear 1250000 1250"),
    ("1.299", "USD", "en", "unclear 129900 null"), ("1.290", "EUR", "de", 129_000),
    ("1,290", "EUR", "de", "unclear 129000 129"), ("1.290", "KWD", "en", 1290),
    ("1,290", "KWD", "en", "unclear 1290000 1290"), ("1,234.567", "KWD", "en", 1_234_567),
    ("1.2345", "KWD", "en", "decimals"), ("1,290.505", "USD", "en", "decimals"), ("0.505", "USD", "en", "decimals"),
    ("1234.567", "USD", "en", "decimals"), ("12.5000", "USD", "en", "decimals"), ("1,0000", "TWD", "en", "decimals"),
    ("590", "TWD", "zh-TW", 590), ("590.0", "TWD", "en", 590), ("590.00", "TWD", "en", 590),
    ("590.5", "TWD", "en", "decimals"), ("1,290", "TWD", "zh-TW", 1290), ("1.290", "TWD", "zh-TW", 1290),
    ("1，290，000", "TWD", "zh-TW", 1_290_000), ("590.000", "VND", "en", 590_000), ("１２．５", "USD", "zh-TW", 1250),
    ("１，２９０．５０", "USD", "zh-TW", 129_050), ("１　２９０", "USD", "zh-TW", 129_000),
    ("$1,290", "USD", "en", 129_000), ("US$ 25", "USD", "zh-TW", 2500), ("25 USD", "USD", "en", 2500),
    ("590元", "TWD", "zh-TW", 590), ("NT$1,290", "TWD", "zh-TW", 1290), ("€25", "USD", "en", "none"),
    ("1,290.50.00", "USD", "en", "none"),
    ("1,29 0", "USD", "en", "none"), ("1,290,50", "USD", "en", "none"), ("0", "USD", "en", "none"),
    ("0.00", "USD", "en", "none"), ("", "TWD", "en", "none"), ("1e3", "TWD", "en", "none"), ("-5", "TWD", "en", "none"),
    ("9" * 20, "USD", "en", "none"),
]  # fmt: skip


def test_a_price_is_typed_as_money_of_its_currency() -> None:
    """A shop in dollars sold for a hundredth: 25 was taken for 25 cents; and for a thousandth: 1,290 was 1.29."""
    node = shutil.which("node")
    assert node is not None, "Node is in the list of what a developer needs"
    script = f"""
        import {{ priceText, readPrice }} from "{ROOT / "web/shared/price.js"}";
        for (const [text, currency, locale] of {[list(one[:3]) for one in TYPED]}) {{
          const {{ minor, why, thousands, decimal }} = readPrice(text, currency, locale);
          const back = minor === undefined || locale === "de" || readPrice(priceText(minor, currency), currency, locale).minor === minor;
          console.log(why === "unclear" ? `unclear ${{thousands}} ${{decimal}}` : why ?? minor, back);
        }}"""  # noqa: E501
    run = [node, "--input-type=module", "-e", script]
    said = subprocess.run(run, capture_output=True, text=True, check=True).stdout.split("\n")
    read = {one[:3]: line.removesuffix(" true") for one, line in zip(TYPED, said, strict=False)}
    assert read == {one[:3]: str(one[3]) for one in TYPED}
