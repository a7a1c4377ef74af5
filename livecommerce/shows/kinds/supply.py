"""Pieces that staff add or take away. Stock writes the event (`claims`) in the same step as the change."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from msgspec import Meta

from livecommerce.shows.commands import Actor, Command, Sku
from livecommerce.shows.decision import Answered, Decision, ThroughStock
from livecommerce.shows.errors import ItemUnknown
from livecommerce.shows.kind import Kind
from livecommerce.shows.state import State
from livecommerce.stock.operations import Adjust as AdjustStock
from livecommerce.stock.operations import Operation
from livecommerce.stock.operations import Restock as RestockStock
from livecommerce.stock.outcomes import Outcome
from livecommerce.stock.skus import product_of

Pieces = Annotated[int, Meta(ge=1, le=1_000_000)]
DONE = frozenset((Outcome.RESTOCKED, Outcome.ADJUSTED, Outcome.UNCHANGED))


class Restock(Command, frozen=True, kw_only=True, tag="restock"):
    sku: Sku
    quantity: Pieces
    host_only: ClassVar[bool] = True


class Adjust(Command, frozen=True, kw_only=True, tag="adjust"):
    sku: Sku
    quantity: Annotated[int, Meta(ge=-1_000_000, le=1_000_000)]
    reason: Annotated[str, Meta(max_length=200)] = ""
    host_only: ClassVar[bool] = True


def _through_stock(state: State, operation: Operation, sku: str, inverse: dict[str, Any]) -> ThroughStock:
    product = state["items"].get(product_of(sku))
    if product is None or sku not in product["skus"]:
        raise ItemUnknown(f"This show has no {sku}.")

    def conclude(answered: Answered) -> Decision:
        answer = answered.answer
        available = answer.lines[0].available if answer.lines else None
        return Decision([], [], {"outcome": str(answer.outcome), "sku": sku, "available": available}, inverse)

    return ThroughStock((operation,), DONE, conclude)


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


KIND = Kind("supply", commands={Restock: restock, Adjust: adjust})
