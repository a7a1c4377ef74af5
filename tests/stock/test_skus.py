"""The parts of a sku."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecommerce.stock.skus import options_of, product_of, sku_of_parts

SKUS = {
    "A01": ("A01", []),
    "A01/紅色": ("A01", ["紅色"]),
    "A01/紅色/M": ("A01", ["紅色", "M"]),
    "A01/36%2F38/M": ("A01", ["36/38", "M"]),
    "A01/%23 1": ("A01", ["# 1"]),
    "A01/1,5 m": ("A01", ["1,5 m"]),
    "A01/100%棉": ("A01", ["100%棉"]),  # as it always was
    "A01/50%": ("A01", ["50%"]),
    "A01/%252F": ("A01", ["%2F"]),
    "A01/%252525": ("A01", ["%2525"]),
}


@pytest.mark.parametrize("sku", SKUS)
def test_a_sku_is_a_product_and_its_options(sku: str) -> None:
    product, options = SKUS[sku]
    assert (product_of(sku), options_of(sku)) == (product, options)
    assert sku_of_parts(product, options) == sku


@given(st.lists(st.text(max_size=8) | st.text("%/#235F", max_size=8), max_size=4))
def test_any_values_come_back_and_no_two_share_a_sku(values: list[str]) -> None:
    sku = sku_of_parts("A01", values)
    assert (product_of(sku), options_of(sku)) == ("A01", values)
    assert "#" not in sku
