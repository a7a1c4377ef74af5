"""Reserve intents → one stock operation, and stock's answer → what the page shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from livecommerce.comments.verdict import Reserve as ReserveIntent
from livecommerce.errors import BadInput, Busy, IdReused, LiveCommerceError, StorageFull, Unavailable
from livecommerce.realtime.viewer import Viewer
from livecommerce.shows.model import label_of, options_of
from livecommerce.shows.offers import limits_of, offer_line
from livecommerce.shows.state import PublicAxis, PublicItem, State
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.operations import LINES_MAX, Line, Reserve
from livecommerce.stock.outcomes import RETRYABLE, Answer, LineAnswer, Outcome


class Want(Struct, frozen=True):
    """`quantity` of a product with the options the text named (catalogue values, axis order, maybe not all)."""

    code: str
    options: tuple[str, ...]
    quantity: int


def wants_of(intents: Sequence[ReserveIntent]) -> list[Want]:
    return [Want(intent.code, tuple(intent.options), intent.qty) for intent in intents]


def choose(product: PublicItem, options: Sequence[str], chosen: dict[str, str]) -> tuple[str | None, list[str]]:
    """(sku, []) or (None, axes still open): each axis takes its value from the text, else from the card."""
    parts, missing = [product["code"]], []
    for axis in product["options"]:
        values = [value["value"] for value in axis["values"]]
        named = next((option for option in options if option in values), None)
        value = named if named is not None else chosen.get(axis["axis"])
        if value in values:
            parts.append(value)
        elif len(values) == 1:
            parts.append(values[0])
        else:
            missing.append(axis["axis"])
    return (None, missing) if missing else ("/".join(parts), [])


def named_values(axis: PublicAxis, options: Sequence[str]) -> list[str]:
    """Which of this axis's values the text named: none or one."""
    return [value["value"] for value in axis["values"] if value["value"] in options]


class OrderMaker:
    def __init__(self, engine: StockEngine) -> None:
        self._engine = engine

    def resolve(
        self, state: State, wants: list[Want], chosen: dict[str, str], pinned: str | None
    ) -> tuple[list[Line], dict[str, Any] | None]:
        """The lines of an order, or why it cannot be one: {"reason"[, "need"]}."""
        lines: dict[str, Line] = {}
        for want in wants:
            product = state["items"].get(want.code)
            if product is None:
                return [], {"reason": "item_unknown"}
            if product["closed"]:
                return [], {"reason": "sales_closed"}
            sku, missing = choose(product, want.options, chosen if want.code == pinned else {})
            if sku is None:
                given = {
                    axis["axis"]: value for axis in product["options"] for value in named_values(axis, want.options)
                }
                need = {"code": want.code, "axes": missing, "options": given, "quantity": want.quantity}
                return [], {"reason": "need_options", "need": need}
            quantity = want.quantity + (lines[sku].quantity if sku in lines else 0)
            lines[sku] = offer_line(state, product, sku, quantity)
        if len(lines) > LINES_MAX:
            return [], {"reason": "too_many_lines"}
        return list(lines.values()), None

    async def reserve(
        self, state: State, viewer: Viewer, claim_id: str, lines: list[Line], chat: bytes, source: str,
        repeat: str | None = None,
    ) -> Answer:  # fmt: skip
        """One stock operation for all lines."""
        settings = state["settings"]
        product = state["items"].get(lines[0].item.split("/")[0]) if len(lines) == 1 else None
        return await self._engine.submit(
            Reserve(
                id=claim_id, shop=state["show"]["shop"], show=state["show"]["id"], viewer=viewer.viewer,
                lines=tuple(lines), fill=settings["fill"], repeat=repeat or settings["repeat"],  # type: ignore[arg-type]
                waitlist=settings["waitlist"], limits=limits_of(state, state["buyers"].get(viewer.viewer, {}), product),
                hold_seconds=state["show"]["hold_seconds"], source=source, chat=chat,
            )
        )  # fmt: skip


def raise_refusal(answer: Answer) -> None:
    """Outcomes after which nothing was stored become errors, so that the page sends the same id again.

    Raises:
        Busy, StorageFull, Unavailable, IdReused, BadInput.
    """
    error: LiveCommerceError | None = None
    retry = answer.retry_after_ms or None
    if answer.outcome in (Outcome.STORAGE_FULL, Outcome.READ_ONLY):
        error = StorageFull(retry_after_ms=retry)
    elif answer.outcome in (Outcome.BUSY, Outcome.RECONCILING):
        error = Busy(retry_after_ms=retry)
    elif answer.outcome in RETRYABLE:
        error = Unavailable(retry_after_ms=retry)
    elif answer.outcome is Outcome.ID_REUSED:
        error = IdReused()
    elif answer.outcome in (Outcome.INPUT_BAD, Outcome.QUANTITY_BAD):
        error = BadInput(answer.reason or None)
    if error is not None:
        raise error


def answer_line(line: LineAnswer, items: dict[str, Any]) -> dict[str, Any]:
    code = line.item.split("/")[0]
    shape: dict[str, Any] = msgspec.to_builtins(line)
    return {**shape, "code": code, "label": label_of(line.item, items.get(code)), "options": options_of(line.item)}


def answer_lines(answer: Answer, items: dict[str, Any]) -> list[dict[str, Any]]:
    return [answer_line(line, items) for line in answer.lines]
