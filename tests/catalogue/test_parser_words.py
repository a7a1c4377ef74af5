"""What the comment parser gets of a product, and which warnings are this product's doing."""

from __future__ import annotations

import pytest

from livecommerce.catalogue.parser_words import new_warnings, parser_words
from livecommerce.catalogue.products import Product, product_of
from livecommerce.comments import Axis, ItemWords

PACKS = ("zh-TW", "en")


def make(code: str, *names: str, **more: object) -> Product:
    return product_of({"code": code, "names": list(names), "price_minor": 100, **more}, currency="TWD")


COAT = make(
    "A01",
    "針織外套",
    "外套",
    name_en="Knit cardigan",
    options=[{"axis": "顏色", "values": {"紅色": ["紅"], "黑色": ["黑"]}}, {"axis": "尺寸", "values": ["S", "M"]}],
)


def test_the_parser_gets_every_name_and_short_name() -> None:
    assert parser_words([COAT, make("B02", "馬克杯")]) == [
        ItemWords(
            code="A01",
            names=("針織外套", "外套", "Knit cardigan"),
            options=(Axis("顏色", (("紅色", ("紅",)), ("黑色", ("黑",)))), Axis("尺寸", (("S", ()), ("M", ())))),
        ),
        ItemWords(code="B02", names=("馬克杯",), options=()),
    ]


@pytest.mark.parametrize(
    ("known", "product", "reasons"),
    [
        ([], make("B02", "馬克杯"), set()),
        ([], make("12", "馬克杯"), {"all_digits"}),
        ([make("12", "馬克杯")], make("B02", "水壺"), set()),  # an old warning is not this product's doing
        ([make("12", "馬克杯")], make("12", "馬克杯"), {"all_digits"}),  # as it will be, not beside what it was
        ([COAT], make("M", "上衣"), {"reads_as_option"}),
        ([COAT], make("B02", "外套"), {"same_name"}),
    ],
)
def test_only_warnings_of_this_product_are_told(known: list[Product], product: Product, reasons: set[str]) -> None:
    assert {warning["reason"] for warning in new_warnings(known, product, PACKS)} == reasons
