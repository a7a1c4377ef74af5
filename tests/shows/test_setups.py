"""Set-ups as values: what a show sells, and which commands turn one set-up into another, with stable ids."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from livecommerce.catalogue.products import Product, product_of
from livecommerce.errors import LiveCommerceError
from livecommerce.shows.rows import ShowItemRecord, ShowRecord
from livecommerce.shows.setups import ItemWish, changes, items_of, setup_of


def product(code: str, **more: Any) -> Product:
    return product_of({"code": code, "names": [f"商品 {code}"], "price_minor": 100, **more}, currency="TWD")


COAT = product("A01", options=[{"axis": "顏色", "values": {"紅色": ["紅"], "黑色": ["黑"]}}])
MUG = product("B02")
PRODUCTS = [COAT, MUG]


def record(*wishes: ItemWish, **changes: Any) -> ShowRecord:
    show = ShowRecord(
        id="demo", shop="lingling", title="週三夜場", currency="TWD", packs=("zh-TW",), limits={"per_item": 3},
        hold_seconds=900, settings={}, created_by="ling", items=items_of(PRODUCTS, wishes),
    )  # fmt: skip
    return replace(show, **changes)


BOTH = record(ItemWish("A01", supply=3), ItemWish("B02", supply={"B02": 5}))


def done(before: ShowRecord, items: tuple[ShowItemRecord, ...]) -> list[tuple[Any, ...]]:
    """The commands, each as (name, what it is about …)."""
    found: list[tuple[Any, ...]] = []
    live = {item.code: {**item.product, "closed": False} for item in before.items}
    for command in changes(before, live, items):  # type: ignore[arg-type]
        name = type(command).__name__
        if name == "AddItem":
            found.append((name, command.item["code"], command.item["price_minor"], command.item["supply"]))
        elif name == "RemoveItem":
            found.append((name, command.code))
        else:
            found.append((name, command.sku, command.available))
    return found


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        ([ItemWish("A01"), ItemWish("B02")], []),
        ([ItemWish("B02"), ItemWish("A01")], []),  # another order is no change of what is sold
        ([ItemWish("A01")], [("RemoveItem", "B02")]),
        ([ItemWish("A01"), ItemWish("B02", supply=5)], [("SetStock", "B02", 5)]),  # said again, it is set again
        (
            [ItemWish("A01", supply={"A01/紅色": 1, "A01/黑色": 4}), ItemWish("B02")],
            [("SetStock", "A01/紅色", 1), ("SetStock", "A01/黑色", 4)],
        ),
        (
            [ItemWish("A01"), ItemWish("B02", price_minor=90, supply=6)],
            [("AddItem", "B02", 90, {}), ("SetStock", "B02", 6)],  # the price first
        ),
    ],
)
def test_the_difference_of_two_set_ups(wishes: list[ItemWish], expected: list[tuple[Any, ...]]) -> None:
    assert done(BOTH, items_of(PRODUCTS, wishes)) == expected


def test_a_new_product_comes_with_its_supply() -> None:
    before = record(ItemWish("B02", supply=5))
    after = items_of(PRODUCTS, [ItemWish("B02"), ItemWish("A01", supply=2)])
    assert done(before, after) == [
        ("AddItem", "A01", 100, {}),
        ("SetStock", "A01/紅色", 2),
        ("SetStock", "A01/黑色", 2),
    ]


def test_a_product_of_other_options_is_taken_out_and_put_in_anew() -> None:
    plain = items_of([product("A01")], [ItemWish("A01", supply=9)])
    assert done(record(ItemWish("A01", supply=3)), plain) == [
        ("RemoveItem", "A01"),
        ("AddItem", "A01", 100, {}),
        ("SetStock", "A01", 9),
    ]


def test_the_same_difference_has_the_same_ids_until_the_set_up_moves_on() -> None:
    after = items_of(PRODUCTS, [ItemWish("A01", price_minor=80, supply=9)])
    ids = [command.id for command in changes(BOTH, {}, after)]
    assert ids == [command.id for command in changes(BOTH, {}, after)]
    assert len(set(ids)) == len(ids) > 2
    later = [command.id for command in changes(replace(BOTH, revision=2), {}, after)]
    assert not set(ids) & set(later), "going back and forth is done each time"


@pytest.mark.parametrize(
    ("wishes", "number"),
    [
        ([ItemWish("Z99")], 3030),
        ([ItemWish("b02")], 3030),  # codes are named exactly
        ([ItemWish("B02"), ItemWish("B02")], 1000),
        ([ItemWish("B02", price_minor=-1)], 1032),
        ([ItemWish("B02", compare_at_minor=-1)], 1032),
        ([ItemWish("B02", limit_per_viewer=-1)], 1030),
        ([ItemWish("B02", supply={"A01": 1})], 1034),
        ([ItemWish("B02", supply=1_000_001)], 1034),
    ],
)
def test_wishes_that_cannot_be_met(wishes: list[ItemWish], number: int) -> None:
    with pytest.raises(LiveCommerceError) as refused:
        items_of(PRODUCTS, wishes)
    assert refused.value.number == number


def test_what_the_show_says_stands_over_the_catalogue() -> None:
    wish = ItemWish("B02", price_minor=80, compare_at_minor=0, limit_per_viewer=2, supply=4)
    struck_out = replace(MUG, compare_at_minor=150)
    (item,) = items_of([COAT, struck_out], [wish])
    told = (item.product["price_minor"], item.product["compare_at_minor"], item.product["limit_per_viewer"])
    assert (told, item.supply, item.position) == ((80, None, 2), {"B02": 4}, 0)
    (plain,) = items_of([struck_out], [ItemWish("B02")])
    assert (plain.product["compare_at_minor"], plain.supply) == (150, {})


def test_the_live_show_is_made_of_the_record() -> None:
    setup = setup_of(BOTH, "玲玲的小舖", "zh-TW")
    assert (setup.id, setup.shop_name, setup.locale, setup.limits.per_item) == ("demo", "玲玲的小舖", "zh-TW", 3)
    coat, mug = setup.items
    assert (coat.code, coat.names, coat.supply) == ("A01", ("商品 A01",), {"A01/紅色": 3, "A01/黑色": 3})
    assert (mug.options, mug.supply) == ((), {"B02": 5})
