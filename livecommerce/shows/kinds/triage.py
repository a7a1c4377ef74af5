"""Lines that a person has to look at: accepted as an order of their author, or dismissed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from livecommerce.bounds import Count, Moment
from livecommerce.comments.folding import fold
from livecommerce.errors import BadInput, Conflict, NotFound
from livecommerce.shows.commands import Actor, Command, ViewerId
from livecommerce.shows.decision import Alias, Answered, Decision, Sent, ThroughStock, Told, Write, not_sold
from livecommerce.shows.errors import ItemUnknown, NotSold, ShowStageWrong
from livecommerce.shows.kind import Effects, Kind, Parts, Stored
from livecommerce.shows.kinds.claims import Reservation
from livecommerce.shows.model import Code, OutsideId
from livecommerce.shows.offers import NoOrder, Want, lines_of, reserve_for
from livecommerce.shows.packing import pack, unpack
from livecommerce.shows.projection import Projector, Wire
from livecommerce.shows.state import Draft, Event, State, TriageEvent
from livecommerce.shows.tries import try_id
from livecommerce.stock.operations import LINES_MAX, Cancel, Line, step_id
from livecommerce.stock.outcomes import Answer, Outcome

TRIAGE_MAX = 1_000  # as in library.lua
# The author has something of it, or had it already; a line that got nothing stays in the queue.
SOLD = frozenset(
    (Outcome.RESERVED, Outcome.PARTLY, Outcome.WAITING, Outcome.CHANGED, Outcome.REDUCED, Outcome.UNCHANGED)
)
# Of these lines the operation made a claim, which `reopen` gives back.
CLAIMED = (Outcome.RESERVED, Outcome.PARTLY, Outcome.WAITING)
# A claim that ended by itself has nothing to give back.
GIVEN_BACK = frozenset((Outcome.CANCELLED, Outcome.UNCHANGED, Outcome.NOT_ACTIVE, Outcome.RESERVATION_UNKNOWN))


class AcceptLine(Struct, frozen=True):
    code: Code
    options: dict[str, str] | list[str] = {}
    quantity: Annotated[int, Meta(ge=1, le=99)] = 1


class Accept(Command, frozen=True, kw_only=True, tag="accept"):
    """`remember`: words of the comment that become an alias of the shop, so that this show and the next know them."""

    comment: OutsideId
    lines: Annotated[tuple[AcceptLine, ...], Meta(min_length=1, max_length=LINES_MAX)]
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
    at: Moment
    verdict: Annotated[str, Meta(max_length=20)]
    reason: Annotated[str, Meta(max_length=40)]
    pin: Annotated[str, Meta(max_length=20)] | None = None
    guess: Annotated[tuple[dict[str, Any], ...], Meta(max_length=20)] = ()
    tries: Count | UnsetType = UNSET


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


def _reopened_by(waiting: TriageEvent, reservations: list[str]) -> Sent:
    line = {key: value for key, value in waiting.items() if key in WaitingLine.__struct_fields__}
    return {"do": "reopen", "line": line, "cancel": reservations}


def _accepted_back(waiting: TriageEvent, answer: Answer) -> Sent | None:
    """What an acceptance is undone by; None where it took pieces from a claim of before."""
    if any(line.outcome is Outcome.REDUCED for line in answer.lines):
        return None
    made = [line.reservation for line in answer.lines if line.reservation and line.outcome in CLAIMED]
    # Stock keeps its answer to this try: the line accepted again is another one.
    return _reopened_by({**waiting, "tries": waiting.get("tries", 0) + 1}, made)


def reopen(state: State, command: Reopen, actor: Actor, now_ms: int) -> ThroughStock:
    """
    Raises:
        Conflict: what was reserved is paid already.
    """
    event: Event = {"t": "triage", **msgspec.to_builtins(command.line)}
    operations = tuple(
        Cancel(
            id=step_id(command.id, number), shop=state["show"]["shop"], show=state["show"]["id"],
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

    return ThroughStock(operations, GIVEN_BACK, conclude)


def _lines(state: State, accepted: Sequence[AcceptLine]) -> tuple[Line, ...]:
    """
    Raises:
        ItemUnknown, NotSold, BadInput.
    """
    wants = [
        Want(line.code, (), line.quantity, line.options)
        if isinstance(line.options, dict)
        else Want(line.code, tuple(line.options), line.quantity)
        for line in accepted
    ]
    lines = lines_of(state, wants)
    if not isinstance(lines, NoOrder):
        return lines
    if lines.need is not None:
        raise BadInput(f"{lines.code} needs a choice of {' and '.join(lines.need['axes'])}.")
    if lines.reason == "item_unknown":
        raise ItemUnknown(f"This show has no product {lines.code}.")
    if lines.reason == "sales_closed":
        raise NotSold(f"Orders for {lines.code} are closed. Open it first.", why=lines.reason)
    raise BadInput(f"An order has at most {LINES_MAX} lines.")


def _may_teach(actor: Actor, word: str, text: str) -> bool:
    """The shop's words are its owner's and hosts' to write; a moderator hands on what the buyer of this line said."""
    return actor.role in ("owner", "host") or fold(word).strip() in fold(text)


def accept(state: State, command: Accept, actor: Actor, now_ms: int) -> ThroughStock:
    """Reservations of the line's author, under the comment's own id; then the line leaves the queue.

    One that got nothing stays, with the reason for every moderator. Stock answers the same to an id for good, so the
    next try has another: of two moderators who accept at once, still only one order is made.
    """
    waiting = state["triage"].get(command.comment)
    if waiting is None:
        raise _gone()
    if state["show"]["stage"] != "live":
        raise ShowStageWrong("The show is not live, so nothing is sold now.")
    tries = waiting.get("tries", 0)
    operation = reserve_for(
        state, waiting["viewer"], try_id(command.comment, tries), _lines(state, command.lines), "moderator"
    )

    def conclude(answered: Answered) -> Decision:
        answer = answered.answer
        lines = [msgspec.to_builtins(line) for line in answer.lines]
        outcome: Told = {"outcome": str(answer.outcome), "lines": lines, "reason": answer.reason}
        learn = Alias(command.remember, command.lines[0].code) if command.remember else None
        if learn is not None and not _may_teach(actor, learn.word, waiting["text"]):
            learn = None
            outcome |= {"remembered": False, "not_remembered": "not_said"}
        return Decision(
            [triage_done(command.comment, "accepted", actor, now_ms)],
            [Write("triage", "hdel", command.comment)],
            outcome,
            inverse=_accepted_back(waiting, answer),
            learn=learn,
        )

    def refused(answer: Answer) -> Decision:
        event = {**waiting, "tries": tries + 1, "refused": str(answer.outcome)}
        return Decision([event], [Write("triage", "hset", command.comment, pack(event))], refusal=not_sold(answer))

    return ThroughStock((operation,), SOLD, conclude, refused=refused)


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
