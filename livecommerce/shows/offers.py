"""What a viewer is offered and may hold at this moment: the terms that a claim is made under. Pure."""

from __future__ import annotations

from livecommerce.bounds import PIECES_MAX
from livecommerce.shows.model import label_of
from livecommerce.shows.state import BuyerRecord, PublicItem, State
from livecommerce.stock.operations import Limits, Line


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
