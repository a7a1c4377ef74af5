"""From what is wanted to the lines of one stock operation."""

from __future__ import annotations

from typing import Any

import pytest

from livecommerce.comments.verdict import Cancel, Reserve
from livecommerce.errors import BadInput, Busy, IdReused, StorageFull, Unavailable
from livecommerce.intake.orders import NoOrder, Want, choose, lines_of, refusal_of, reserve_operation, wants_of
from livecommerce.intake.speech import Speech
from livecommerce.stock.operations import LINES_MAX
from livecommerce.stock.outcomes import RETRYABLE, Answer, Outcome
from tests.intake.demo_show import ANNA, SHOP, SHOW, Stage, setup


@pytest.fixture
def state() -> dict[str, Any]:
    """As much of a show as an order looks at."""
    made = setup()
    return {
        "show": {
            "id": SHOW, "shop": SHOP, "hold_seconds": 600,
            "limits": {"per_item": 0, "per_show": 7, "per_comment": 5},
        },
        "items": {item.code: item.public() for item in made.items}, "buyers": {},
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


def test_only_reserve_intents_are_wants() -> None:
    intents = [Reserve("A01", (), 2), Cancel("A01", ()), Reserve("A02", ("M",), 1)]
    assert wants_of(intents) == [Want("A01", (), 2), Want("A02", ("M",), 1)]


def test_the_same_sku_twice_is_one_line(state: dict[str, Any]) -> None:
    wants = [Want("A01", (), 1), Want("A02", ("紅色", "M"), 1), Want("A01", (), 2)]
    lines = lines_of(state, wants, {}, None)
    assert not isinstance(lines, NoOrder)
    assert [(line.item, line.quantity, line.unit_price_minor) for line in lines] == [
        ("A01", 3, 590), ("A02/紅色/M", 1, 990),
    ]  # fmt: skip


def test_the_card_chooses_for_the_pinned_product_alone(state: dict[str, Any]) -> None:
    card = {"顏色": "黑色", "尺寸": "L"}
    lines = lines_of(state, [Want("A02", (), 1)], card, "A02")
    assert not isinstance(lines, NoOrder)
    assert lines[0].item == "A02/黑色/L"
    missing = lines_of(state, [Want("A02", ("M",), 2)], card, "A01")
    assert missing == NoOrder(
        "need_options", {"code": "A02", "axes": ["顏色"], "options": {"尺寸": "M"}, "quantity": 2}
    )


def test_one_line_that_cannot_be_is_no_order_at_all(state: dict[str, Any]) -> None:
    good = Want("A01", (), 1)
    assert lines_of(state, [good, Want("Z99", (), 1)], {}, None) == NoOrder("item_unknown")
    state["items"]["B01"]["closed"] = True
    assert lines_of(state, [good, Want("B01", (), 1)], {}, None) == NoOrder("sales_closed")


def test_more_lines_than_stock_takes_are_refused(state: dict[str, Any]) -> None:
    codes = [f"C{number:02}" for number in range(LINES_MAX + 1)]
    state["items"] = {code: {**state["items"]["A01"], "code": code} for code in codes}
    wants = [Want(code, (), 1) for code in codes]
    assert lines_of(state, wants, {}, None) == NoOrder("too_many_lines")
    lines = lines_of(state, wants[:-1], {}, None)
    assert not isinstance(lines, NoOrder)
    assert len(lines) == LINES_MAX


def test_an_operation_has_the_shows_rules_and_the_speakers_limits(state: dict[str, Any]) -> None:
    speech = Speech(show=SHOW, speaker=ANNA, id="a-comment-1", text="B01+1", source="bridge")
    state["buyers"]["anna"] = {"restricted": True, "hold_max": 2}
    lines = lines_of(state, [Want("B01", (), 1)], {}, None)
    assert not isinstance(lines, NoOrder)
    operation = reserve_operation(state, speech, lines, b"line")
    assert (operation.id, operation.shop, operation.show, operation.viewer) == ("a-comment-1", SHOP, SHOW, "anna")
    assert (operation.source, operation.chat, operation.hold_seconds) == ("bridge", b"line", 600)
    assert (operation.fill, operation.repeat, operation.waitlist) == ("any", "add", True)
    limits = operation.limits
    assert (limits.per_item, limits.per_show, limits.per_comment, limits.hold_max) == (0, 7, 5, 2)
    assert [line.limit_per_viewer for line in operation.lines] == [3], "of the product, over its options"
    assert reserve_operation(state, speech, lines, b"", repeat="set").repeat == "set"


def test_what_stock_did_not_store_is_an_error_and_all_else_an_answer() -> None:
    errors = {
        Outcome.STORAGE_FULL: StorageFull, Outcome.READ_ONLY: StorageFull, Outcome.BUSY: Busy,
        Outcome.RECONCILING: Busy, Outcome.UNAVAILABLE: Unavailable, Outcome.ID_REUSED: IdReused,
        Outcome.INPUT_BAD: BadInput, Outcome.QUANTITY_BAD: BadInput,
    }  # fmt: skip
    assert set(errors) > RETRYABLE
    for outcome in Outcome:
        found = refusal_of(Answer("x", outcome, (), 0, retry_after_ms=250))
        assert type(found) is errors.get(outcome, type(None)), outcome
        if outcome in RETRYABLE:
            assert found is not None
            assert found.retry_after_ms == 250


async def test_several_products_of_a_line_are_one_operation(stage: Stage) -> None:
    answer = await stage.say(ANNA, "A01+1 B01+2")
    assert [(line["item"], line["reserved"]) for line in answer["lines"]] == [("A01", 1), ("B01", 2)]
    assert {claim.id for claim in await stage.engine.claims(SHOP, show=SHOW, viewer="anna")} == {
        (await stage.log("chat"))[0]["id"]
    }
