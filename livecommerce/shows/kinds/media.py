"""What the relay tells of the stream: `live`, `lost` or `ended`, and whether it has a picture; figures for staff."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from livecommerce.shows.decision import Decision, keep
from livecommerce.shows.kind import Effects, Kind, Parts
from livecommerce.shows.projection import Projector, Wire
from livecommerce.shows.state import Draft, Event, State

# What everyone may know; `picture` is false where the show has sound alone, and pages draw one.
PUBLIC = ("state", "at", "picture")


def told(state: str, now_ms: int, details: Parts) -> Decision:
    """The relay's word: no command of staff."""
    record = {"state": state, "at": now_ms, **details}
    return Decision([{"t": "media", **record}], [keep("media", record)])


def apply(draft: Draft, event: Event) -> None:
    draft.put("media", {key: value for key, value in event.items() if key != "t"})


def project(projector: Projector, event: Event, after: State, wire: Wire) -> None:
    wire.public.append({"t": "media", **_public(event)})
    wire.staff.append(dict(event))


def shown(state: State, projector: Projector, staff: bool) -> Parts:
    media = state["media"]
    return {"media": media if staff else _public(media)}


def _public(record: Mapping[str, Any]) -> Parts:
    return {key: record[key] for key in PUBLIC if key in record}


KIND = Kind("media", events={"media": Effects(apply, project)}, first={"media": {"state": "none"}}, shown=shown)
