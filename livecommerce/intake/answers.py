"""What a speaker is answered, as it goes over the wire and as it is kept for the same id sent again. Pure."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict, cast

import msgspec

from livecommerce.errors import IdReused
from livecommerce.shows.model import label_of, options_of
from livecommerce.shows.offers import Need
from livecommerce.shows.packing import pack, unpack
from livecommerce.shows.state import State
from livecommerce.stock.outcomes import Answer, LineAnswer
from livecommerce.stock.skus import product_of


class AnswerLine(TypedDict):
    """One line of stock's answer (`stock.outcomes.LineAnswer`), and what a person reads of its sku."""

    item: str
    outcome: str
    reservation: str | None
    reserved: int
    waiting: int
    number: int
    position: int
    deadline_ms: int
    available: int
    limit: NotRequired[int]  # of `over_limit`: what is allowed, and what of it the viewer has
    had: NotRequired[int]
    code: str
    label: str
    options: list[str]


class SpeechAnswer(TypedDict):
    """`reason` is an outcome of stock, a reason of the parser, or one of docs/intake.md, "The path of a comment"."""

    verdict: str
    reason: str
    lines: list[AnswerLine]
    need: NotRequired[Need]


class WithdrawalAnswer(TypedDict):
    reason: str
    lines: list[AnswerLine]


def answer_line(line: LineAnswer, state: State) -> AnswerLine:
    code = product_of(line.item)
    shape: dict[str, Any] = msgspec.to_builtins(line)
    named = {"code": code, "label": label_of(line.item, state["items"].get(code)), "options": options_of(line.item)}
    return cast("AnswerLine", {**shape, **named})


def answer_lines(answer: Answer, state: State) -> list[AnswerLine]:
    return [answer_line(line, state) for line in answer.lines]


def kept_answer(answer: SpeechAnswer, viewer: str, content: str) -> bytes:
    """The answer as stored with a comment's id, whose comment it is, and of what (`speech.content_of`). Most have no
    lines: those are left out."""
    shape = {key: value for key, value in answer.items() if key != "lines" or value}
    return pack({**shape, "viewer": viewer, "content": content})


def shown_answer(kept: bytes, content: str) -> SpeechAnswer:
    """A stored answer as the speaker gets it who sends the same again. Older records do not know their content.

    Raises:
        IdReused: the id belongs to a comment of other content.
    """
    answer = {"lines": [], **unpack(kept)}
    del answer["viewer"]
    if answer.pop("content", content) != content:
        raise IdReused()
    return cast("SpeechAnswer", answer)


def answered_viewer(kept: bytes) -> str:
    """Whose comment a stored answer belongs to."""
    return str(unpack(kept).get("viewer"))
