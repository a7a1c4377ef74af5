"""The notice above a show's chat."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from livecommerce.shows.commands import Actor, Command
from livecommerce.shows.decision import Decision, keep
from livecommerce.shows.kind import Effects, Kind, Parts
from livecommerce.shows.projection import Projector, Wire
from livecommerce.shows.state import Draft, Event, State


class Notice(Command, frozen=True, kw_only=True, tag="notice"):
    text: Annotated[str, Meta(max_length=300)] | None = None


def notice(state: State, command: Notice, actor: Actor, now_ms: int) -> Decision:
    event = {"t": "notice", "text": command.text, "at": now_ms}
    return Decision(
        [event], [keep("notice", command.text)], {"text": command.text}, {"do": "notice", "text": state["notice"]}
    )


def apply(draft: Draft, event: Event) -> None:
    draft.put("notice", event["text"])


def project(projector: Projector, event: Event, after: State, wire: Wire) -> None:
    wire.everyone({"t": "notice", "text": event["text"]})


def shown(state: State, projector: Projector, staff: bool) -> Parts:
    return {"notice": state["notice"]}


KIND = Kind(
    "notice", events={"notice": Effects(apply, project)}, commands={Notice: notice}, first={"notice": None}, shown=shown
)
