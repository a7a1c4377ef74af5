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
SPOKEN_MAX = 50_000  # as in library.lua


class Say(Command, frozen=True, kw_only=True, tag="say"):
    text: Text
    name: Annotated[str, Meta(max_length=40)] = ""


def say(state: State, command: Say, actor: Actor, now_ms: int) -> Decision:
    kind = "moderator" if actor.role == "moderator" else "host"
    name = command.name or actor.name or state["show"]["shop_name"]
    event = {
        "t": "chat", "id": command.id, "viewer": "", "name": name, "text": command.text, "at": now_ms, "kind": kind,
        "verdict": "none",
    }  # fmt: skip
    return Decision([event], [], {"comment": command.id}, {"do": "hide", "comment": command.id})


def apply(draft: Draft, event: Event) -> None:
    chat = draft.own("chat")
    held = draft.state["held"].get(event["id"])
    released = held is not None and line_key(held) == line_key(event) and not event.get("held")
    if released:
        draft.own("held").pop(event["id"])
        chat[:] = [line for line in chat if line_key(line) != line_key(event)]
    chat.append(event)
    del chat[:-CHAT_MAX]
    if speaks(event) and len(draft.state["spoken"]) < SPOKEN_MAX:
        draft.own("spoken")[event["viewer"]] = True
    if event.get("held"):
        if len(draft.state["held"]) < HELD_MAX:
            draft.own("held").setdefault(event["id"], event)
    elif event["viewer"] and event.get("name"):
        remember_name(draft, event["viewer"], event["name"])


def speaks(event: Mapping[str, Any]) -> bool:
    """Whether this is a viewer's line that everyone is shown, and no order: those pass all rules of the chat."""
    hidden = event.get("held") or event.get("shadow") or not event["viewer"]
    return not hidden and event.get("verdict") not in ("order", "change")


def line_key(line: Mapping[str, Any]) -> tuple[str, str]:
    """What a line is known by: ids are made by pages, so two authors may have the same one."""
    return line["viewer"], line["id"]


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
    held = {event["id"]: event for event in map(unpack, stored.lists["held"])}
    return {"chat": _latest(tail), "held": held, "spoken": dict.fromkeys(stored.maps["spoken"], True)}


def _latest(events: list[Event]) -> list[Event]:
    """The tail as folding would have left it: a line let through counts where it was let through."""
    latest: dict[tuple[str, str], Event] = {}
    for event in events:
        key = line_key(event)
        if key in latest and latest[key].get("held"):
            del latest[key]
        latest[key] = event
    return list(latest.values())[-CHAT_MAX:]


def claim_marks(state: State, projector: Projector, lines: Iterable[ChatEvent]) -> list[Parts]:
    """What became of the chat lines shown: `{"comment", "by", "sku", "number", "state", …}` a claim.

    Who joins later sees the same numbers beside the same lines as those who were there.
    """
    shown = {line_key(line) for line in lines}
    return [
        {
            "comment": record["comment"], "by": projector.by(record["viewer"]), "sku": record["sku"],
            "number": record["number"], "state": record["state"], "quantity": record["quantity"],
            "waiting": record["waiting"],
        }
        for record in state["tickets"].values()
        if (record["viewer"], record["comment"]) in shown
        and not state["buyers"].get(record["viewer"], {}).get("shadow")
    ]  # fmt: skip


def shown(state: State, projector: Projector, staff: bool) -> Parts:
    lines = [line for line in state["chat"] if visible(line, state)]
    marks = claim_marks(state, projector, lines)
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
