"""Chat lines: of viewers (written by the path of a comment) and of staff."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from msgspec import Meta

from livecommerce.shows.commands import Actor, Command, Text
from livecommerce.shows.decision import Decision
from livecommerce.shows.kind import Effects, Kind, Parts, Stored
from livecommerce.shows.kinds.name import remember_name
from livecommerce.shows.packing import unpack
from livecommerce.shows.projection import Projector, Wire
from livecommerce.shows.state import ChatEvent, Draft, Event, State

CHAT_MAX = 60  # what a page shows when it opens
HELD_MAX = 1_000  # as in library.lua


class Say(Command, frozen=True, kw_only=True, tag="say"):
    text: Text
    name: Annotated[str, Meta(max_length=40)] = ""


def say(state: State, command: Say, actor: Actor, now_ms: int) -> Decision:
    kind = "moderator" if actor.role == "moderator" else "host"
    event = {
        "t": "chat", "id": command.id, "viewer": "", "name": command.name or actor.login, "text": command.text,
        "at": now_ms, "kind": kind, "verdict": "none",
    }  # fmt: skip
    return Decision([event], [], {"comment": command.id}, {"do": "hide", "comment": command.id})


def apply(draft: Draft, event: Event) -> None:
    chat = draft.own("chat")
    released = event["id"] in draft.state["held"] and not event.get("held")
    if released:
        draft.own("held").pop(event["id"])
        chat[:] = [line for line in chat if line["id"] != event["id"]]
    chat.append(event)
    del chat[:-CHAT_MAX]
    if event.get("held"):
        if len(draft.state["held"]) < HELD_MAX:
            draft.own("held")[event["id"]] = event
    elif event["viewer"] and event.get("name"):
        remember_name(draft, event["viewer"], event["name"])


def visible(event: Mapping[str, Any], state: State) -> bool:
    """Whether everyone may read this chat line."""
    return not (event.get("held") or event.get("shadow") or event["id"] in state["hidden"])


def project(projector: Projector, event: Event, after: State, wire: Wire) -> None:
    wire.staff.append(projector.chat_line(event, staff=True))
    line = projector.chat_line(event, staff=False)
    if visible(event, after):
        wire.public.append(line)
    elif event["viewer"] and event["id"] not in after["hidden"]:
        wire.to(event["viewer"], line)


def load(stored: Stored) -> Parts:
    tail = [event for blob in reversed(stored.lists["tail"]) for event in unpack(blob) if event["t"] == "chat"]
    return {"chat": _latest(tail), "held": {event["id"]: event for event in map(unpack, stored.lists["held"])}}


def _latest(events: list[Event]) -> list[Event]:
    """The tail as folding would have left it: a line let through counts where it was let through."""
    latest: dict[str, Event] = {}
    for event in events:
        if event["id"] in latest and latest[event["id"]].get("held"):
            del latest[event["id"]]
        latest[event["id"]] = event
    return list(latest.values())[-CHAT_MAX:]


def claim_marks(state: State, lines: Iterable[ChatEvent]) -> list[dict[str, Any]]:
    """What became of the chat lines shown: `{"comment", "sku", "number", "state", "quantity", "position"}` a claim.

    Who joins later sees the same numbers beside the same lines as those who were there.
    """
    shown = {line["id"] for line in lines}
    return [
        {
            "comment": record["comment"], "sku": record["sku"], "number": record["number"], "state": record["state"],
            "quantity": record["quantity"], "position": record["position"],
        }
        for record in state["tickets"].values()
        if record["comment"] in shown and not state["buyers"].get(record["viewer"], {}).get("shadow")
    ]  # fmt: skip


def shown(state: State, projector: Projector, staff: bool) -> Parts:
    lines = [line for line in state["chat"] if visible(line, state)]
    marks = claim_marks(state, lines)
    if staff:
        lines = state["chat"]
    return {"chat": [projector.chat_line(line, staff=staff) for line in lines], "marks": marks}


KIND = Kind(
    "chat",
    events={"chat": Effects(apply, project)},
    commands={Say: say},
    load=load,
    shown=shown,
    chatter=("chat",),
)
