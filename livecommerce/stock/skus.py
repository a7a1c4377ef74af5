"""Names of items. Pure: a sku is `<product code>[/<value of an option>]...`, so `A01/紅色/M` is an option of `A01`.

A value may hold the signs that join names: `36/38` stands in a sku as `36%2F38`. All other text stands as it is, also
`%`, unless it would read as one of these escapes. `web/shared/skus.js` says the same to pages.

Stock counts pieces by sku and a viewer's limit by product; codec.product_of of the Lua says the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

SEPARATOR = "/"  # in no product code; catalogue and show set-up refuse it there
_ESCAPES = {"/": "%2F", "#": "%23", "%": "%25"}  # `#` joins a sku and a number to the id of a claim
_TO_ESCAPE = re.compile("[/#]|%(?=2F|23|25)")
_ESCAPED = re.compile("%(2F|23|25)")
_PLAIN = {escaped: sign for sign, escaped in _ESCAPES.items()}


def sku_of_parts(code: str, values: Iterable[str] = ()) -> str:
    """The sku of a product's code and one value an axis, in the order of the axes."""
    return SEPARATOR.join((code, *(_TO_ESCAPE.sub(lambda found: _ESCAPES[found[0]], value) for value in values)))


def product_of(sku: str) -> str:
    """The product's code."""
    return sku.partition(SEPARATOR)[0]


def options_of(sku: str) -> list[str]:
    """The values of the options, in the order of the axes; none for a product without options."""
    return [_ESCAPED.sub(lambda found: _PLAIN[found[0]], value) for value in sku.split(SEPARATOR)[1:]]
