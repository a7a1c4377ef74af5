"""What is wanted → what a viewer is offered and may hold at this moment: the terms that a claim is made under. Pure.

Whoever orders for a viewer comes through here: the path of a comment, the button, the moderator who accepts a line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from msgspec import Struct

from livecommerce.bounds import PIECES_MAX
from livecommerce.shows.model import label_of
from livecommerce.shows.state import BuyerRecord, PublicItem, State
from livecommerce.stock.operations import LINES_MAX, Limits, Line, Reserve
from livecommerce.stock.skus import sku_of_parts


class Want(Struct, frozen=True):
    """`quantity` of a product.

    Attributes:
        options: catalogue values that were named, in any order, maybe not all.
        chosen: axis to value, as chosen on a card; what was named comes first.
    """

    code: str
    options: tuple[str, ...]
    quantity: int
    chosen: Mapping[str, str] = {}


class Need(TypedDict):
    """What an order still lacks: the axes open, the options that the text did name, by axis."""

    code: str
    axes: list[str]
    options: dict[str, str]
    quantity: int


class NoOrder(Struct, frozen=True):
    """Why wants are not an order: `item_unknown`, `sales_closed`, `too_many_lines`, or `need_options` and which.

    `code` is the product that it is about, "" where it is about all.
    """

    reason: str
    code: str = ""
    need: Need | None = None


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


def lines_of(state: State, wants: Sequence[Want]) -> tuple[Line, ...] | NoOrder:
    """The lines of an order, one a sku."""
    lines: dict[str, Line] = {}
    for want in wants:
        product = state["items"].get(want.code)
        if product is None:
            return NoOrder("item_unknown", want.code)
        if product["closed"]:
            return NoOrder("sales_closed", want.code)
        sku, missing = choose(product, want.options, want.chosen)
        if sku is None:
            return NoOrder("need_options", want.code, need_of(product, want, missing))
        quantity = want.quantity + (lines[sku].quantity if sku in lines else 0)
        lines[sku] = offer_line(state, product, sku, quantity)
    return NoOrder("too_many_lines") if len(lines) > LINES_MAX else tuple(lines.values())


def offer_line(state: State, product: PublicItem, sku: str, quantity: int) -> Line:
    """What the viewer is offered: the price of this moment, kept with the claim."""
    return Line(
        item=sku, quantity=quantity, unit_price_minor=product["price_minor"], currency=product["currency"],
        text=label_of(sku, product)[:200], limit_per_viewer=product["limit_per_viewer"],
    )  # fmt: skip


def limits_of(state: State, buyer: BuyerRecord) -> Limits:
    """The show's limits, and what a restricted buyer may hold. The limit of a product goes with the line."""
    limits = state["show"]["limits"]
    return Limits(
        # A show of an earlier version may have kept one that stock takes for no number.
        per_item=min(limits["per_item"], PIECES_MAX),
        per_show=min(limits["per_show"], PIECES_MAX),
        per_comment=min(limits["per_comment"], PIECES_MAX),
        hold_max=buyer.get("hold_max", 0) if buyer.get("restricted") else 0,
    )


def reserve_for(state: State, viewer: str, identity: str, lines: Sequence[Line], source: str) -> Reserve:
    """One operation for all lines, under the rules of the show and the limits of the viewer; `identity` is its id."""
    show, settings = state["show"], state["settings"]
    return Reserve(
        id=identity, shop=show["shop"], show=show["id"], viewer=viewer, lines=tuple(lines), fill=settings["fill"],
        repeat=settings["repeat"], waitlist=settings["waitlist"],
        limits=limits_of(state, state["buyers"].get(viewer, {})), hold_seconds=show["hold_seconds"], source=source,
    )  # fmt: skip
