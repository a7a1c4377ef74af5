"""From what is wanted to the lines of one stock operation."""

from __future__ import annotations

from typing import Any

import pytest

from livecommerce.comments.verdict import Cancel, Reserve
from livecommerce.errors import BadInput, Busy, IdReused, OutcomeUnknown, StorageFull
from livecommerce.intake.orders import no_order_answer, refusal_of, reserve_operation, wants_of
from livecommerce.intake.speech import Speech
from livecommerce.shows.offers import Need, NoOrder, Want, lines_of
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


def test_only_reserve_intents_are_wants() -> None:
    intents = [Reserve("A01", (), 2), Cancel("A01", ()), Reserve("A02", ("M",), 1)]
    assert wants_of(intents, {}, None) == [Want("A01", (), 2), Want("A02", ("M",), 1)]


def test_the_card_chooses_for_the_pinned_product_alone() -> None:
    card = {"顏色": "黑色", "尺寸": "L"}
    intents = [Reserve("A01", (), 2), Reserve("A02", ("M",), 1)]
    assert wants_of(intents, card, "A02") == [Want("A01", (), 2), Want("A02", ("M",), 1, card)]


def test_what_is_no_order_is_answered_with_what_it_lacks() -> None:
    need = Need(code="A02", axes=["顏色"], options={"尺寸": "M"}, quantity=2)
    assert no_order_answer(NoOrder("need_options", "A02", need))["need"] == need
    assert no_order_answer(NoOrder("sales_closed", "A02")) == {
        "verdict": "order",
        "reason": "sales_closed",
        "lines": [],
    }


def test_an_operation_has_the_shows_rules_and_the_speakers_limits(state: dict[str, Any]) -> None:
    speech = Speech(show=SHOW, speaker=ANNA, id="a-comment-1", text="B01+1", source="bridge")
    state["buyers"]["anna"] = {"restricted": True, "hold_max": 2}
    lines = lines_of(state, [Want("B01", (), 1)])
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
        Outcome.RECONCILING: Busy, Outcome.UNAVAILABLE: OutcomeUnknown, Outcome.ID_REUSED: IdReused,
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
