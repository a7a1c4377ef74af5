"""The products of a show: added and removed, their price, and whether they are sold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from livecommerce.bounds import Minor
from livecommerce.errors import Conflict, TooMuch
from livecommerce.shows.commands import Actor, Command
from livecommerce.shows.decision import Answered, Decision, Sent, ThroughStock, Write, keep
from livecommerce.shows.errors import PricesStand
from livecommerce.shows.kind import Effects, Kind, Parts, Stored
from livecommerce.shows.kinds.pin import pin_change
from livecommerce.shows.kinds.supply import may_take_pieces
from livecommerce.shows.model import ITEMS_MAX, Code, OutsideId, checked_item, known_product
from livecommerce.shows.packing import unpack
from livecommerce.shows.projection import Projector, Wire
from livecommerce.shows.state import Draft, Event, PublicItem, State, current_pin, part, stock_of
from livecommerce.shows.supply import SUPPLY_DONE, counters_shape, named_pieces


class Price(Command, frozen=True, kw_only=True, omit_defaults=True, tag="price"):
    """`takes_back`: the cut whose claims get their price back; for the undo of one."""

    code: Code
    price_minor: Minor
    takes_back: OutsideId | None = None
    host_only: ClassVar[bool] = True
    prices: ClassVar[bool] = True
    unaudited: ClassVar[frozenset[str]] = frozenset(("takes_back",))

    def cut_taken_back(self) -> str | None:
        return self.takes_back


class CloseItem(Command, frozen=True, kw_only=True, tag="close_item"):
    code: Code


class OpenItem(Command, frozen=True, kw_only=True, tag="open_item"):
    code: Code


class AddItem(Command, frozen=True, kw_only=True, tag="add_item"):
    item: dict[str, Any]
    host_only: ClassVar[bool] = True
    prices: ClassVar[bool] = True
    unaudited: ClassVar[frozenset[str]] = frozenset(("item",))


class RemoveItem(Command, frozen=True, kw_only=True, tag="remove_item"):
    code: Code
    host_only: ClassVar[bool] = True


REMOVED_MAX = ITEMS_MAX  # prices that are remembered of products taken out: no show has had more


def _with_removed(removed: Mapping[str, Any], product: PublicItem) -> dict[str, Any]:
    """Prices of products that were taken out, by code, newest last: one that comes back costs what it cost here."""
    prices = {key: product[key] for key in ("price_minor", "compare_at_minor")}
    known = {code: one for code, one in removed.items() if code != product["code"]}
    return dict([*known.items(), (product["code"], prices)][-REMOVED_MAX:])


def _put(product: PublicItem, now_ms: int) -> tuple[Event, Write]:
    event = {"t": "item", "item": product, "at": now_ms}
    return event, keep(f"item:{product['code']}", product)


def _changed(state: State, code: str, field: str, value: Any, inverse: Sent, now_ms: int) -> Decision:
    product = cast("PublicItem", {**known_product(state["items"], code), field: value})
    event, write = _put(product, now_ms)
    return Decision([event], [write], {"code": code, field: value}, inverse)


def price(state: State, command: Price, actor: Actor, now_ms: int) -> Decision:
    """A cut strikes the price before out, unless a higher one is struck out already; a rise takes away what is not
    higher any more. Claims get the lower price: see `Executor`. After the end it stands: what people owe is told.

    Raises:
        PricesStand.
    """
    if state["show"]["stage"] == "ended" and not command.takes_back:
        raise PricesStand
    product = known_product(state["items"], command.code)
    before, after = product["price_minor"], command.price_minor
    struck = max(product["compare_at_minor"] or 0, before)
    changed: PublicItem = {
        **product,
        "price_minor": after,
        "compare_at_minor": struck if struck > after else None,
    }
    event, write = _put(changed, now_ms)
    inverse = {"do": "price", "code": command.code, "price_minor": before, "takes_back": command.id}
    return Decision([event], [write], {"code": command.code, "price_minor": after}, inverse)


def close_item(state: State, command: CloseItem, actor: Actor, now_ms: int) -> Decision:
    return _changed(state, command.code, "closed", True, {"do": "open_item", "code": command.code}, now_ms)


def open_item(state: State, command: OpenItem, actor: Actor, now_ms: int) -> Decision:
    return _changed(state, command.code, "closed", False, {"do": "close_item", "code": command.code}, now_ms)


def add_item(state: State, command: AddItem, actor: Actor, now_ms: int) -> ThroughStock:
    """Its pieces come first; the event then carries the counters, for pages that have never heard of its skus.

    Pieces that it names are set; what it does not name stays as the shop has it.
    """
    item = checked_item(command.item, state["show"]["currency"])
    if item.supply:
        may_take_pieces(state)
    if item.code not in state["items"] and len(state["items"]) >= ITEMS_MAX:
        raise TooMuch(f"A show has at most {ITEMS_MAX} products.")
    if item.currency != state["show"]["currency"]:
        raise Conflict(f"This show sells in {state['show']['currency']}, the product is priced in {item.currency}.")
    known = state["items"].get(item.code)
    skus = tuple(item.skus())
    if known is not None and known["skus"] != list(skus):
        raise Conflict(f"Product {item.code} is in this show with other options. Remove it first.")
    event, write = _put(item.public(), now_ms)
    order = state["order"] if known else [*state["order"], item.code]
    inverse = None if known else {"do": "remove_item", "code": item.code}

    def conclude(answered: Answered) -> Decision:
        event["stock"] = counters_shape(answered.counters)
        removed = {code: one for code, one in part(state, "removed").items() if code != item.code}
        writes = [write, keep("order", order), keep("removed", removed)]
        return Decision([event], writes, {"code": item.code}, inverse)

    show = state["show"]
    pieces = [named_pieces(show["shop"], show["id"], sku, item.supply.get(sku), f"item {command.id}") for sku in skus]
    return ThroughStock(tuple(pieces), SUPPLY_DONE, conclude, skus)


def remove_item(state: State, command: RemoveItem, actor: Actor, now_ms: int) -> Decision:
    product = known_product(state["items"], command.code)
    order = [code for code in state["order"] if code != command.code]
    events: list[Event] = [{"t": "item_gone", "code": command.code, "at": now_ms}]
    writes = [Write("state", "hdel", f"item:{command.code}"), keep("order", order)]
    writes.append(keep("removed", _with_removed(part(state, "removed"), product)))
    pinned = current_pin(state)
    if pinned is not None and pinned["code"] == command.code:
        unpin = pin_change(state, None, now_ms)
        events, writes = unpin.events + events, unpin.writes + writes
    back = {key: value for key, value in product.items() if key not in ("name", "skus")}
    return Decision(events, writes, {"code": command.code}, {"do": "add_item", "item": back})


def apply(draft: Draft, event: Event) -> None:
    code = event["item"]["code"]
    for sku, counters in event.get("stock", {}).items():
        if sku not in draft.state["stock"]:  # what changed since these were read has come by itself, before or after
            draft.own("stock")[sku] = list(counters)
    if code not in draft.state["items"]:
        draft.own("order").append(code)
    draft.own("items")[code] = event["item"]
    if code in part(draft.state, "removed"):
        del draft.own("removed")[code]


def apply_gone(draft: Draft, event: Event) -> None:
    if event["code"] in draft.state["items"]:
        product = draft.state["items"][event["code"]]
        draft.put("removed", _with_removed(part(draft.state, "removed"), product))
        del draft.own("items")[event["code"]]
        draft.own("order").remove(event["code"])


def project(projector: Projector, event: Event, after: State, wire: Wire) -> None:
    wire.everyone({"t": "item", "item": event["item"]})


def project_gone(projector: Projector, event: Event, after: State, wire: Wire) -> None:
    wire.everyone({"t": "item_gone", "code": event["code"]})


def load(stored: Stored) -> Parts:
    order = unpack(stored.fields["order"])
    return {"order": order, "items": {code: unpack(stored.fields[f"item:{code}"]) for code in order}}


def shown(state: State, projector: Projector, staff: bool) -> Parts:
    parts: Parts = {"items": [state["items"][code] for code in state["order"]], "stock": stock_of(state)}
    return {**parts, "removed": part(state, "removed")} if staff else parts


KIND = Kind(
    "item",
    events={"item": Effects(apply, project), "item_gone": Effects(apply_gone, project_gone)},
    commands={
        Price: price, CloseItem: close_item, OpenItem: open_item, AddItem: add_item, RemoveItem: remove_item,
    },
    first={"order": [], "removed": {}},
    load=load,
    shown=shown,
)  # fmt: skip
