"""An offer to a viewer who waited in line: which one an order means, and taking it."""

from __future__ import annotations

from collections.abc import Sequence

from livecommerce.errors import Conflict
from livecommerce.intake.errors import NotYours
from livecommerce.intake.orders import done
from livecommerce.intake.speech import Acceptance, Act
from livecommerce.shows.errors import Banned, ReservationUnknown
from livecommerce.shows.model import options_of
from livecommerce.shows.offers import Want, choose
from livecommerce.shows.state import State, TicketRecord
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.operations import Extend
from livecommerce.stock.outcomes import Answer, Outcome
from livecommerce.stock.skus import product_of


def offer_meant(state: State, viewer: str, wants: Sequence[Want]) -> TicketRecord | None:
    """The offer that an order takes: of that item, for no more pieces than are offered. Else the order is a new one.

    Options that the order leaves open are the offer's: who waited for the red one need not name it again.
    """
    if len(wants) != 1:
        return None
    (want,) = wants
    product = state["items"].get(want.code)
    sku = choose(product, want.options, want.chosen)[0] if product else None
    offers = [
        ticket
        for ticket in state["tickets"].values()
        if ticket["state"] == "offered"
        and ticket["viewer"] == viewer
        and product_of(ticket["sku"]) == want.code
        and (ticket["sku"] == sku if sku else set(want.options) <= set(options_of(ticket["sku"])))
        and want.quantity <= ticket["quantity"] - ticket["waiting"]
    ]
    return min(offers, key=lambda ticket: ticket["deadline_ms"], default=None)


def take_operation(state: State, act: Act, reservation: str, chat: bytes = b"") -> Extend:
    """From now on it is held as long as any claim of the show. A claim that is held already is not given more time:
    stock decides, as a mirror is a moment behind."""
    return Extend(
        id=act.id, shop=state["show"]["shop"], show=act.show, reservation=reservation, viewer=act.speaker.viewer,
        seconds=state["show"]["hold_seconds"], source=act.source, chat=chat, only_offered=True,
    )  # fmt: skip


async def take(engine: StockEngine, state: State, acceptance: Acceptance) -> Answer:
    """A viewer takes an own offer.

    Raises:
        Banned, NotYours, ReservationUnknown, and what `orders.done` raises. Conflict: it stands no longer.
    """
    if state["buyers"].get(acceptance.speaker.viewer, {}).get("banned"):
        raise Banned()
    answer = await done(engine, take_operation(state, acceptance, acceptance.reservation))
    if answer.outcome is Outcome.NOT_YOURS:
        raise NotYours()
    if answer.outcome is Outcome.RESERVATION_UNKNOWN:
        raise ReservationUnknown()
    if answer.outcome is not Outcome.EXTENDED:
        raise Conflict("This offer is over.", outcome=str(answer.outcome))
    return answer
