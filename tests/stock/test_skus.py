"""The parts of a sku."""

from __future__ import annotations

import pytest

from livecommerce.stock.skus import options_of, product_of, sku_of_parts

SKUS = {
    "A01": ("A01", []),
    "A01/紅色": ("A01", ["紅色"]),
    "A01/紅色/M": ("A01", ["紅色", "M"]),
}


@pytest.mark.parametrize("sku", SKUS)
def test_a_sku_is_a_product_and_its_options(sku: str) -> None:
    product, options = SKUS[sku]
    assert (product_of(sku), options_of(sku)) == (product, options)
    assert sku_of_parts(product, options) == sku
