"""Pieces that staff add or take away. Stock writes the event (`claims`) in the same step as the change."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from livecommerce.bounds import Count, Pieces, PiecesAdded, PiecesChanged
from livecommerce.errors import LiveCommerceError
from livecommerce.shows.commands import Actor, Command, Sku, inverse_id
from livecommerce.shows.decision import Answered, Decision, Sent, ThroughStock, not_sold
from livecommerce.shows.errors import AdjustTooLow, ItemUnknown, ShowEnded, StockChanged
from livecommerce.shows.kind import Kind
from livecommerce.shows.state import State
from livecommerce.shows.supply import SUPPLY_DONE
from livecommerce.stock.operations import Adjust as AdjustStock
from livecommerce.stock.operations import Operation, SetAvailable
from livecommerce.stock.operations import Restock as RestockStock
from livecommerce.stock.outcomes import Answer, Outcome
from livecommerce.stock.skus import product_of


class Restock(Command, frozen=True, kw_only=True, tag="restock"):
    sku: Sku
    quantity: PiecesAdded
    host_only: ClassVar[bool] = True


class Adjust(Command, frozen=True, kw_only=True, tag="adjust"):
    sku: Sku
    quantity: PiecesChanged
    reason: Annotated[str, Meta(max_length=200)] = ""
    host_only: ClassVar[bool] = True

    def as_far_as(self, refused: LiveCommerceError) -> tuple[Command, int] | None:
        left = refused.details.get("left", 0) if isinstance(refused, AdjustTooLow) else 0
        if not 0 < left < -self.quantity:
            return None
        part = msgspec.structs.replace(self, id=inverse_id(self.id), quantity=-left)
        return part, -self.quantity - left


class SetStock(Command, frozen=True, kw_only=True, tag="set_stock"):
    """The pieces left, counted. `expected`: what the one who counts saw before; another figure refuses it."""

    sku: Sku
    available: Pieces
    expected: Count | None = None
    host_only: ClassVar[bool] = True


def may_take_pieces(state: State) -> None:
    """
    Raises:
        ShowEnded.
    """
    if state["show"]["stage"] == "ended":
        raise ShowEnded()


def refuse(answer: Answer) -> Decision:
    """Of an answer that is none of `SUPPLY_DONE`: why stock did not do it, with what is left.

    Raises:
        StockChanged, AdjustTooLow, NotSold.
    """
    left = answer.lines[0].available if answer.lines else 0
    sku = answer.lines[0].item if answer.lines else ""
    if answer.outcome is Outcome.STOCK_CHANGED:
        raise StockChanged(f"{left} of {sku} are left now. Look again, then set the figure.", sku=sku, left=left)
    if answer.outcome is Outcome.ADJUST_TOO_LOW:
        raise AdjustTooLow(f"Only {left} of {sku} are left. Held and sold pieces stay.", sku=sku, left=left)
    raise not_sold(answer)


def _through_stock(state: State, operation: Operation, sku: str, inverse: Sent | None) -> ThroughStock:
    may_take_pieces(state)
    product = state["items"].get(product_of(sku))
    if product is None or sku not in product["skus"]:
        raise ItemUnknown(f"This show has no {sku}.")

    def conclude(answered: Answered) -> Decision:
        answer = answered.answer
        available = answer.lines[0].available if answer.lines else None
        return Decision([], [], {"outcome": str(answer.outcome), "sku": sku, "available": available}, inverse)

    return ThroughStock((operation,), SUPPLY_DONE, conclude, refused=refuse)


def restock(state: State, command: Restock, actor: Actor, now_ms: int) -> ThroughStock:
    shop, show = state["show"]["shop"], state["show"]["id"]
    operation = RestockStock(id=command.id, shop=shop, show=show, item=command.sku, quantity=command.quantity)
    inverse = {"do": "adjust", "sku": command.sku, "quantity": -command.quantity, "reason": "undo restock"}
    return _through_stock(state, operation, command.sku, inverse)


def adjust(state: State, command: Adjust, actor: Actor, now_ms: int) -> ThroughStock:
    operation = AdjustStock(
        id=command.id, shop=state["show"]["shop"], show=state["show"]["id"], item=command.sku,
        quantity=command.quantity, reason=command.reason or "staff",
    )  # fmt: skip
    inverse = {"do": "adjust", "sku": command.sku, "quantity": -command.quantity, "reason": "undo adjust"}
    return _through_stock(state, operation, command.sku, inverse)


def set_stock(state: State, command: SetStock, actor: Actor, now_ms: int) -> ThroughStock:
    operation = SetAvailable(
        id=command.id, shop=state["show"]["shop"], show=state["show"]["id"], item=command.sku,
        available=command.available, expected=command.expected,
    )  # fmt: skip
    inverse = None
    if command.expected is not None:  # without it nobody knows what the figure was
        back = command.expected - command.available
        inverse = {"do": "adjust", "sku": command.sku, "quantity": back, "reason": "undo set_stock"}
    return _through_stock(state, operation, command.sku, inverse)


KIND = Kind("supply", commands={Restock: restock, Adjust: adjust, SetStock: set_stock})
