"""Lines that moderators hide, and those they let through."""

from __future__ import annotations

from livecommerce.errors import TooMuch
from livecommerce.shows.commands import Actor, Command
from livecommerce.shows.decision import Decision, Write
from livecommerce.shows.kind import Effects, Kind, Parts, Stored
from livecommerce.shows.kinds.chat import visible
from livecommerce.shows.kinds.name import keeps_name
from livecommerce.shows.kinds.triage import triage_done
from livecommerce.shows.model import OutsideId
from livecommerce.shows.packing import decoded
from livecommerce.shows.projection import Projector, Wire
from livecommerce.shows.state import Draft, Event, State

# Moderators hide by hand: one a second for five hours.
HIDDEN_MAX = 20_000


class Hide(Command, frozen=True, kw_only=True, tag="hide"):
    comment: OutsideId


class Unhide(Command, frozen=True, kw_only=True, tag="unhide"):
    comment: OutsideId


def _event(comment: str, hidden: bool, actor: Actor, now_ms: int) -> Event:
    return {"t": "hidden", "comment": comment, "hidden": hidden, "by_staff": actor.login, "at": now_ms}


def hide(state: State, command: Hide, actor: Actor, now_ms: int) -> Decision:
    if command.comment in state["hidden"]:
        return Decision([], [], {"hidden": True})
    if len(state["hidden"]) >= HIDDEN_MAX:
        raise TooMuch("Too many hidden comments in this show.")
    event = _event(command.comment, True, actor, now_ms)
    write = Write("hidden", "hset", command.comment, actor.login)
    return Decision([event], [write], {"hidden": True}, {"do": "unhide", "comment": command.comment})


def unhide(state: State, command: Unhide, actor: Actor, now_ms: int) -> Decision:
    """Shows a hidden comment again, or lets a held first comment through."""
    decision = Decision([], [], {"hidden": False}, {"do": "hide", "comment": command.comment})
    if command.comment in state["hidden"]:
        decision.events.append(_event(command.comment, False, actor, now_ms))
        decision.writes.append(Write("hidden", "hdel", command.comment))
    held = state["held"].get(command.comment)
    if held is not None:
        decision.events.append({**{key: value for key, value in held.items() if key != "held"}, "at": now_ms})
        decision.writes.append(Write("held", "hdel", command.comment))
        if keeps_name(state, held["viewer"]):
            decision.writes.append(Write("names", "hset", held["viewer"], held["name"]))
        decision.writes.append(Write("spoken", "hset", held["viewer"], ""))
        waiting = state["triage"].get(command.comment)
        if waiting is not None and waiting["verdict"] == "none":  # it waited for this word alone
            decision.events.append(triage_done(command.comment, "shown", actor, now_ms))
            decision.writes.append(Write("triage", "hdel", command.comment))
    return decision


def apply(draft: Draft, event: Event) -> None:
    hidden = draft.own("hidden")
    if event["hidden"]:
        hidden[event["comment"]] = event.get("by_staff", "")
    else:
        hidden.pop(event["comment"], None)


def project(projector: Projector, event: Event, after: State, wire: Wire) -> None:
    shown = {"t": "hidden", "comment": event["comment"], "hidden": event["hidden"]}
    wire.staff.append({**shown, "by_staff": event.get("by_staff", "")})
    wire.public.append(shown)
    if not event["hidden"]:  # shown again: pages that joined meanwhile have never had its text
        for line in after["chat"]:
            if line["id"] == event["comment"] and visible(line, after):
                wire.public.append(projector.chat_line(line, staff=False))


def load(stored: Stored) -> Parts:
    return {"hidden": {comment: decoded(login) for comment, login in stored.maps["hidden"].items()}}


def shown(state: State, projector: Projector, staff: bool) -> Parts:
    return {"hidden": sorted(state["hidden"])} if staff else {}


KIND = Kind(
    "hidden",
    events={"hidden": Effects(apply, project)},
    commands={Hide: hide, Unhide: unhide},
    load=load,
    shown=shown,
)
