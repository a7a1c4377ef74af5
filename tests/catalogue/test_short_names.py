"""Short names of option values: what is taken off, and where none may be given."""

from __future__ import annotations

import pytest

from livecommerce.catalogue.parser_words import parser_words
from livecommerce.catalogue.products import product_of
from livecommerce.catalogue.short_names import derived
from livecommerce.comments import CatalogueIndex, Reserve, parse

TABLE = {
    "colours": (["紅色", "黑色", "米白色"], {"紅色": "紅", "黑色": "黑", "米白色": "米白"}),
    "sizes": (["Size M", "size: L", "XL"], {"Size M": "M", "size: L": "L"}),
    "numbers": (["36號", "37 號", "38碼"], {"36號": "36", "37 號": "37", "38碼": "38"}),
    "flavours": (["草莓味", "蛋黃口味"], {"草莓味": "草莓", "蛋黃口味": "蛋黃"}),
    "Thai": (["สีแดง", "ไซส์ M"], {"สีแดง": "แดง", "ไซส์ M": "M"}),
    "Vietnamese": (["màu đỏ", "size S"], {"màu đỏ": "đỏ", "size S": "S"}),
    "Korean": (["검은색", "M 사이즈"], {"검은색": "검은", "M 사이즈": "M"}),
    "two that would clash have none": (["紅色", "紅"], {}),
    "nor have two that come to the same": (["M號", "M碼", "L號"], {"L號": "L"}),
    "across axes too": (["原味", "草莓味", "草莓"], {}),
    "what is left says nothing": (["原色", "特號", "雙色", "大號", "味", "色"], {}),
    "nothing to take off": (["red", "M", "1,5 m", "36/38"], {}),
}


@pytest.mark.parametrize("case", TABLE)
def test_table(case: str) -> None:
    values, shorts = TABLE[case]
    assert derived(values) == shorts


def product(values: object) -> dict[str, object]:
    return {"code": "A01", "names": ["外套"], "price_minor": 590, "options": [{"axis": "顏色", "values": values}]}


@pytest.mark.parametrize(
    ("values", "shorts"),
    [
        (["紅色", "黑色"], [("紅",), ("黑",)]),
        ([{"value": "紅色"}, {"value": "黑色", "short": ["烏"]}], [("紅",), ("烏",)]),
        ([{"value": "紅色", "short": []}, "黑色"], [(), ("黑",)]),
        ([{"value": "紅色", "short": ["黑"]}, "黑色"], [("黑",), ()]),  # given names go first
        ({"紅色": ["赤"], "黑色": []}, [("赤",), ()]),
    ],
)
def test_only_who_said_nothing_gets_one(values: object, shorts: list[tuple[str, ...]]) -> None:
    made = product_of(product(values), currency="TWD")
    assert [value.short for value in made.options[0].values] == shorts


def test_what_the_form_makes_can_be_ordered_as_people_type() -> None:
    made = product_of(product(["紅色", "黑色"]), currency="TWD")
    index = CatalogueIndex.build(parser_words([made]), packs=["zh-TW"])
    assert parse("紅+1", index, ["zh-TW"], "A01").intents == (Reserve("A01", ("紅色",), 1),)
