"""What viewers call themselves in this show."""

from __future__ import annotations

from livecommerce.shows.decision import Decision, Write
from livecommerce.shows.kind import Effects, Kind, Parts, Stored
from livecommerce.shows.packing import decoded
from livecommerce.shows.projection import Projector, Wire
from livecommerce.shows.state import Draft, Event, State

NAMES_MAX = 50_000  # as in library.lua


def named(viewer: str, name: str, now_ms: int) -> Decision:
    """A viewer has chosen a name: no command of staff. Where the show keeps as many as it can, nothing is written."""
    event = {"t": "name", "viewer": viewer, "name": name, "at": now_ms}
    return Decision([event], [Write("names", "hset", viewer, name, NAMES_MAX)])


def keeps_name(state: State, viewer: str) -> bool:
    """Whether a name of this viewer is kept: one more of the names, or a known viewer's new one."""
    return viewer in state["names"] or len(state["names"]) < NAMES_MAX


def remember_name(draft: Draft, viewer: str, name: str) -> None:
    if draft.state["names"].get(viewer) != name and keeps_name(draft.state, viewer):
        draft.own("names")[viewer] = name


def apply(draft: Draft, event: Event) -> None:
    remember_name(draft, event["viewer"], event["name"])


def project(projector: Projector, event: Event, after: State, wire: Wire) -> None:
    wire.to(event["viewer"], {"t": "you", "name": event["name"]})


def load(stored: Stored) -> Parts:
    return {"names": {viewer: decoded(name) for viewer, name in stored.maps["names"].items()}}


KIND = Kind("name", events={"name": Effects(apply, project)}, load=load)
