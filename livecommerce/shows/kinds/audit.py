"""The trail of staff commands. The executor writes the entries, and takes commands back by what they keep."""

from __future__ import annotations

from typing import Any

from livecommerce.shows.kind import Effects, Kind, Parts, Stored
from livecommerce.shows.packing import unpack
from livecommerce.shows.projection import Projector, Wire
from livecommerce.shows.state import Draft, Event, State

AUDIT_SHOWN_MAX = 50  # what the control panel shows without asking


def apply(draft: Draft, event: Event) -> None:
    audit = draft.own("audit")
    entry = {key: value for key, value in event.items() if key != "t"}
    for index, known in enumerate(audit):
        if known["id"] == entry["id"]:
            audit[index] = entry
            return
    if entry["undone"]:  # an old entry marked as undone: it has left the short list and does not come back to it
        return
    audit.append(entry)
    del audit[:-AUDIT_SHOWN_MAX]


def _public(entry: Any) -> Parts:
    """An entry for staff: what undoing would do is the server's business."""
    shown = {key: value for key, value in entry.items() if key not in ("t", "inverse")}
    return {**shown, "undoable": entry["inverse"] is not None and not entry["undone"]}


def project(projector: Projector, event: Event, after: State, wire: Wire) -> None:
    wire.staff.append({"t": "audit", **_public(event)})


def load(stored: Stored) -> Parts:
    entries = (unpack(blob) for blob in stored.lists["audit"] if blob)
    return {"audit": [{key: value for key, value in entry.items() if key != "t"} for entry in entries]}


def shown(state: State, projector: Projector, staff: bool) -> Parts:
    return {"audit": [_public(entry) for entry in state["audit"]]} if staff else {}


KIND = Kind("audit", events={"audit": Effects(apply, project)}, load=load, shown=shown)
