"""What an order wants → the lines of one stock operation, and stock's answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

from livecommerce.comments.verdict import Intent
from livecommerce.comments.verdict import Reserve as ReserveIntent
from livecommerce.errors import BadInput, Busy, IdReused, LiveCommerceError, StorageFull, Unavailable
from livecommerce.intake.answers import Need, SpeechAnswer
from livecommerce.intake.speech import Act
from livecommerce.shows.offers import limits_of, offer_line
from livecommerce.shows.state import PublicItem, State
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.operations import LINES_MAX, Line, Operation, Reserve
from livecommerce.stock.outcomes import RETRYABLE, Answer, Outcome
from livecommerce.stock.skus import sku_of_parts


class Want(Struct, frozen=True):
    """`quantity` of a product with the options the text named (catalogue values, axis order, maybe not all)."""

    code: str
    options: tuple[str, ...]
    quantity: int


class NoOrder(Struct, frozen=True):
    """Why wants are not an order: `item_unknown`, `sales_closed`, `too_many_lines`, or `need_options` and which."""

    reason: str
    need: Need | None = None

    def answer(self) -> SpeechAnswer:
        answer = SpeechAnswer(verdict="order", reason=self.reason, lines=[])
        if self.need is not None:
            answer["need"] = self.need
        return answer


def wants_of(intents: Sequence[Intent]) -> list[Want]:
    return [Want(intent.code, intent.options, intent.qty) for intent in intents if isinstance(intent, ReserveIntent)]


def choose(product: PublicItem, options: Sequence[str], chosen: Mapping[str, str]) -> tuple[str | None, list[str]]:
    """(sku, []) or (None, axes still open): each axis takes its value from the text, else from the card."""
    chosen_values: list[str] = []
    missing: list[str] = []
    for axis in product["options"]:
        values = [value["value"] for value in axis["values"]]
        named = next((option for option in options if option in values), None)
        value = named if named is not None else chosen.get(axis["axis"])
        if value is not None and value in values:
            chosen_values.append(value)
        elif len(values) == 1:
            chosen_values.append(values[0])
        else:
            missing.append(axis["axis"])
    return (None, missing) if missing else (sku_of_parts(product["code"], chosen_values), [])


def need_of(product: PublicItem, want: Want, missing: list[str]) -> Need:
    given = {
        axis["axis"]: value["value"]
        for axis in product["options"]
        for value in axis["values"]
        if value["value"] in want.options
    }
    return Need(code=want.code, axes=missing, options=given, quantity=want.quantity)


def lines_of(
    state: State, wants: Sequence[Want], chosen: Mapping[str, str], pinned: str | None
) -> tuple[Line, ...] | NoOrder:
    """The lines of an order, one a sku. What was chosen on the card counts for the pinned product alone."""
    lines: dict[str, Line] = {}
    for want in wants:
        product = state["items"].get(want.code)
        if product is None:
            return NoOrder("item_unknown")
        if product["closed"]:
            return NoOrder("sales_closed")
        sku, missing = choose(product, want.options, chosen if want.code == pinned else {})
        if sku is None:
            return NoOrder("need_options", need_of(product, want, missing))
        quantity = want.quantity + (lines[sku].quantity if sku in lines else 0)
        lines[sku] = offer_line(state, product, sku, quantity)
    return NoOrder("too_many_lines") if len(lines) > LINES_MAX else tuple(lines.values())


def reserve_operation(
    state: State, act: Act, lines: Sequence[Line], chat: bytes, repeat: Literal["set"] | None = None
) -> Reserve:
    """One operation for all lines, which takes the line of chat along; `repeat` None: as the show has it."""
    show, settings = state["show"], state["settings"]
    viewer = act.speaker.viewer
    return Reserve(
        id=act.id, shop=show["shop"], show=act.show, viewer=viewer, lines=tuple(lines), fill=settings["fill"],
        repeat=repeat or settings["repeat"], waitlist=settings["waitlist"],
        limits=limits_of(state, state["buyers"].get(viewer, {})), hold_seconds=show["hold_seconds"],
        source=act.source, chat=chat,
    )  # fmt: skip


async def done(engine: StockEngine, operation: Operation) -> Answer:
    """Stock's answer to an operation.

    Raises:
        Busy, StorageFull, Unavailable, IdReused, BadInput: nothing was stored, so the same id may be sent again.
    """
    answer = await engine.submit(operation)
    error = refusal_of(answer)
    if error is not None:
        raise error
    return answer


def refusal_of(answer: Answer) -> LiveCommerceError | None:
    """The error for outcomes after which nothing was stored, None for all others."""
    retry = answer.retry_after_ms or None
    if answer.outcome in (Outcome.STORAGE_FULL, Outcome.READ_ONLY):
        return StorageFull(retry_after_ms=retry)
    if answer.outcome in (Outcome.BUSY, Outcome.RECONCILING):
        return Busy(retry_after_ms=retry)
    if answer.outcome in RETRYABLE:
        return Unavailable(retry_after_ms=retry)
    if answer.outcome is Outcome.ID_REUSED:
        return IdReused()
    if answer.outcome in (Outcome.INPUT_BAD, Outcome.QUANTITY_BAD):
        return BadInput(answer.reason or None)
    return None
