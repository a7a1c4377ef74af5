"""Lines that a person has to look at: accepted as an order of their author, or dismissed."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from livecommerce.errors import BadInput, NotFound
from livecommerce.shows.commands import Actor, Command
from livecommerce.shows.decision import Alias, Answered, Decision, ThroughStock, Write
from livecommerce.shows.errors import ItemUnknown
from livecommerce.shows.kind import Effects, Kind, Parts, Stored
from livecommerce.shows.model import Code, OutsideId, sku_of
from livecommerce.shows.offers import limits_of, offer_line
from livecommerce.shows.packing import unpack
from livecommerce.shows.projection import Projector, Wire
from livecommerce.shows.state import Draft, Event, State
from livecommerce.stock.operations import Line, Reserve

TRIAGE_MAX = 1_000  # as in library.lua


class AcceptLine(Struct, frozen=True):
    code: Code
    options: dict[str, str] | list[str] = {}
    quantity: Annotated[int, Meta(ge=1, le=99)] = 1


class Accept(Command, frozen=True, kw_only=True, tag="accept"):
    """`remember`: words of the comment that become an alias of the shop, so that this show and the next know them."""

    comment: OutsideId
    lines: Annotated[tuple[AcceptLine, ...], Meta(min_length=1, max_length=20)]
    remember: Annotated[str, Meta(max_length=40)] | None = None


class Dismiss(Command, frozen=True, kw_only=True, tag="dismiss"):
    comment: OutsideId


def triage_done(comment: str, how: str, actor: Actor, now_ms: int) -> Event:
    return {"t": "triage_done", "comment": comment, "how": how, "by_staff": actor.login, "at": now_ms}


def _gone() -> NotFound:
    return NotFound("This line is no longer waiting; somebody else was faster.")


def dismiss(state: State, command: Dismiss, actor: Actor, now_ms: int) -> Decision:
    if command.comment not in state["triage"]:
        raise _gone()
    event = triage_done(command.comment, "dismissed", actor, now_ms)
    return Decision([event], [Write("triage", "hdel", command.comment)], {"how": "dismissed"})


def _line(state: State, wanted: AcceptLine) -> Line:
    product = state["items"].get(wanted.code)
    if product is None:
        raise ItemUnknown(f"This show has no product {wanted.code}.")
    sku = sku_of(product, wanted.options)
    if sku is None:
        axes = " and ".join(axis["axis"] for axis in product["options"])
        raise BadInput(f"{wanted.code} needs a choice of {axes}.")
    return offer_line(state, product, sku, wanted.quantity)


def accept(state: State, command: Accept, actor: Actor, now_ms: int) -> ThroughStock:
    """Reservations of the line's author, under the comment's own id; then the line leaves the queue."""
    waiting = state["triage"].get(command.comment)
    if waiting is None:
        raise _gone()
    viewer = waiting["viewer"]
    operation = Reserve(
        id=command.comment, shop=state["show"]["shop"], show=state["show"]["id"], viewer=viewer,
        lines=tuple(_line(state, wanted) for wanted in command.lines),
        limits=limits_of(state, state["buyers"].get(viewer, {})), hold_seconds=state["show"]["hold_seconds"],
        source="moderator", waitlist=state["settings"]["waitlist"],
    )  # fmt: skip

    def conclude(answered: Answered) -> Decision:
        answer = answered.answer
        lines = [msgspec.to_builtins(line) for line in answer.lines]
        return Decision(
            [triage_done(command.comment, "accepted", actor, now_ms)],
            [Write("triage", "hdel", command.comment)],
            {"outcome": str(answer.outcome), "lines": lines, "reason": answer.reason},
            learn=Alias(command.remember, command.lines[0].code) if command.remember else None,
        )

    return ThroughStock((operation,), conclude)


def apply(draft: Draft, event: Event) -> None:
    if len(draft.state["triage"]) < TRIAGE_MAX or event["comment"] in draft.state["triage"]:
        draft.own("triage")[event["comment"]] = event


def apply_done(draft: Draft, event: Event) -> None:
    draft.own("triage").pop(event["comment"], None)


def project(projector: Projector, event: Event, after: State, wire: Wire) -> None:
    wire.staff.append(dict(event))


def load(stored: Stored) -> Parts:
    waiting = sorted(map(unpack, stored.lists["triage"]), key=lambda event: int(event["at"]))
    return {"triage": {event["comment"]: event for event in waiting}}


def shown(state: State, projector: Projector, staff: bool) -> Parts:
    return {"triage": list(state["triage"].values())} if staff else {}


KIND = Kind(
    "triage",
    events={"triage": Effects(apply, project), "triage_done": Effects(apply_done, project)},
    commands={Accept: accept, Dismiss: dismiss},
    load=load,
    shown=shown,
)
