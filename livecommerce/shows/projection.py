"""From the log to the wire: one log event → public events, staff events, private events of single viewers. Pure.

Nothing private crosses into a public event: no viewer id, no hidden, held or shadowed text, no address. `by` is the
ten-character handle of a viewer in this show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct, field

from livecommerce.shows.model import label_of, options_of, viewer_handle
from livecommerce.shows.state import EMPTY_BUYER, Event, State, stock_of

WireEvent = dict[str, Any]
PUBLIC_SETTINGS = ("slow_seconds", "links_off", "waitlist")
CLAIM_OUTCOMES_SHOWN = frozenset(("reserved", "partly", "waiting", "cancelled", "reduced", "changed", "swapped"))


class Wire(Struct):
    """What one tick sends: to everyone, to staff, and to single viewers (by viewer id)."""

    public: list[WireEvent] = field(default_factory=list)
    staff: list[WireEvent] = field(default_factory=list)
    private: dict[str, list[WireEvent]] = field(default_factory=dict)

    def to(self, viewer: str, event: WireEvent) -> None:
        self.private.setdefault(viewer, []).append(event)


class Projector:
    """Keeps the handles of viewers it has met (a keyed hash each); else stateless."""

    # 50,000 handles of some 150 bytes; a show with more speaking viewers computes them again.
    HANDLES_MAX = 50_000

    def __init__(self, salt: str) -> None:
        self._salt = salt
        self._handles: dict[str, str] = {}

    def by(self, viewer: str) -> str:
        if not viewer:
            return ""
        handle = self._handles.get(viewer)
        if handle is None:
            if len(self._handles) >= self.HANDLES_MAX:
                self._handles.clear()
            handle = self._handles[viewer] = viewer_handle(self._salt, viewer)
        return handle

    def project(self, events: Iterable[Event], before: State, after: State) -> Wire:
        """The wire events of a run of log events. `after` decides what is hidden by now: a line hidden later in the
        same run never leaves the process. Stock counters are left out: see `counters`."""
        wire = Wire()
        for event in events:
            change = _PROJECTIONS.get(event["t"])
            if change is not None:
                change(self, event, before, after, wire)
        return wire

    def chat_line(self, event: Event, *, staff: bool) -> WireEvent:
        line = {
            "t": "chat", "id": event["id"], "by": self.by(event["viewer"]), "name": event["name"],
            "text": event["text"], "at": event["at"], "kind": event["kind"],
        }  # fmt: skip
        if staff:
            line |= {
                "viewer": event["viewer"], "verdict": event.get("verdict", "none"),
                "held": bool(event.get("held")), "shadow": bool(event.get("shadow")),
            }  # fmt: skip
        return line

    def ticket(self, record: dict[str, Any], state: State, *, staff: bool = False) -> WireEvent:
        """A ticket as pages show it, from a ticket record of the state."""
        sku = record["sku"]
        product = state["items"].get(sku.split("/")[0])
        ticket = {
            "id": record["id"], "sku": sku, "code": sku.split("/")[0],
            "label": record["text"] or label_of(sku, product), "options": options_of(sku),
            "quantity": record["quantity"], "waiting": record["waiting"], "price_minor": record["price_minor"],
            "currency": record["currency"], "number": record["number"], "state": record["state"],
            "position": record["position"], "deadline_ms": record["deadline_ms"], "show": state["show"]["id"],
            "comment": record["comment"], "at_ms": record["at_ms"],
        }  # fmt: skip
        if staff:
            viewer = record["viewer"]
            ticket |= {"viewer": viewer, "by": self.by(viewer), "name": self.name(state, viewer)}
        return ticket

    def name(self, state: State, viewer: str) -> str:
        return str(state["names"].get(viewer, "")) or f"guest-{self.by(viewer)[:4]}"


def public_settings(settings: dict[str, Any]) -> dict[str, Any]:
    return {key: settings[key] for key in PUBLIC_SETTINGS}


def public_audit(entry: dict[str, Any]) -> dict[str, Any]:
    """An audit entry for staff: what undoing would do is the server's business."""
    shown = {key: value for key, value in entry.items() if key not in ("t", "inverse")}
    return {**shown, "undoable": entry["inverse"] is not None and not entry["undone"]}


def visible(event: Event, state: State) -> bool:
    """Whether everyone may read this chat line."""
    return not (event.get("held") or event.get("shadow") or event["id"] in state["hidden"])


def _chat(self: Projector, event: Event, before: State, after: State, wire: Wire) -> None:
    wire.staff.append(self.chat_line(event, staff=True))
    line = self.chat_line(event, staff=False)
    if visible(event, after):
        wire.public.append(line)
    elif event["viewer"] and event["id"] not in after["hidden"]:
        wire.to(event["viewer"], line)


def _claims(self: Projector, event: Event, before: State, after: State, wire: Wire) -> None:
    for claim in event["claims"]:
        reservation = claim.get("reservation")
        record = after["tickets"].get(reservation) if reservation else None
        viewer = claim["viewer"]
        if record is not None:
            mine = {"t": "ticket", **self.ticket(record, after)}
            wire.to(viewer, mine)
            wire.staff.append({"t": "ticket", **self.ticket(record, after, staff=True)})
        shown = {
            "t": "claim", "comment": claim["id"], "by": self.by(viewer), "name": self.name(after, viewer),
            "sku": claim["item"], "code": claim["item"].split("/")[0],
            "label": label_of(claim["item"], after["items"].get(claim["item"].split("/")[0])),
            "outcome": claim["outcome"], "number": claim["number"], "reserved": claim["reserved"],
            "waiting": claim["waiting"], "position": claim["position"], "at": event["at"],
        }  # fmt: skip
        wire.staff.append(
            {**shown, "viewer": viewer, "reservation": reservation, "state": claim["state"],
             "deadline": claim.get("deadline", 0)}
        )  # fmt: skip
        if claim["outcome"] in CLAIM_OUTCOMES_SHOWN and not after["buyers"].get(viewer, {}).get("shadow"):
            wire.public.append(shown)


def _pin(self: Projector, event: Event, before: State, after: State, wire: Wire) -> None:
    _everyone(wire, {key: event.get(key) for key in ("t", "pin", "code", "at", "media_timestamp")})


def _item(self: Projector, event: Event, before: State, after: State, wire: Wire) -> None:
    _everyone(wire, {"t": "item", "item": event["item"]})


def _item_gone(self: Projector, event: Event, before: State, after: State, wire: Wire) -> None:
    _everyone(wire, {"t": "item_gone", "code": event["code"]})


def _stage(self: Projector, event: Event, before: State, after: State, wire: Wire) -> None:
    _everyone(wire, {"t": "stage", "stage": event["stage"], "at": event["at"]})


def _media(self: Projector, event: Event, before: State, after: State, wire: Wire) -> None:
    wire.public.append({"t": "media", "state": event["state"], "at": event["at"]})
    wire.staff.append(dict(event))


def _hidden(self: Projector, event: Event, before: State, after: State, wire: Wire) -> None:
    shown = {"t": "hidden", "comment": event["comment"], "hidden": event["hidden"]}
    wire.staff.append({**shown, "by_staff": event.get("by_staff", "")})
    wire.public.append(shown)
    if not event["hidden"]:  # shown again: pages that joined meanwhile have never had its text
        for line in after["chat"]:
            if line["id"] == event["comment"] and visible(line, after):
                wire.public.append(self.chat_line(line, staff=False))


def _settings(self: Projector, event: Event, before: State, after: State, wire: Wire) -> None:
    wire.public.append({"t": "settings", **public_settings(event)})
    wire.staff.append({key: value for key, value in event.items() if key != "at"})


def _notice(self: Projector, event: Event, before: State, after: State, wire: Wire) -> None:
    _everyone(wire, {"t": "notice", "text": event["text"]})


def _triage(self: Projector, event: Event, before: State, after: State, wire: Wire) -> None:
    wire.staff.append(dict(event))


def _buyer(self: Projector, event: Event, before: State, after: State, wire: Wire) -> None:
    record = {key: event.get(key, empty) for key, empty in EMPTY_BUYER.items()}
    wire.staff.append(
        {"t": "buyer", "viewer": event["viewer"], "by": self.by(event["viewer"]),
         "name": self.name(after, event["viewer"]), **record}
    )  # fmt: skip
    wire.to(event["viewer"], {"t": "you", "muted_until": event["muted_until"], "banned": event["banned"]})


def _words(self: Projector, event: Event, before: State, after: State, wire: Wire) -> None:
    wire.staff.append({"t": "words", "added": event["added"], "removed": event["removed"]})


def _audit(self: Projector, event: Event, before: State, after: State, wire: Wire) -> None:
    wire.staff.append({"t": "audit", **public_audit(event)})


def _name(self: Projector, event: Event, before: State, after: State, wire: Wire) -> None:
    wire.to(event["viewer"], {"t": "you", "name": event["name"]})


def _everyone(wire: Wire, event: WireEvent) -> None:
    wire.public.append(event)
    wire.staff.append(event)


_PROJECTIONS: dict[str, Callable[[Projector, Event, State, State, Wire], None]] = {
    "chat": _chat,
    "claims": _claims,
    "pin": _pin,
    "item": _item,
    "item_gone": _item_gone,
    "stage": _stage,
    "media": _media,
    "hidden": _hidden,
    "settings": _settings,
    "notice": _notice,
    "triage": _triage,
    "triage_done": _triage,
    "buyer": _buyer,
    "words": _words,
    "audit": _audit,
    "name": _name,
}


def counters(events: Iterable[Event], after: State) -> dict[str, list[int]]:
    """The last value of every counter of the show that a run of events changed: what conflation leaves."""
    changed: set[str] = set()
    for event in events:
        if event["t"] == "claims" and event.get("stock"):
            changed.update(event["stock"])
        elif event["t"] == "item":
            changed.update(event["item"]["skus"])
    items = after["items"]
    return {
        sku: after["stock"][sku]
        for sku in sorted(changed)
        if sku in after["stock"] and sku in items.get(sku.split("/")[0], {"skus": ()})["skus"]
    }


def claim_marks(state: State, lines: Iterable[Event]) -> list[dict[str, Any]]:
    """What became of the chat lines shown: `{"comment", "sku", "number", "state", "quantity", "position"}` a claim.

    Who joins later sees the same numbers beside the same lines as those who were there.
    """
    shown = {line["id"] for line in lines}
    return [
        {key: record[key] for key in ("comment", "sku", "number", "state", "quantity", "position")}
        for record in state["tickets"].values()
        if record["comment"] in shown and not state["buyers"].get(record["viewer"], {}).get("shadow")
    ]


def public_snapshot(state: State, projector: Projector, viewers: int) -> dict[str, Any]:
    """The snapshot for everyone, without `me`."""
    show = state["show"]
    keys = ("id", "title", "shop", "shop_name", "stage", "started_ms", "currency", "locale", "hold_seconds")
    pin = state["pins"][-1] if state["pins"] else None
    lines = [line for line in state["chat"] if visible(line, state)]
    return {
        "epoch": state["epoch"], "offset": state["offset"], "now": state["now"],
        "show": {key: show[key] for key in keys},
        "items": [state["items"][code] for code in state["order"]],
        "stock": stock_of(state), "pin": pin,
        "chat": [projector.chat_line(line, staff=False) for line in lines], "marks": claim_marks(state, lines),
        "settings": public_settings(state["settings"]), "notice": state["notice"], "viewers": viewers,
        "media": {key: state["media"][key] for key in ("state", "at") if key in state["media"]},
    }  # fmt: skip


def staff_snapshot(state: State, projector: Projector, viewers: int) -> dict[str, Any]:
    """The snapshot for staff, without `me` and `staff`."""
    buyers = [
        {"viewer": viewer, "by": projector.by(viewer), "name": projector.name(state, viewer), **record}
        for viewer, record in state["buyers"].items()
    ]
    return {
        **public_snapshot(state, projector, viewers),
        "chat": [projector.chat_line(line, staff=True) for line in state["chat"]],
        "hidden": sorted(state["hidden"]), "settings": state["settings"], "media": state["media"],
        "show": state["show"], "triage": list(state["triage"].values()), "buyers": buyers,
        "reservations": [projector.ticket(record, state, staff=True) for record in state["tickets"].values()],
        "words": state["words"], "audit": [public_audit(entry) for entry in state["audit"]],
    }  # fmt: skip
