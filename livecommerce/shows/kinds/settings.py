"""The rules of a show's chat and claims, as staff set them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from livecommerce.shows.commands import Actor, Command
from livecommerce.shows.decision import Decision, keep
from livecommerce.shows.kind import Effects, Kind, Parts
from livecommerce.shows.model import ShowSettings
from livecommerce.shows.projection import Projector, Wire
from livecommerce.shows.state import Draft, Event, State

PUBLIC = ("slow_seconds", "links_off", "waitlist", "proof_of_work")
FIRST: dict[str, Any] = msgspec.to_builtins(ShowSettings())  # what a show of before has not, it has like this


class SetSettings(Command, frozen=True, kw_only=True, tag="settings"):
    slow_seconds: Annotated[int, Meta(ge=0, le=600)] | None = None
    links_off: bool | None = None
    first_hold: bool | None = None
    proof_of_work: bool | None = None
    waitlist: bool | None = None
    repeat: Annotated[str, Meta(pattern=r"^(add|set|once)\Z")] | None = None
    fill: Annotated[str, Meta(pattern=r"^(any|all)\Z")] | None = None


def set_settings(state: State, command: SetSettings, actor: Actor, now_ms: int) -> Decision:
    known = {**FIRST, **state["settings"]}
    fields = ("slow_seconds", "links_off", "first_hold", "proof_of_work", "waitlist", "repeat", "fill")
    change = {name: getattr(command, name) for name in fields if getattr(command, name) is not None}
    before = {name: known[name] for name in change}
    settings = {**known, **change}
    event = {"t": "settings", **settings, "at": now_ms}
    return Decision([event], [keep("settings", settings)], change, {"do": "settings", **before})


def apply(draft: Draft, event: Event) -> None:
    draft.put("settings", {key: value for key, value in event.items() if key not in ("t", "at")})


def _public(settings: Parts) -> Parts:
    return {key: {**FIRST, **settings}[key] for key in PUBLIC}


def project(projector: Projector, event: Event, after: State, wire: Wire) -> None:
    wire.public.append({"t": "settings", **_public(event)})
    wire.staff.append({key: value for key, value in event.items() if key != "at"})


def shown(state: State, projector: Projector, staff: bool) -> Parts:
    settings = {**FIRST, **state["settings"]}
    return {"settings": settings if staff else _public(settings)}


KIND = Kind(
    "settings",
    events={"settings": Effects(apply, project)},
    commands={SetSettings: set_settings},
    first={"settings": FIRST},
    shown=shown,
)
