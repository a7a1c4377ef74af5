"""What a page sends becomes a checked value, or is refused before anything else is done."""

from __future__ import annotations

from typing import Any

import pytest

from livecommerce.errors import BadInput
from livecommerce.intake.errors import CommentNotText, CommentTooLong
from livecommerce.intake.speech import Press, Speech, Withdrawal, press_of, speech_of, withdrawal_of
from tests.intake.demo_show import ANNA, SHOW

ID = "a-comment-1"


def test_a_speech_has_all_that_was_sent_and_nothing_else() -> None:
    raw = {"id": ID, "text": " +1 ", "pin": "p3", "options": {"尺寸": "M"}, "again": True}
    speech = speech_of(SHOW, ANNA, raw, 200)
    assert speech == Speech(
        show=SHOW, speaker=ANNA, id=ID, text="+1", pin="p3", options={"尺寸": "M"}, source="comment", again=True
    )
    with pytest.raises(AttributeError):
        speech.text = "+2"  # type: ignore[misc]


def test_what_was_not_sent_has_a_plain_meaning() -> None:
    assert speech_of(SHOW, ANNA, {"id": ID, "text": "+1"}, 200) == Speech(show=SHOW, speaker=ANNA, id=ID, text="+1")
    assert press_of(SHOW, ANNA, {"id": ID, "code": "A01"}) == Press(show=SHOW, speaker=ANNA, id=ID, code="A01")
    assert withdrawal_of(SHOW, ANNA, {"id": ID, "reservation": "A01#1"}) == Withdrawal(
        show=SHOW, speaker=ANNA, id=ID, reservation="A01#1"
    )


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"id": None}, BadInput),
        ({"id": "short"}, BadInput),
        ({"id": "x" * 65}, BadInput),
        ({"id": "with space"}, BadInput),
        ({"id": 12345678}, BadInput),
        ({"text": None}, CommentNotText),
        ({"text": "a" * 201}, CommentTooLong),
        ({"pin": 7}, BadInput),
        ({"pin": "p" * 21}, BadInput),
        ({"options": []}, BadInput),
        ({"options": {"a": 1}}, BadInput),
        ({"options": {1: "a"}}, BadInput),
        ({"options": {"a": "b" * 41}}, BadInput),
        ({"options": {str(number): "x" for number in range(5)}}, BadInput),
    ],
)
def test_speech_that_is_refused(changes: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        speech_of(SHOW, ANNA, {"id": ID, "text": "+1", **changes}, 200)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": ""},
        {"code": None},
        {"code": 1},
        {"quantity": 0},
        {"quantity": 100},
        {"quantity": -1},
        {"quantity": 1.0},
        {"quantity": True},
        {"quantity": "1"},
        {"quantity": None},
        {"options": "M"},
    ],
)
def test_presses_that_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        press_of(SHOW, ANNA, {"id": ID, "code": "A01", **changes})


@pytest.mark.parametrize("reservation", [None, 7, "", "A1", "x" * 112])
def test_tickets_that_are_none(reservation: object) -> None:
    with pytest.raises(BadInput):
        withdrawal_of(SHOW, ANNA, {"id": ID, "reservation": reservation})
