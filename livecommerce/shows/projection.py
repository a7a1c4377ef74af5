"""From the log to the wire: what viewers are called, how lines and tickets look, and what one tick sends. Pure.

How an event of a kind is shown stands with the kind. Nothing private crosses into a public event: no viewer id, no
hidden, held or shadowed text, no address. `by` is the ten-character handle of a viewer in this show.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from msgspec import Struct, field

from livecommerce.shows.model import label_of, options_of, viewer_handle
from livecommerce.shows.state import State, TicketRecord
from livecommerce.stock.skus import product_of

WireEvent = dict[str, Any]


def guest_name(handle: str) -> str:
    """What a viewer goes by without a name."""
    return f"guest-{handle[:4]}"


class Wire(Struct):
    """What one tick sends: to everyone, to staff, and to single viewers (by viewer id)."""

    public: list[WireEvent] = field(default_factory=list)
    staff: list[WireEvent] = field(default_factory=list)
    private: dict[str, list[WireEvent]] = field(default_factory=dict)
    last: dict[Hashable, WireEvent] = field(default_factory=dict)

    def everyone(self, event: WireEvent) -> None:
        self.public.append(event)
        self.staff.append(event)

    def everyone_once(self, key: Hashable, event: WireEvent) -> None:
        """Of all events of a tick with this key only the last one is sent: figures that a crowd moves on."""
        self.last[key] = event

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

    def name(self, names: Mapping[str, str], viewer: str) -> str:
        """What a viewer goes by: the name in the state's `names`, else a guest's."""
        return names.get(viewer, "") or guest_name(self.by(viewer))

    def chat_line(self, event: Mapping[str, Any], *, staff: bool) -> WireEvent:
        line = {
            "t": "chat", "id": event["id"], "by": self.by(event["viewer"]), "name": event["name"],
            "text": event["text"], "at": event["at"], "kind": event["kind"],
        }  # fmt: skip
        if staff:
            line |= {
                "viewer": event["viewer"], "verdict": event.get("verdict", "none"),
                "held": bool(event.get("held")), "shadow": bool(event.get("shadow")),
            }  # fmt: skip
            if event.get("refused"):
                line["refused"] = event["refused"]
        return line

    def ticket(self, record: TicketRecord, state: State, *, staff: bool = False) -> WireEvent:
        """A ticket as pages show it, from a ticket record of the state."""
        sku = record["sku"]
        product = state["items"].get(product_of(sku))
        ticket = {
            "id": record["id"], "sku": sku, "code": product_of(sku),
            "label": record["text"] or label_of(sku, product), "options": options_of(sku),
            "quantity": record["quantity"], "waiting": record["waiting"], "price_minor": record["price_minor"],
            "currency": record["currency"], "number": record["number"], "state": record["state"],
            "position": record["position"], "deadline_ms": record["deadline_ms"], "show": state["show"]["id"],
            "comment": record["comment"], "at_ms": record["at_ms"],
        }  # fmt: skip
        if staff:
            viewer = record["viewer"]
            ticket |= {"viewer": viewer, "by": self.by(viewer), "name": self.name(state["names"], viewer)}
        return ticket
