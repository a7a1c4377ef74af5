"""What the relay tells of the picture: `live`, `lost` or `ended`, with figures for staff."""

from __future__ import annotations

from typing import Any

from livecommerce.shows.decision import Decision, keep
from livecommerce.shows.kind import Effects, Kind, Parts
from livecommerce.shows.projection import Projector, Wire
from livecommerce.shows.state import Draft, Event, State


def told(state: str, now_ms: int, details: dict[str, Any]) -> Decision:
    """The relay's word: no command of staff."""
    record = {"state": state, "at": now_ms, **details}
    return Decision([{"t": "media", **record}], [keep("media", record)])


def apply(draft: Draft, event: Event) -> None:
    draft.put("media", {key: value for key, value in event.items() if key != "t"})


def project(projector: Projector, event: Event, after: State, wire: Wire) -> None:
    wire.public.append({"t": "media", "state": event["state"], "at": event["at"]})
    wire.staff.append(dict(event))


def shown(state: State, projector: Projector, staff: bool) -> Parts:
    media = state["media"]
    return {"media": media if staff else {key: media[key] for key in ("state", "at") if key in media}}


KIND = Kind("media", events={"media": Effects(apply, project)}, first={"media": {"state": "none"}}, shown=shown)
