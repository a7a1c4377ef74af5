"""The state of a show as one plain dict, and how each event of the log changes it. Pure.

`apply(state, event)` gives the next state; `fold` does the same for many and copies once. A snapshot is this state
at an offset: snapshot before + events = snapshot after, for every command (tests/shows/test_snapshot_plus_events.py).
The pages have the same reducer in web/shared/state.js over the public form.

Shape::

    {"epoch", "offset", "now", "salt", "version",
     "show": {"id","title","shop","shop_name","stage","started_ms","ended_ms","currency","locale","hold_seconds",
              "packs","limits"},
     "order": [code, …], "items": {code: product}, "stock": {sku: [available, held, sold, waiting, supplied]}
              (of these products at least; `stock_of` leaves out what a claims event told of other shows of the shop),
     "pins": [{"pin","code","at","media_timestamp"}, …] (newest last), "chat": [chat event, …] (newest last),
     "hidden": {comment: staff login}, "held": {comment: chat event}, "settings": {…}, "notice", "media": {…},
     "buyers": {viewer: {"muted_until","muted_for_ms","banned","restricted","hold_max","shadow"}},
     "addresses": {mark: viewer},
     "names": {viewer: name}, "triage": {comment: event}, "words": [word, …], "audit": [entry, …] (newest last),
     "tickets": {reservation: ticket record},
     "clock": [RTP timestamp, ms] | None: the picture that arrived at that time; as read, events do not move it on}
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

State = dict[str, Any]
Event = dict[str, Any]

CHAT_MAX = 60  # what a page shows when it opens
PINS_MAX = 16  # a host pins every few seconds at most; 30 s of history are needed
AUDIT_MAX = 50
TRIAGE_MAX = 1_000  # as in library.lua
HELD_MAX = 1_000  # as in library.lua
NAMES_MAX = 50_000  # as in library.lua
TICKETS_MAX = 500  # what the control panel lists without asking; older ones are paged from stock
PIN_HISTORY_MS = 30_000
MEDIA_TICKS_PER_MS = 90  # the RTP clock of video (RFC 6184 section 5.1)

EMPTY_BUYER: dict[str, Any] = {
    "muted_until": 0, "muted_for_ms": 0, "banned": False, "restricted": False, "hold_max": 0, "shadow": False,
}  # fmt: skip


def apply(state: State, event: Event) -> State:
    """The state after one event; the given one is left as it was."""
    return fold(state, (event,))


def fold(state: State, events: Iterable[Event]) -> State:
    """The state after many events. Containers that an event touches are copied once."""
    draft = dict(state)
    owned: set[str] = set()
    for event in events:
        change = CHANGES.get(event["t"])
        if change is not None:
            change(draft, event, owned)
    return draft


def current_pin(state: State) -> dict[str, Any] | None:
    """The last pin record, None where nothing is pinned (then its code is None or there never was one)."""
    pin = state["pins"][-1] if state["pins"] else None
    return pin if pin is not None and pin["code"] is not None else None


def stock_of(state: State) -> dict[str, list[int]]:
    """Counters of the show's own products."""
    stock = state["stock"]
    return {sku: stock[sku] for code in state["order"] for sku in state["items"][code]["skus"] if sku in stock}


def pinned_for(state: State, pin_id: str | None, now_ms: int) -> str | None:
    """The code a bare `+1` means: what that page showed if it was current within 30 s, else what is pinned now."""
    pins = state["pins"]
    if pin_id is not None:
        for index in range(len(pins) - 1, -1, -1):
            if pins[index]["pin"] == pin_id:
                replaced = pins[index + 1]["at"] if index + 1 < len(pins) else now_ms
                if now_ms - replaced <= PIN_HISTORY_MS and pins[index]["code"] is not None:
                    return str(pins[index]["code"])
                break
    pin = current_pin(state)
    return None if pin is None else str(pin["code"])


def media_timestamp(state: State, now_ms: int) -> int | None:
    """The RTP timestamp (32 bit) of the picture that arrives at `now_ms`, None while no relay tells. The state must be
    just read."""
    if state["clock"] is None:
        return None
    timestamp, at_ms = state["clock"]
    return (int(timestamp) + (now_ms - int(at_ms)) * MEDIA_TICKS_PER_MS) & 0xFFFFFFFF


def _own(draft: State, key: str, owned: set[str]) -> Any:
    if key not in owned:
        owned.add(key)
        draft[key] = draft[key].copy()
    return draft[key]


def _trim(mapping: dict[str, Any], length_max: int) -> None:
    while len(mapping) > length_max:
        del mapping[next(iter(mapping))]


def _chat(draft: State, event: Event, owned: set[str]) -> None:
    chat = _own(draft, "chat", owned)
    released = event["id"] in draft["held"] and not event.get("held")
    if released:
        _own(draft, "held", owned).pop(event["id"])
        chat[:] = [line for line in chat if line["id"] != event["id"]]
    chat.append(event)
    del chat[:-CHAT_MAX]
    if event.get("held"):
        if len(draft["held"]) < HELD_MAX:
            _own(draft, "held", owned)[event["id"]] = event
    elif event["viewer"] and event.get("name"):
        _remember_name(draft, event["viewer"], event["name"], owned)


def _remember_name(draft: State, viewer: str, name: str, owned: set[str]) -> None:
    if draft["names"].get(viewer) != name and len(draft["names"]) < NAMES_MAX:
        _own(draft, "names", owned)[viewer] = name


def _name(draft: State, event: Event, owned: set[str]) -> None:
    _remember_name(draft, event["viewer"], event["name"], owned)


def _claims(draft: State, event: Event, owned: set[str]) -> None:
    if event.get("stock"):
        _own(draft, "stock", owned).update({sku: list(counters) for sku, counters in event["stock"].items()})
    if not event.get("claims"):
        return
    tickets = _own(draft, "tickets", owned)
    for claim in event["claims"]:
        reservation = claim.get("reservation")
        if reservation:
            known = tickets.pop(reservation, None)
            tickets[reservation] = ticket_record(claim, event["at"], known)
    _trim(tickets, TICKETS_MAX)


def ticket_record(claim: dict[str, Any], at_ms: int, known: dict[str, Any] | None = None) -> dict[str, Any]:
    """What is kept of a claim: the fields of a ticket that do not depend on the product, and the viewer."""
    return {
        "id": claim["reservation"],
        "viewer": claim["viewer"],
        "sku": claim["item"],
        "number": claim["number"],
        "quantity": claim["quantity"],
        "waiting": claim.get("waiting", 0),
        "position": claim.get("position", 0),
        "price_minor": claim["price"],
        "currency": claim["currency"],
        "state": claim["state"],
        "deadline_ms": claim.get("deadline", 0),
        "text": claim.get("text", ""),
        "comment": known["comment"] if known else claim["id"],
        "at_ms": known["at_ms"] if known else at_ms,
    }


def _pin(draft: State, event: Event, owned: set[str]) -> None:
    pins = _own(draft, "pins", owned)
    pins.append({key: event.get(key) for key in ("pin", "code", "at", "media_timestamp")})
    del pins[:-PINS_MAX]


def _item(draft: State, event: Event, owned: set[str]) -> None:
    code = event["item"]["code"]
    for sku, counters in event.get("stock", {}).items():
        if sku not in draft["stock"]:  # what changed since these were read has come by itself, before or after
            _own(draft, "stock", owned)[sku] = list(counters)
    if code not in draft["items"]:
        _own(draft, "order", owned).append(code)
    _own(draft, "items", owned)[code] = event["item"]


def _item_gone(draft: State, event: Event, owned: set[str]) -> None:
    if event["code"] in draft["items"]:
        del _own(draft, "items", owned)[event["code"]]
        _own(draft, "order", owned).remove(event["code"])


def _stage(draft: State, event: Event, owned: set[str]) -> None:
    show = _own(draft, "show", owned)
    show["stage"] = event["stage"]
    if event["stage"] == "live" and not show["started_ms"]:
        show["started_ms"] = event["at"]
    if event["stage"] == "ended":
        show["ended_ms"] = event["at"]


def _media(draft: State, event: Event, owned: set[str]) -> None:
    draft["media"] = {key: value for key, value in event.items() if key != "t"}


def _hidden(draft: State, event: Event, owned: set[str]) -> None:
    hidden = _own(draft, "hidden", owned)
    if event["hidden"]:
        hidden[event["comment"]] = event.get("by_staff", "")
    else:
        hidden.pop(event["comment"], None)


def _settings(draft: State, event: Event, owned: set[str]) -> None:
    draft["settings"] = {key: value for key, value in event.items() if key not in ("t", "at")}


def _notice(draft: State, event: Event, owned: set[str]) -> None:
    draft["notice"] = event["text"]


def _triage(draft: State, event: Event, owned: set[str]) -> None:
    if len(draft["triage"]) < TRIAGE_MAX or event["comment"] in draft["triage"]:
        _own(draft, "triage", owned)[event["comment"]] = event


def _triage_done(draft: State, event: Event, owned: set[str]) -> None:
    _own(draft, "triage", owned).pop(event["comment"], None)


def _buyer(draft: State, event: Event, owned: set[str]) -> None:
    buyers = _own(draft, "buyers", owned)
    record = {key: event.get(key, empty) for key, empty in EMPTY_BUYER.items()}
    if record == EMPTY_BUYER:
        buyers.pop(event["viewer"], None)
    else:
        buyers[event["viewer"]] = record
    addresses = _own(draft, "addresses", owned)
    for mark in event.get("addresses_added", ()):
        addresses[mark] = event["viewer"]
    for mark in event.get("addresses_removed", ()):
        addresses.pop(mark, None)


def _words(draft: State, event: Event, owned: set[str]) -> None:
    draft["words"] = sorted((set(draft["words"]) | set(event["added"])) - set(event["removed"]))


def _audit(draft: State, event: Event, owned: set[str]) -> None:
    audit = _own(draft, "audit", owned)
    entry = {key: value for key, value in event.items() if key != "t"}
    for index, known in enumerate(audit):
        if known["id"] == entry["id"]:
            audit[index] = entry
            return
    if entry["undone"]:  # an old entry marked as undone: it has left the short list and does not come back to it
        return
    audit.append(entry)
    del audit[:-AUDIT_MAX]


CHANGES: dict[str, Callable[[State, Event, set[str]], None]] = {
    "chat": _chat,
    "name": _name,
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
    "triage_done": _triage_done,
    "buyer": _buyer,
    "words": _words,
    "audit": _audit,
}
