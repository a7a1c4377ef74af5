"""Lines that a person has to look at: accepted as an order of their author, or dismissed."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta, Struct

from livecommerce.errors import BadInput, Conflict, NotFound
from livecommerce.shows.commands import Actor, Command, ViewerId
from livecommerce.shows.decision import Alias, Answered, Decision, ThroughStock, Write
from livecommerce.shows.errors import ItemUnknown
from livecommerce.shows.kind import Effects, Kind, Parts, Stored
from livecommerce.shows.kinds.claims import Reservation
from livecommerce.shows.model import Code, OutsideId, sku_of
from livecommerce.shows.offers import limits_of, offer_line
from livecommerce.shows.packing import pack, unpack
from livecommerce.shows.projection import Projector, Wire
from livecommerce.shows.state import Draft, Event, State, TriageEvent
from livecommerce.stock.operations import Cancel, Line, Reserve
from livecommerce.stock.outcomes import Outcome

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


class WaitingLine(Struct, frozen=True, kw_only=True):
    """A line as it waited: fields of the event `triage`."""

    comment: OutsideId
    viewer: ViewerId
    name: Annotated[str, Meta(max_length=40)]
    by: Annotated[str, Meta(max_length=20)]
    text: Annotated[str, Meta(max_length=500)]
    at: int
    verdict: Annotated[str, Meta(max_length=20)]
    reason: Annotated[str, Meta(max_length=40)]
    pin: Annotated[str, Meta(max_length=20)] | None = None
    guess: Annotated[tuple[dict[str, Any], ...], Meta(max_length=20)] = ()


class Reopen(Command, frozen=True, kw_only=True, tag="reopen"):
    """What `accept` and `dismiss` are undone by: the line waits again, and what was reserved for it is given back."""

    line: WaitingLine
    cancel: Annotated[tuple[Reservation, ...], Meta(max_length=20)] = ()
    unaudited: ClassVar[frozenset[str]] = frozenset(("line",))


def triage_done(comment: str, how: str, actor: Actor, now_ms: int) -> Event:
    return {"t": "triage_done", "comment": comment, "how": how, "by_staff": actor.login, "at": now_ms}


def _gone() -> NotFound:
    return NotFound("This line is no longer waiting; somebody else was faster.")


def dismiss(state: State, command: Dismiss, actor: Actor, now_ms: int) -> Decision:
    if command.comment not in state["triage"]:
        raise _gone()
    event = triage_done(command.comment, "dismissed", actor, now_ms)
    inverse = _reopened_by(state["triage"][command.comment], [])
    return Decision([event], [Write("triage", "hdel", command.comment)], {"how": "dismissed"}, inverse)


def _reopened_by(waiting: TriageEvent, reservations: list[str]) -> dict[str, Any]:
    line = {key: value for key, value in waiting.items() if key in WaitingLine.__struct_fields__}
    return {"do": "reopen", "line": line, "cancel": reservations}


def reopen(state: State, command: Reopen, actor: Actor, now_ms: int) -> ThroughStock:
    """
    Raises:
        Conflict: what was reserved is paid already.
    """
    event: Event = {"t": "triage", **msgspec.to_builtins(command.line)}
    operations = tuple(
        Cancel(
            id=f"{command.id[:60]}-{number}", shop=state["show"]["shop"], show=state["show"]["id"],
            reservation=reservation, source="moderator",
        )
        for number, reservation in enumerate(command.cancel)
    )  # fmt: skip

    def conclude(answered: Answered) -> Decision:
        for answer in answered.answers:
            if answer.outcome is Outcome.NOT_ACTIVE and any(line.reserved for line in answer.lines):
                raise Conflict("It is paid already. Give the money back with the order instead.")
        write = Write("triage", "hset", command.line.comment, pack(event), most=TRIAGE_MAX)
        return Decision([event], [write], {"waiting": command.line.comment})

    return ThroughStock(operations, conclude)


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
            inverse=_reopened_by(waiting, [line.reservation for line in answer.lines if line.reservation]),
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
    commands={Accept: accept, Dismiss: dismiss, Reopen: reopen},
    load=load,
    shown=shown,
)
