"""What became of claims: stock writes the events, tickets and marks beside chat lines are made of them.

Staff may give a claim up or give it more time; that goes to stock, which writes the event with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta

from livecommerce.bounds import HoldSeconds
from livecommerce.shows.commands import Actor, Command
from livecommerce.shows.decision import Answered, Decision, ThroughStock
from livecommerce.shows.kind import Effects, Kind, Parts
from livecommerce.shows.model import label_of
from livecommerce.shows.projection import Projector, Wire
from livecommerce.shows.state import Draft, Event, State, TicketRecord
from livecommerce.shows.tries import line_of
from livecommerce.stock.operations import RESERVATION_LENGTH_MAX, Cancel
from livecommerce.stock.operations import Extend as ExtendStock
from livecommerce.stock.outcomes import Claim, Outcome
from livecommerce.stock.skus import product_of

TICKETS_MAX = 500  # what the control panel lists without asking; older ones are paged from stock
PRESSES_MAX = 60  # as many as lines of chat
OUTCOMES_SHOWN = frozenset(
    ("reserved", "partly", "waiting", "cancelled", "expired", "reduced", "changed", "swapped", "extended")
)
ACTIVE = ("held", "waiting", "offered")
SILENT = frozenset(("reprice",))  # operations of the shop on many claims: each buyer hears by the ticket, nobody else
DONE = frozenset((Outcome.CANCELLED, Outcome.EXTENDED, Outcome.UNCHANGED))

Reservation = Annotated[str, Meta(min_length=3, max_length=RESERVATION_LENGTH_MAX)]


class CancelReservation(Command, frozen=True, kw_only=True, tag="cancel"):
    reservation: Reservation


class Extend(Command, frozen=True, kw_only=True, tag="extend"):
    reservation: Reservation
    seconds: HoldSeconds = 900


def _conclude(answered: Answered) -> Decision:
    answer = answered.answer
    lines = [msgspec.to_builtins(line) for line in answer.lines]
    return Decision([], [], {"outcome": str(answer.outcome), "lines": lines})


def cancel(state: State, command: CancelReservation, actor: Actor, now_ms: int) -> ThroughStock:
    operation = Cancel(
        id=command.id, shop=state["show"]["shop"], show=state["show"]["id"], reservation=command.reservation,
        source="moderator",
    )  # fmt: skip
    return ThroughStock((operation,), DONE, _conclude)


def extend(state: State, command: Extend, actor: Actor, now_ms: int) -> ThroughStock:
    operation = ExtendStock(
        id=command.id, shop=state["show"]["shop"], show=state["show"]["id"], reservation=command.reservation,
        seconds=command.seconds, source="moderator",
    )  # fmt: skip
    return ThroughStock((operation,), DONE, _conclude)


def ticket_record(claim: Event, at_ms: int, known: TicketRecord | None = None) -> TicketRecord:
    """The one projection of a claim: `quantity` pieces held (or sold), which cost `price_minor` each; `waiting` apart.

    A change in line tells no place; then the place known stands until `Places` tells the next. What made the claim, and
    how, stays whoever changes it later.
    """
    waits = claim["state"] in ACTIVE and claim["waiting"] > 0
    place = claim.get("position", 0) or (known["position"] if known else 0)
    return {
        "id": claim["reservation"],
        "viewer": claim["viewer"],
        "sku": claim["item"],
        "number": claim["number"],
        "quantity": claim["reserved"],
        "waiting": claim["waiting"],
        "position": place if waits else 0,
        "price_minor": claim["price"],
        "currency": claim["currency"],
        "state": claim["state"],
        "deadline_ms": claim.get("deadline", 0),
        "text": claim.get("text", ""),
        "source": known["source"] if known else claim.get("source", ""),
        "comment": known["comment"] if known else line_of(claim["id"]),
        "at_ms": known["at_ms"] if known else at_ms,
    }


def ticket_of_claim(claim: Claim) -> TicketRecord:
    """The same of a claim as stock has it now, which names two fields otherwise than what it tells."""
    told = {**claim.as_dict(), "price": claim.unit_price_minor, "deadline": claim.deadline_ms}
    return ticket_record(told, claim.at_ms)


def apply(draft: Draft, event: Event) -> None:
    if event.get("stock"):
        draft.own("stock").update({sku: list(counters) for sku, counters in event["stock"].items()})
    if not event.get("claims"):
        return
    tickets = draft.own("tickets")
    for claim in event["claims"]:
        reservation = claim.get("reservation")
        if reservation:
            known = tickets.pop(reservation, None)
            tickets[reservation] = ticket_record(claim, event["at"], known)
    while len(tickets) > TICKETS_MAX:
        del tickets[next(iter(tickets))]


def project(projector: Projector, event: Event, after: State, wire: Wire) -> None:
    lines = [line["id"] for line in after["chat"]]
    for claim in event["claims"]:
        reservation = claim.get("reservation")
        record = after["tickets"].get(reservation) if reservation else None
        viewer = claim["viewer"]
        if record is not None:
            wire.to(viewer, {"t": "ticket", **projector.ticket(record, after)})
            wire.staff.append({"t": "ticket", **projector.ticket(record, after, staff=True)})
        if claim["op"] in SILENT:
            continue
        code = product_of(claim["item"])
        offered = claim["op"] == "promote" and claim["state"] == "offered"  # not taken yet: nobody is told "got it"
        shown = {
            "t": "claim", "comment": line_of(claim["id"], lines), "by": projector.by(viewer),
            "name": projector.name(after["names"], viewer), "sku": claim["item"], "code": code,
            "label": label_of(claim["item"], after["items"].get(code)),
            "outcome": "offered" if offered else claim["outcome"], "number": claim["number"],
            "reserved": claim["reserved"], "waiting": claim["waiting"], "position": claim["position"],
            "at": event["at"],
        }  # fmt: skip
        more = {"viewer": viewer, "reservation": reservation, "state": claim["state"]}
        wire.staff.append({**shown, **more, "deadline": claim.get("deadline", 0)})
        if claim["outcome"] in OUTCOMES_SHOWN and not after["buyers"].get(viewer, {}).get("shadow"):
            wire.public.append(shown)


def apply_stock(draft: Draft, event: Event) -> None:
    """Counters that another show of the shop has moved; of what this one does not sell nothing is kept."""
    stock = draft.state["stock"]
    known = {sku: list(counters) for sku, counters in event["stock"].items() if sku in stock}
    draft.own("stock").update(known)


def project_stock(projector: Projector, event: Event, after: State, wire: Wire) -> None:
    """Nothing of its own: see `counters`."""


def counters(events: Iterable[Event], after: State) -> dict[str, list[int]]:
    """The last value of every counter of the show that a run of events changed: what conflation leaves."""
    changed: set[str] = set()
    for event in events:
        if event["t"] in ("claims", "stock") and event.get("stock"):
            changed.update(event["stock"])
        elif event["t"] == "item":
            changed.update(event["item"]["skus"])
    items = after["items"]
    shown: dict[str, list[int]] = {}
    for sku in sorted(changed):
        product = items.get(product_of(sku))
        if sku in after["stock"] and product is not None and sku in product["skus"]:
            shown[sku] = after["stock"][sku]
    return shown


def lines_moved(events: Iterable[Event]) -> set[str]:
    """Skus with a waitlist in which somebody may have left or moved up: places in it are to be told anew."""
    return {
        claim["item"]
        for event in events
        if event["t"] == "claims"
        for claim in event["claims"]
        if event.get("stock", {}).get(claim["item"], (0, 0, 0, 0))[3]
    }


def presses(state: State, projector: Projector, staff: bool) -> list[Parts]:
    """Orders by the button, which have no line of chat: the newest, as far back as the chat that goes with them."""
    chat = state["chat"]
    since = chat[0]["at"] if len(chat) >= PRESSES_MAX else 0
    found: list[Parts] = []
    for record in state["tickets"].values():
        viewer = record["viewer"]
        if record["source"] != "button" or record["at_ms"] < since:
            continue
        if not staff and state["buyers"].get(viewer, {}).get("shadow"):
            continue
        found.append(
            {
                "id": record["comment"], "by": projector.by(viewer), "name": projector.name(state["names"], viewer),
                "at": record["at_ms"], "sku": record["sku"], "number": record["number"], "state": record["state"],
                "quantity": record["quantity"], "waiting": record["waiting"], "position": record["position"],
                **({"viewer": viewer} if staff else {}),
            }
        )  # fmt: skip
    return sorted(found, key=lambda press: int(press["at"]))[-PRESSES_MAX:]


def shown(state: State, projector: Projector, staff: bool) -> Parts:
    pressed: Parts = {"presses": presses(state, projector, staff)}
    if not staff:
        return pressed
    return pressed | {
        "reservations": [projector.ticket(record, state, staff=True) for record in state["tickets"].values()]
    }


KIND = Kind(
    "claims",
    events={"claims": Effects(apply, project), "stock": Effects(apply_stock, project_stock)},
    commands={CancelReservation: cancel, Extend: extend},
    shown=shown,
    chatter=("claim",),
)
