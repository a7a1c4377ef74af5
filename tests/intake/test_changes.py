"""Changing one's mind: which operations a change is, and what they do on a real Valkey."""

from __future__ import annotations

import pytest

from livecommerce.comments.verdict import Cancel, Intent, Reduce, Reserve, SetQuantity, Swap
from livecommerce.intake.changes import CANCELS_MAX, numbered, operations_of
from livecommerce.intake.speech import Speech
from livecommerce.stock import operations as stock
from livecommerce.stock.outcomes import Claim
from tests.intake.demo_show import ANNA, BEN, SHOP, SHOW, Stage

SPEECH = Speech(show=SHOW, speaker=ANNA, id="a-comment-1", text="", source="bridge")


def claim(item: str, number: int = 1, quantity: int = 1) -> Claim:
    return Claim(
        reservation=f"{item}#{number}", item=item, number=number, show=SHOW, viewer="anna", id="earlier", state="held",
        quantity=quantity, reserved=quantity, waiting=0, position=0, unit_price_minor=1, currency="TWD", text="",
        source="comment", deadline_ms=0, at_ms=0, extended=False,
    )  # fmt: skip


RED_M, RED_L, BLACK_L = "A02/紅色/M", "A02/紅色/L", "A02/黑色/L"


@pytest.mark.parametrize(
    ("intent", "items", "expected"),
    [
        (Cancel(None, ()), ["B01", "A01"], ["cancel B01#1"]),
        (Cancel(None, ("M",)), ["B01", RED_M], ["cancel A02/紅色/M#1"]),
        (Cancel(None, ()), [], []),
        (Cancel("A02", ()), [RED_M, "A01", BLACK_L], ["cancel A02/紅色/M#1", "cancel A02/黑色/L#1"]),
        (Cancel("A02", ("黑色",)), [RED_M, BLACK_L], ["cancel A02/黑色/L#1"]),
        (Reduce("A01", (), 2), ["A01"], ["reduce A01 2"]),
        (Reduce("A01", (), 2), ["B01"], []),
        (Reduce("A02", (), 1), [RED_M, BLACK_L], "which_one"),
        (Reduce("A02", ("L",), 1), [RED_M, BLACK_L], ["reduce A02/黑色/L 1"]),
        (SetQuantity("A01", (), 3), ["A01"], ["set A01 3"]),
        (SetQuantity("A02", (), 3), [RED_M, RED_L], "which_one"),
        (Swap("A02", (), "A02", ("黑色",)), [RED_M], ["swap A02/紅色/M#1 A02/黑色/M"]),
        (Swap("A02", (), "A01", ()), [RED_M], ["swap A02/紅色/M#1 A01"]),
        (Swap("A02", (), "A02", ("黑色",)), [RED_M, RED_L], "which_one"),
        (Swap("A01", (), "A02", ("黑色",)), ["A01"], "need_options"),
        (Swap("A01", (), "Z99", ()), ["A01"], "item_unknown"),
        (Swap("A01", (), "B01", ()), ["A01"], "sales_closed"),
        (Swap("A01", (), "A02", ("黑色", "L")), [], []),
        (Reserve("A01", (), 1), ["A01"], "not_a_change"),
    ],
)
async def test_which_operations_a_change_is(
    stage: Stage, intent: Intent, items: list[str], expected: list[str] | str
) -> None:
    await stage.command("close_item", code="B01")
    found = operations_of(stage.mirror.state, SPEECH, intent, [claim(item) for item in items])
    if isinstance(found, str):
        assert found == expected
        return
    for operation in found:
        assert (operation.viewer, operation.source, operation.shop, operation.show) == ("anna", "bridge", SHOP, SHOW)
    assert [told(operation) for operation in found] == expected


async def test_a_restricted_buyer_changes_within_what_staff_allow(stage: Stage) -> None:
    await stage.command("restrict", viewer="anna", hold_max=1)
    (swap,) = operations_of(stage.mirror.state, SPEECH, Swap("A02", (), "A02", ("黑色",)), [claim(RED_L, quantity=2)])
    (more,) = operations_of(stage.mirror.state, SPEECH, SetQuantity("A01", (), 3), [claim("A01")])
    assert isinstance(swap, stock.Swap)
    assert isinstance(more, stock.Reserve)
    assert (swap.limits.hold_max, more.limits.hold_max) == (1, 1)


def told(operation: stock.Operation) -> str:
    match operation:
        case stock.Cancel():
            return f"cancel {operation.reservation}"
        case stock.Reduce():
            return f"reduce {operation.item} {operation.quantity}"
        case stock.Reserve(repeat="set"):
            return f"set {operation.lines[0].item} {operation.lines[0].quantity}"
        case stock.Swap():
            return f"swap {operation.reservation} {operation.line.item}"
    raise AssertionError(operation)


async def test_a_comment_ends_no_more_claims_than_a_comment_makes(stage: Stage) -> None:
    claims = [claim("A01", number) for number in range(CANCELS_MAX + 5)]
    found = operations_of(stage.mirror.state, SPEECH, Cancel("A01", ()), claims)
    assert len(found) == CANCELS_MAX == stock.LINES_MAX


async def test_steps_have_ids_of_their_own_and_the_first_takes_the_line_along() -> None:
    operation = stock.Cancel(id="x" * 64, shop=SHOP, show=SHOW, reservation="A01#1")
    first, second, last = (numbered(operation, step, b"line") for step in (0, 1, 255))
    assert (first.id, first.chat) == ("x" * 64, b"line")
    assert (second.id, second.chat) == ("x" * stock.ID_LENGTH_KEPT + "-1", b"")
    assert len(last.id) == 64


async def test_a_day_of_changing_ones_mind(stage: Stage) -> None:
    story = [
        ("A01+2", "reserved", {"A01": 2}),
        ("A01-1", "reduced", {"A01": 1}),
        ("A01改3", None, {"A01": 3}),
        ("A02 紅 M+1", "reserved", {"A01": 3, RED_M: 1}),
        ("A02紅換黑", None, None),
        ("A01取消", "cancelled", None),
        ("B01-1", "reservation_unknown", None),
    ]
    for text, reason, expected in story:
        answer = await stage.say(ANNA, text)
        assert reason is None or answer["reason"] == reason, (text, answer)
        if expected is not None:
            assert await stage.held() == expected, text
    assert "A01" not in await stage.held()
    assert [line["text"] for line in await stage.log("chat")] == [text for text, _, _ in story], "each line once"


async def test_nobody_changes_what_another_holds(stage: Stage) -> None:
    await stage.say(ANNA, "A01+2")
    for text in ("A01取消", "A01-1", "A01改1"):
        assert (await stage.say(BEN, text))["reason"] == "reservation_unknown"
    assert await stage.held() == {"A01": 2}


async def test_two_claims_of_a_product_are_cancelled_in_steps(stage: Stage) -> None:
    await stage.say(ANNA, "A02 紅 M+1")
    await stage.say(ANNA, "A02 黑 L+1")
    answer = await stage.say(ANNA, "A02取消", id="a-comment-9")
    assert [line["outcome"] for line in answer["lines"]] == ["cancelled", "cancelled"]
    assert await stage.held() == {}
    assert await stage.say(ANNA, "A02取消", id="a-comment-9", again=True) == answer


async def test_of_a_closed_product_nobody_gets_more_by_a_change(stage: Stage) -> None:
    assert (await stage.say(ANNA, "A01+2"))["reason"] == "reserved"
    await stage.command("close_item", code="A01")
    await stage.catch_up()
    for text, reason, held in (
        ("A01改4", "sales_closed", 2),
        ("A01改成5", "sales_closed", 2),
        ("A01改1", "reduced", 1),
    ):
        assert ((await stage.say(ANNA, text))["reason"], await stage.held()) == (reason, {"A01": held}), text
