"""What a comment orders → one stock operation that takes its line along, and stock's answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec.structs import replace

from livecommerce.comments.verdict import Intent
from livecommerce.comments.verdict import Reserve as ReserveIntent
from livecommerce.errors import BadInput, Busy, IdReused, LiveCommerceError, OutcomeUnknown, StorageFull
from livecommerce.intake.answers import SpeechAnswer
from livecommerce.intake.speech import Act
from livecommerce.shows.offers import NoOrder, Want, reserve_for
from livecommerce.shows.state import State
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.operations import Line, Operation, Reserve
from livecommerce.stock.outcomes import RETRYABLE, Answer, Outcome


def no_order_answer(refused: NoOrder) -> SpeechAnswer:
    answer = SpeechAnswer(verdict="order", reason=refused.reason, lines=[])
    if refused.need is not None:
        answer["need"] = refused.need
    return answer


def wants_of(intents: Sequence[Intent], chosen: Mapping[str, str], pinned: str | None) -> list[Want]:
    """What was chosen on the card counts for the pinned product alone."""
    return [
        Want(intent.code, intent.options, intent.qty, chosen if intent.code == pinned else {})
        for intent in intents
        if isinstance(intent, ReserveIntent)
    ]


def reserve_operation(
    state: State, act: Act, lines: Sequence[Line], chat: bytes, repeat: Literal["set"] | None = None
) -> Reserve:
    """One operation for all lines, which takes the line of chat along; `repeat` None: as the show has it."""
    operation = reserve_for(state, act.speaker.viewer, act.id, lines, act.source)
    return replace(operation, chat=chat, repeat=repeat or operation.repeat)


async def done(engine: StockEngine, operation: Operation) -> Answer:
    """Stock's answer to an operation.

    Raises:
        Busy, StorageFull, IdReused, BadInput: nothing was stored, so the same id may be sent again.
        OutcomeUnknown: it may be stored; the same id tells.
    """
    answer = await engine.submit(operation)
    error = refusal_of(answer)
    if error is not None:
        raise error
    return answer


def refusal_of(answer: Answer) -> LiveCommerceError | None:
    """The error for outcomes after which nothing was stored, or nobody knows; None for all others."""
    retry = answer.retry_after_ms or None
    if answer.outcome in (Outcome.STORAGE_FULL, Outcome.READ_ONLY):
        return StorageFull(retry_after_ms=retry)
    if answer.outcome in (Outcome.BUSY, Outcome.RECONCILING):
        return Busy(retry_after_ms=retry)
    if answer.outcome in RETRYABLE:
        return OutcomeUnknown(retry_after_ms=retry)
    if answer.outcome is Outcome.ID_REUSED:
        return IdReused()
    if answer.outcome in (Outcome.INPUT_BAD, Outcome.QUANTITY_BAD):
        return BadInput(answer.reason or None)
    return None
