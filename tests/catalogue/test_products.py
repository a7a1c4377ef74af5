"""A product is taken as people write it, or refused with the number and the field of what is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecommerce.catalogue.products import (
    as_public,
    fold_code,
    product_of,
    supply_of,
)
from livecommerce.errors import LiveCommerceError

COAT: dict[str, Any] = {
    "code": "A01",
    "names": ["針織外套", "外套"],
    "name_en": "Knit cardigan",
    "options": [
        {"axis": "顏色", "values": {"紅色": ["紅"], "黑色": ["黑"]}},
        {"axis": "尺寸", "values": ["S", "M"]},
    ],
    "price_minor": 590,
    "compare_at_minor": 780,
    "picture": "/static/demo/knit-coat.svg",
    "limit_per_viewer": 3,
}
MUG: dict[str, Any] = {"code": "B02", "names": ["馬克杯"], "price_minor": 250}


def make(raw: dict[str, Any]) -> Any:
    return product_of(raw, currency="TWD")


def test_skus_are_code_and_values_in_axis_order() -> None:
    assert make(COAT).skus() == ["A01/紅色/S", "A01/紅色/M", "A01/黑色/S", "A01/黑色/M"]
    assert make(MUG).skus() == ["B02"]


def test_a_product_comes_back_as_it_went_in() -> None:
    assert make(as_public(make(COAT))) == make(COAT)
    assert as_public(make(COAT))["options"][0]["values"][0] == {"value": "紅色", "short": ["紅"]}


def test_values_may_be_names_a_map_or_maps() -> None:
    forms: list[Any] = [["紅色"], {"紅色": ["紅"]}, [{"value": "紅色"}], [{"value": "紅色", "short": ["紅"]}]]
    made = [make({**MUG, "options": [{"axis": "顏色", "values": form}]}) for form in forms]
    assert all(product == made[0] for product in made)


MANY = [f"v{number}" for number in range(31)]


@pytest.mark.parametrize(
    ("changes", "number", "field"),
    [
        ({"code": ""}, 1031, "code"),
        ({"code": None}, 1031, "code"),
        ({"code": 12}, 1031, "code"),
        ({"code": "A/1"}, 1031, "code"),
        ({"code": "A#1"}, 1031, "code"),
        ({"code": "A 1"}, 1031, "code"),
        ({"code": "A\x001"}, 1031, "code"),
        ({"code": "A" * 21}, 1031, "code"),
        ({"names": []}, 1030, "names"),
        ({"names": None}, 1030, "names"),
        ({"names": [""]}, 1030, "names"),
        ({"names": [7]}, 1030, "names"),
        ({"names": ["x" * 81]}, 1030, "names"),
        ({"names": [f"n{n}" for n in range(21)]}, 1030, "names"),
        ({"names": ["bell\x07"]}, 1030, "names"),
        ({"price_minor": None}, 1032, "price_minor"),
        ({"price_minor": -1}, 1032, "price_minor"),
        ({"price_minor": 5.5}, 1032, "price_minor"),
        ({"price_minor": "590"}, 1032, "price_minor"),
        ({"price_minor": True}, 1032, "price_minor"),
        ({"price_minor": 10**12 + 1}, 1032, "price_minor"),
        ({"price_minor": float("nan")}, 1032, "price_minor"),
        ({"price_minor": float("inf")}, 1032, "price_minor"),
        ({"compare_at_minor": -5}, 1032, "compare_at_minor"),
        ({"currency": "USD"}, 1030, "currency"),
        ({"currency": "twd"}, 1030, "currency"),
        ({"currency": ["TWD"]}, 1030, "currency"),
        ({"picture": "javascript:alert(1)"}, 1030, "picture"),
        ({"picture": "//evil.example/x.png"}, 1030, "picture"),
        ({"picture": "http://evil.example/x.png"}, 1030, "picture"),
        ({"picture": '/x.png" onerror="x'}, 1030, "picture"),
        ({"description": "x" * 4001}, 1030, "description"),
        ({"description": ["x"]}, 1030, "description"),
        ({"limit_per_viewer": -1}, 1030, "limit_per_viewer"),
        ({"limit_per_viewer": 1.5}, 1030, "limit_per_viewer"),
        ({"prize": 1}, 1030, "prize"),
        ({"options": "red"}, 1033, "options"),
        ({"options": ["red"]}, 1033, "options"),
        ({"options": [{"axis": "", "values": ["S"]}]}, 1030, "axis"),
        ({"options": [{"axis": "size", "values": []}]}, 1033, "options"),
        ({"options": [{"axis": "size", "values": None}]}, 1033, "options"),
        ({"options": [{"axis": "size", "values": ["S\u2028M"]}]}, 1033, "options"),
        ({"options": [{"axis": "size", "values": ["S\x07"]}]}, 1033, "options"),
        ({"options": [{"axis": "size", "values": ["S", "ｓ"]}]}, 1033, "options"),
        ({"options": [{"axis": "size", "values": MANY}]}, 1033, "options"),
        ({"options": [{"axis": "size", "values": {"S": "small"}}]}, 1033, "options"),
        ({"options": [{"axis": "size", "values": {"S": ["s"] * 11}}]}, 1033, "options"),
        ({"options": [{"axis": "size", "values": ["S"]}, {"axis": "Size", "values": ["M"]}]}, 1033, "options"),
        ({"options": [{"axis": f"a{n}", "values": ["x"]} for n in range(5)]}, 1033, "options"),
        ({"options": [{"axis": f"a{n}", "values": MANY[:15]} for n in range(2)]}, 1033, "options"),
        ({"options": [{"axis": f"a{n}", "values": ["x" * 40]} for n in range(3)]}, 1033, "options"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], number: int, field: str) -> None:
    with pytest.raises(LiveCommerceError) as refused:
        make({**MUG, **changes})
    assert (refused.value.number, refused.value.details["field"]) == (number, field)


@pytest.mark.parametrize(
    ("supply", "expected"),
    [
        (None, {}),
        (5, {"A01/紅色/S": 5, "A01/紅色/M": 5, "A01/黑色/S": 5, "A01/黑色/M": 5}),
        ({"A01/紅色/S": 2}, {"A01/紅色/S": 2}),
        ({"A01": 2}, "A01 is no sku of A01."),
        ({"A01/紅色/S": -1}, "whole number"),
        ({"A01/紅色/S": "2"}, "whole number"),
        (1_000_001, "whole number"),
        ("many", "whole number"),
    ],
)
def test_supply(supply: Any, expected: Any) -> None:
    if isinstance(expected, dict):
        assert supply_of(make(COAT), supply) == expected
        return
    with pytest.raises(LiveCommerceError, match=expected) as refused:
        supply_of(make(COAT), supply)
    assert refused.value.number == 1034


@given(st.text(max_size=30))
def test_folding_a_code_twice_changes_nothing(code: str) -> None:
    assert fold_code(fold_code(code)) == fold_code(code)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys((*COAT, "description", "currency", "supply"), JSON)))
def test_no_input_does_anything_but_make_a_product_or_be_refused(raw: dict[str, Any]) -> None:
    refusal = 1030
    skus: list[str] = []
    try:
        product = make({**COAT, **raw})
        supply_of(product, raw.get("supply"))
        skus = product.skus()
    except LiveCommerceError as error:
        refusal = error.number
    assert 1030 <= refusal <= 1034
    assert all(len(sku) <= 100 for sku in skus)
