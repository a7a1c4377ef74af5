"""The parser's index of a show's products."""

from __future__ import annotations

from livecommerce.catalogue.currencies import whole_units
from livecommerce.comments import Axis, CatalogueIndex, ItemWords, ShopWords
from livecommerce.shows.state import PublicItem, State


def product_words(state: State) -> list[ItemWords]:
    """Products in the show's order; closed ones too, so that the answer is `sales_closed` and not "not understood"."""
    return [item_words(state["items"][code]) for code in state["order"]]


def catalogue_index(state: State, shop_words: ShopWords | None = None) -> CatalogueIndex:
    index = CatalogueIndex.build(product_words(state), shop_words=shop_words, packs=tuple(state["show"]["packs"]))
    index.reprice(prices(state))
    return index


def prices(state: State) -> dict[str, int]:
    """What the products cost, in whole units: 590 of TWD is 590, 2500 of USD is 25, 590 of USD is left out."""
    items = state["items"].values()
    return {item["code"]: whole_units(item["price_minor"], item["currency"]) for item in items}


def item_words(product: PublicItem) -> ItemWords:
    names = [*product["names"], product["name_en"]] if product["name_en"] else product["names"]
    axes = tuple(
        Axis(axis["axis"], tuple((value["value"], tuple(value["short"])) for value in axis["values"]))
        for axis in product["options"]
    )
    return ItemWords(code=product["code"], names=tuple(names), options=axes)
