"""Products as the comment parser takes them, and what it would stumble over. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from livecommerce.catalogue.products import Product, fold_code
from livecommerce.comments import Axis, ItemWords, check_catalogue


def parser_words(products: Sequence[Product]) -> list[ItemWords]:
    """Codes, names and options with their short names, in the products' order."""
    return [
        ItemWords(
            code=product.code,
            names=(*product.names, *([product.name_en] if product.name_en else [])),
            options=tuple(
                Axis(option.axis, tuple((value.value, value.short) for value in option.values))
                for option in product.options
            ),
        )
        for product in products
    ]


def new_warnings(known: Sequence[Product], product: Product, packs: Sequence[str]) -> list[dict[str, Any]]:
    """What the comment parser would stumble over because of `product`, and did not before. Takes tens of milliseconds.

    Args:
        known: the shop's products; one with the code of `product` is what it replaces.
    """
    others = [other for other in known if fold_code(other.code) != fold_code(product.code)]
    before = check_catalogue(parser_words(others), packs)
    after = check_catalogue(parser_words([*others, product]), packs)
    return [msgspec.to_builtins(warning) for warning in after if warning not in before]
