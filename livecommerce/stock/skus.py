"""Names of items. Pure: a sku is `<product code>[/<value of an option>]...`, so `A01/紅色/M` is an option of `A01`.

Stock counts pieces by sku and a viewer's limit by product; codec.product_of of the Lua says the same.
"""

from __future__ import annotations

from collections.abc import Iterable

SEPARATOR = "/"  # in no product code and no value; catalogue and show set-up refuse it there


def sku_of_parts(code: str, values: Iterable[str] = ()) -> str:
    """The sku of a product's code and one value an axis, in the order of the axes."""
    return SEPARATOR.join((code, *values))


def product_of(sku: str) -> str:
    """The product's code."""
    return sku.partition(SEPARATOR)[0]


def options_of(sku: str) -> list[str]:
    """The values of the options, in the order of the axes; none for a product without options."""
    return sku.split(SEPARATOR)[1:]
