"""What a viewer is offered and may hold at this moment: the terms that a claim is made under. Pure."""

from __future__ import annotations

from livecommerce.shows.model import label_of
from livecommerce.shows.state import BuyerRecord, PublicItem, State
from livecommerce.stock.operations import Limits, Line


def offer_line(state: State, product: PublicItem, sku: str, quantity: int) -> Line:
    """What the viewer is offered: the price of this moment, kept with the claim."""
    return Line(
        item=sku, quantity=quantity, unit_price_minor=product["price_minor"], currency=product["currency"],
        text=label_of(sku, product)[:200],
    )  # fmt: skip


def limits_of(state: State, buyer: BuyerRecord, product: PublicItem | None = None) -> Limits:
    """The show's limits, tightened by the product's and by what a restricted buyer may hold."""
    limits = state["show"]["limits"]
    per_item = [limit for limit in (limits["per_item"], product["limit_per_viewer"] if product else 0) if limit]
    return Limits(
        per_item=min(per_item, default=0),
        per_show=limits["per_show"],
        per_comment=limits["per_comment"],
        hold_max=buyer.get("hold_max", 0) if buyer.get("restricted") else 0,
    )
