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


TYPED = [
    ("25", "USD", 2500), ("12.50", "USD", 1250), ("12,5", "USD", 1250), ("12.500", "USD", 1250),
    ("12.505", "USD", None), ("590", "TWD", 590), ("590.0", "TWD", 590), ("590.5", "TWD", None),
    ("1.234", "KWD", 1234), ("0", "USD", None), ("0.00", "USD", None), ("", "TWD", None), ("1e3", "TWD", None),
    ("-5", "TWD", None), ("１２．５", "USD", 1250),
]  # fmt: skip


def test_a_price_is_typed_as_money_of_its_currency() -> None:
    """A shop in dollars sold for a hundredth: 25 was taken for 25 cents."""
    node = shutil.which("node")
    assert node is not None, "Node is in the list of what a developer needs"
    script = f"""
        import {{ priceMinor, priceText }} from "{ROOT / "web/shared/price.js"}";
        for (const [text, currency] of {[[text, currency] for text, currency, _ in TYPED]}) {{
          const minor = priceMinor(text, currency);
          console.log(minor, minor === null || priceMinor(priceText(minor, currency), currency) === minor);
        }}"""
    run = [node, "--input-type=module", "-e", script]
    said = subprocess.run(run, capture_output=True, text=True, check=True).stdout.split("\n")
    wanted = [f"{'null' if minor is None else minor} true" for _, _, minor in TYPED]
    assert said[: len(wanted)] == wanted
