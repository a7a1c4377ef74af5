"""What is wanted becomes the lines of one reservation, on the terms of this moment."""

from __future__ import annotations

from typing import Any

import pytest

from livecommerce.shows.offers import NoOrder, Want, choose, lines_of, reserve_for
from livecommerce.stock.operations import LINES_MAX
from tests.shows.world import SHOP, SHOW, setup


@pytest.fixture
def state() -> dict[str, Any]:
    """As much of a show as an order looks at."""
    return {
        "show": {
            "id": SHOW, "shop": SHOP, "hold_seconds": 600,
            "limits": {"per_item": 0, "per_show": 7, "per_comment": 5},
        },
        "items": {item.code: item.public() for item in setup().items}, "buyers": {},
        "settings": {"fill": "any", "repeat": "add", "waitlist": True},
    }  # fmt: skip


def test_choose_takes_the_text_the_card_and_the_only_value(state: dict[str, Any]) -> None:
    coat = state["items"]["A02"]
    assert choose(coat, ["M", "紅色"], {}) == ("A02/紅色/M", [])
    assert choose(coat, ["M"], {"顏色": "黑色"}) == ("A02/黑色/M", [])
    assert choose(coat, ["M"], {"顏色": "黑色", "尺寸": "L"}) == ("A02/黑色/M", []), "the text wins"
    assert choose(coat, [], {"顏色": "綠色"}) == (None, ["顏色", "尺寸"])
    one = {**coat, "options": [{"axis": "尺寸", "values": [{"value": "F", "short": []}]}]}
    assert choose(one, [], {}) == ("A02/F", [])


def test_the_same_sku_twice_is_one_line(state: dict[str, Any]) -> None:
    wants = [Want("A01", (), 1), Want("A02", ("紅色", "M"), 1), Want("A01", (), 2)]
    lines = lines_of(state, wants)
    assert not isinstance(lines, NoOrder)
    assert [(line.item, line.quantity, line.unit_price_minor) for line in lines] == [
        ("A01", 3, 590), ("A02/紅色/M", 1, 990),
    ]  # fmt: skip


def test_what_was_chosen_fills_what_was_not_named(state: dict[str, Any]) -> None:
    card = {"顏色": "黑色", "尺寸": "L"}
    lines = lines_of(state, [Want("A02", (), 1, card)])
    assert not isinstance(lines, NoOrder)
    assert lines[0].item == "A02/黑色/L"
    missing = lines_of(state, [Want("A02", ("M",), 2)])
    assert missing == NoOrder(
        "need_options", "A02", {"code": "A02", "axes": ["顏色"], "options": {"尺寸": "M"}, "quantity": 2}
    )


def test_one_line_that_cannot_be_is_no_order_at_all(state: dict[str, Any]) -> None:
    good = Want("A01", (), 1)
    assert lines_of(state, [good, Want("Z99", (), 1)]) == NoOrder("item_unknown", "Z99")
    state["items"]["B01"]["closed"] = True
    assert lines_of(state, [good, Want("B01", (), 1)]) == NoOrder("sales_closed", "B01")


def test_more_lines_than_stock_takes_are_refused(state: dict[str, Any]) -> None:
    codes = [f"C{number:02}" for number in range(LINES_MAX + 1)]
    state["items"] = {code: {**state["items"]["A01"], "code": code} for code in codes}
    wants = [Want(code, (), 1) for code in codes]
    assert lines_of(state, wants) == NoOrder("too_many_lines")
    lines = lines_of(state, wants[:-1])
    assert not isinstance(lines, NoOrder)
    assert len(lines) == LINES_MAX


def test_a_restricted_buyer_holds_no_more_than_staff_allow(state: dict[str, Any]) -> None:
    state["buyers"]["anna"] = {"restricted": True, "hold_max": 2}
    lines = lines_of(state, [Want("B01", (), 1)])
    assert not isinstance(lines, NoOrder)
    limits = [reserve_for(state, who, "a-comment-1", lines, "comment").limits.hold_max for who in ("anna", "ben")]
    assert limits == [2, 0]
