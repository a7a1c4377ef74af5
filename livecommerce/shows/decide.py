"""What a staff command does to a show: (state, command, actor, time) → events, writes, outcome, inverse. Pure.

`writes` are [key index, operation, field, value?] for library.lua, in the numbering of `Keys.all`. `inverse` is the
command that takes it back (kept in the audit trail for `undo`), None where it cannot be taken back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgpack
from msgspec import Struct

from livecommerce.errors import Conflict, ItemUnknown, NotFound, ShowStageWrong, TooMuch
from livecommerce.shows import commands as c
from livecommerce.shows.model import ITEMS_MAX, WORDS_MAX, ShowItem, checked_item
from livecommerce.shows.state import EMPTY_BUYER, PINS_MAX, Event, State, current_pin, media_timestamp
from livecommerce.shows.words import fold_word

STATE, BUYERS, HIDDEN, TRIAGE, WORDS, AUDIT, NAMES, ADDRESSES, HELD = 1, 3, 4, 5, 6, 7, 9, 10, 13

# Moderators hide by hand: one a second for five hours.
HIDDEN_MAX = 20_000
BUYERS_MAX = 20_000


class Decision(Struct):
    events: list[Event]
    writes: list[list[Any]]
    outcome: dict[str, Any] = {}
    inverse: dict[str, Any] | None = None


def pack(value: Any) -> bytes:
    packed: bytes = msgpack.packb(value, use_bin_type=True)
    return packed


def pack_for_lua(value: Any) -> bytes:
    """As Lua's cmsgpack reads it: it knows no `bin` type, so bytes go as raw strings."""
    packed: bytes = msgpack.packb(value, use_bin_type=False)
    return packed


def decide(state: State, command: c.Command, actor: c.Actor, now_ms: int) -> Decision:
    """What the command does in this state.

    Raises:
        LiveCommerceError: it cannot be done now; nothing is to be changed.
    """
    return DECISIONS[type(command)](state, command, actor, now_ms)


def _product(state: State, code: str) -> dict[str, Any]:
    product: dict[str, Any] | None = state["items"].get(code)
    if product is None:
        raise ItemUnknown(f"This show has no product {code}.")
    return product


def _stage_decision(state: State, stage: str, now_ms: int) -> Decision:
    writes: list[list[Any]] = [[STATE, "hset", "stage", stage]]
    if stage == "live" and not state["show"]["started_ms"]:
        writes.append([STATE, "hset", "started_ms", str(now_ms)])
    if stage == "ended":
        writes.append([STATE, "hset", "ended_ms", str(now_ms)])
    return Decision([{"t": "stage", "stage": stage, "at": now_ms}], writes, {"stage": stage})


def _start(state: State, command: c.Start, actor: c.Actor, now_ms: int) -> Decision:
    stage = state["show"]["stage"]
    if stage == "live":
        return Decision([], [], {"stage": "live"})
    if stage == "ended":
        raise ShowStageWrong("The show has ended. Make a new one.")
    return _stage_decision(state, "live", now_ms)


def _end(state: State, command: c.End, actor: c.Actor, now_ms: int) -> Decision:
    if state["show"]["stage"] == "ended":
        return Decision([], [], {"stage": "ended"})
    decision = _stage_decision(state, "ended", now_ms)
    if current_pin(state) is not None:
        pin = _pin_change(state, None, now_ms)
        decision.events += pin.events
        decision.writes += pin.writes
    return decision


def _pin_change(state: State, code: str | None, now_ms: int) -> Decision:
    if state["show"]["stage"] == "ended" and code is not None:
        raise ShowStageWrong("The show has ended.")
    number = 1 + (int(state["pins"][-1]["pin"][1:]) if state["pins"] else 0)
    record = {"pin": f"p{number}", "code": code, "at": now_ms, "media_timestamp": media_timestamp(state, now_ms)}
    pins = [*state["pins"], record][-PINS_MAX:]
    before = current_pin(state)
    inverse = {"do": "pin", "code": before["code"]} if before else {"do": "unpin"}
    return Decision(
        [{"t": "pin", **record}], [[STATE, "hset", "pins", pack(pins)]], {"pin": record["pin"], "code": code}, inverse
    )


def _pin(state: State, command: c.Pin, actor: c.Actor, now_ms: int) -> Decision:
    _product(state, command.code)
    return _pin_change(state, command.code, now_ms)


def _unpin(state: State, command: c.Unpin, actor: c.Actor, now_ms: int) -> Decision:
    if current_pin(state) is None:
        return Decision([], [], {"pin": None, "code": None})
    return _pin_change(state, None, now_ms)


def item_change(product: dict[str, Any], now_ms: int) -> tuple[Event, list[Any]]:
    return {"t": "item", "item": product, "at": now_ms}, [STATE, "hset", f"item:{product['code']}", pack(product)]


def _changed_item(state: State, code: str, field: str, value: Any, inverse: dict[str, Any], now_ms: int) -> Decision:
    product = {**_product(state, code), field: value}
    event, write = item_change(product, now_ms)
    return Decision([event], [write], {"code": code, field: value}, inverse)


def _price(state: State, command: c.Price, actor: c.Actor, now_ms: int) -> Decision:
    before = _product(state, command.code)["price_minor"]
    inverse = {"do": "price", "code": command.code, "price_minor": before}
    return _changed_item(state, command.code, "price_minor", command.price_minor, inverse, now_ms)


def _close_item(state: State, command: c.CloseItem, actor: c.Actor, now_ms: int) -> Decision:
    return _changed_item(state, command.code, "closed", True, {"do": "open_item", "code": command.code}, now_ms)


def _open_item(state: State, command: c.OpenItem, actor: c.Actor, now_ms: int) -> Decision:
    return _changed_item(state, command.code, "closed", False, {"do": "close_item", "code": command.code}, now_ms)


def _add_item(state: State, command: c.AddItem, actor: c.Actor, now_ms: int) -> Decision:
    item: ShowItem = checked_item(command.item)
    if item.code not in state["items"] and len(state["items"]) >= ITEMS_MAX:
        raise TooMuch(f"A show has at most {ITEMS_MAX} products.")
    if item.currency != state["show"]["currency"]:
        raise Conflict(f"This show sells in {state['show']['currency']}, the product is priced in {item.currency}.")
    known = state["items"].get(item.code)
    if known is not None and known["skus"] != item.skus():
        raise Conflict(f"Product {item.code} is in this show with other options. Remove it first.")
    event, write = item_change(item.public(), now_ms)
    order = state["order"] if known else [*state["order"], item.code]
    inverse = None if known else {"do": "remove_item", "code": item.code}
    return Decision([event], [write, [STATE, "hset", "order", pack(order)]], {"code": item.code}, inverse)


def _remove_item(state: State, command: c.RemoveItem, actor: c.Actor, now_ms: int) -> Decision:
    product = _product(state, command.code)
    order = [code for code in state["order"] if code != command.code]
    events: list[Event] = [{"t": "item_gone", "code": command.code, "at": now_ms}]
    writes: list[list[Any]] = [
        [STATE, "hdel", f"item:{command.code}"],
        [STATE, "hset", "order", pack(order)],
    ]
    pin = current_pin(state)
    if pin is not None and pin["code"] == command.code:
        unpin = _pin_change(state, None, now_ms)
        events, writes = unpin.events + events, unpin.writes + writes
    back = {key: value for key, value in product.items() if key not in ("name", "skus")}
    return Decision(events, writes, {"code": command.code}, {"do": "add_item", "item": back})


def _hide(state: State, command: c.Hide, actor: c.Actor, now_ms: int) -> Decision:
    if command.comment in state["hidden"]:
        return Decision([], [], {"hidden": True})
    if len(state["hidden"]) >= HIDDEN_MAX:
        raise TooMuch("Too many hidden comments in this show.")
    event = {"t": "hidden", "comment": command.comment, "hidden": True, "by_staff": actor.login, "at": now_ms}
    write = [HIDDEN, "hset", command.comment, actor.login]
    return Decision([event], [write], {"hidden": True}, {"do": "unhide", "comment": command.comment})


def _unhide(state: State, command: c.Unhide, actor: c.Actor, now_ms: int) -> Decision:
    """Shows a hidden comment again, or lets a held first comment through."""
    decision = Decision([], [], {"hidden": False}, {"do": "hide", "comment": command.comment})
    if command.comment in state["hidden"]:
        decision.events.append(
            {"t": "hidden", "comment": command.comment, "hidden": False, "by_staff": actor.login, "at": now_ms}
        )
        decision.writes.append([HIDDEN, "hdel", command.comment])
    held = state["held"].get(command.comment)
    if held is not None:
        decision.events.append({**{key: value for key, value in held.items() if key != "held"}, "at": now_ms})
        decision.writes.append([HELD, "hdel", command.comment])
        decision.writes.append([NAMES, "hset", held["viewer"], held["name"]])
        if state["triage"].get(command.comment, {}).get("verdict") == "none":  # it waited for this word alone
            decision.events.append(_triage_done(command.comment, "shown", actor, now_ms))
            decision.writes.append([TRIAGE, "hdel", command.comment])
    return decision


def buyer_of(state: State, viewer: str) -> dict[str, Any]:
    return {**EMPTY_BUYER, **state["buyers"].get(viewer, {})}


def _buyer_change(state: State, viewer: str, inverse: dict[str, Any] | None, now_ms: int, **change: Any) -> Decision:
    if viewer not in state["buyers"] and len(state["buyers"]) >= BUYERS_MAX:
        raise TooMuch("Too many restricted viewers in this show.")
    record = {**buyer_of(state, viewer), **change}
    write = [BUYERS, "hdel", viewer] if record == EMPTY_BUYER else [BUYERS, "hset", viewer, pack(record)]
    return Decision([{"t": "buyer", "viewer": viewer, **record, "at": now_ms}], [write], dict(change), inverse)


def _mute(state: State, command: c.Mute, actor: c.Actor, now_ms: int) -> Decision:
    until = now_ms + command.seconds * 1000
    inverse = {"do": "unmute", "viewer": command.viewer}
    return _buyer_change(state, command.viewer, inverse, now_ms, muted_until=until, muted_for_ms=command.seconds * 1000)


def _unmute(state: State, command: c.Unmute, actor: c.Actor, now_ms: int) -> Decision:
    left_ms = buyer_of(state, command.viewer)["muted_until"] - now_ms
    inverse = None
    if left_ms >= 1000:
        inverse = {"do": "mute", "viewer": command.viewer, "seconds": left_ms // 1000}
    return _buyer_change(state, command.viewer, inverse, now_ms, muted_until=0, muted_for_ms=0)


def _ban(state: State, command: c.Ban, actor: c.Actor, now_ms: int) -> Decision:
    decision = _buyer_change(state, command.viewer, {"do": "unban", "viewer": command.viewer}, now_ms, banned=True)
    decision.events[0]["addresses_added"] = list(command.addresses)
    decision.writes += [[ADDRESSES, "hset", mark, command.viewer] for mark in command.addresses]
    return decision


def _unban(state: State, command: c.Unban, actor: c.Actor, now_ms: int) -> Decision:
    marks = [mark for mark, viewer in state["addresses"].items() if viewer == command.viewer]
    inverse = {"do": "ban", "viewer": command.viewer, "addresses": marks[:8]}
    decision = _buyer_change(state, command.viewer, inverse, now_ms, banned=False)
    decision.events[0]["addresses_removed"] = marks
    decision.writes += [[ADDRESSES, "hdel", mark] for mark in marks]
    return decision


def _restrict(state: State, command: c.Restrict, actor: c.Actor, now_ms: int) -> Decision:
    inverse = {"do": "unrestrict", "viewer": command.viewer}
    return _buyer_change(state, command.viewer, inverse, now_ms, restricted=True, hold_max=command.hold_max)


def _unrestrict(state: State, command: c.Unrestrict, actor: c.Actor, now_ms: int) -> Decision:
    inverse = {"do": "restrict", "viewer": command.viewer, "hold_max": buyer_of(state, command.viewer)["hold_max"]}
    return _buyer_change(state, command.viewer, inverse, now_ms, restricted=False, hold_max=0)


def _shadow(state: State, command: c.Shadow, actor: c.Actor, now_ms: int) -> Decision:
    return _buyer_change(state, command.viewer, {"do": "unshadow", "viewer": command.viewer}, now_ms, shadow=True)


def _unshadow(state: State, command: c.Unshadow, actor: c.Actor, now_ms: int) -> Decision:
    return _buyer_change(state, command.viewer, {"do": "shadow", "viewer": command.viewer}, now_ms, shadow=False)


def _triage_done(comment: str, how: str, actor: c.Actor, now_ms: int) -> Event:
    return {"t": "triage_done", "comment": comment, "how": how, "by_staff": actor.login, "at": now_ms}


def _dismiss(state: State, command: c.Dismiss, actor: c.Actor, now_ms: int) -> Decision:
    if command.comment not in state["triage"]:
        raise NotFound("This line is no longer waiting; somebody else was faster.")
    writes: list[list[Any]] = [[TRIAGE, "hdel", command.comment]]
    return Decision([_triage_done(command.comment, "dismissed", actor, now_ms)], writes, {"how": "dismissed"})


def accepted(state: State, comment: str, actor: c.Actor, now_ms: int) -> Decision:
    """The line leaves the queue after its pieces have been reserved."""
    if comment not in state["triage"]:
        return Decision([], [])
    return Decision([_triage_done(comment, "accepted", actor, now_ms)], [[TRIAGE, "hdel", comment]])


def _settings(state: State, command: c.SetSettings, actor: c.Actor, now_ms: int) -> Decision:
    fields = ("slow_seconds", "links_off", "first_hold", "waitlist", "repeat", "fill")
    change = {name: getattr(command, name) for name in fields if getattr(command, name) is not None}
    before = {name: state["settings"][name] for name in change}
    settings = {**state["settings"], **change}
    event = {"t": "settings", **settings, "at": now_ms}
    return Decision([event], [[STATE, "hset", "settings", pack(settings)]], change, {"do": "settings", **before})


def _words(state: State, command: c.Words, actor: c.Actor, now_ms: int) -> Decision:
    known = set(state["words"])
    added = sorted({fold_word(word) for word in command.add if fold_word(word)} - known)
    removed = sorted({fold_word(word) for word in command.remove} & known)
    if len(known) + len(added) > WORDS_MAX:
        raise TooMuch(f"A show has at most {WORDS_MAX} blocked words.")
    if not added and not removed:
        return Decision([], [], {"added": [], "removed": []})
    writes: list[list[Any]] = [[WORDS, "sadd", word] for word in added] + [[WORDS, "srem", word] for word in removed]
    event = {"t": "words", "added": added, "removed": removed, "at": now_ms}
    outcome = {"added": added, "removed": removed}
    return Decision([event], writes, outcome, {"do": "words", "add": removed, "remove": added})


def _notice(state: State, command: c.Notice, actor: c.Actor, now_ms: int) -> Decision:
    event = {"t": "notice", "text": command.text, "at": now_ms}
    inverse = {"do": "notice", "text": state["notice"]}
    return Decision([event], [[STATE, "hset", "notice", pack(command.text)]], {"text": command.text}, inverse)


def _say(state: State, command: c.Say, actor: c.Actor, now_ms: int) -> Decision:
    kind = "moderator" if actor.role == "moderator" else "host"
    name = command.name or actor.login
    event = {
        "t": "chat", "id": command.id, "viewer": "", "name": name, "text": command.text, "at": now_ms, "kind": kind,
        "verdict": "none",
    }  # fmt: skip
    return Decision([event], [], {"comment": command.id}, {"do": "hide", "comment": command.id})


DECISIONS: dict[type[c.Command], Callable[[State, Any, c.Actor, int], Decision]] = {
    c.Start: _start,
    c.End: _end,
    c.Pin: _pin,
    c.Unpin: _unpin,
    c.Price: _price,
    c.CloseItem: _close_item,
    c.OpenItem: _open_item,
    c.AddItem: _add_item,
    c.RemoveItem: _remove_item,
    c.Hide: _hide,
    c.Unhide: _unhide,
    c.Mute: _mute,
    c.Unmute: _unmute,
    c.Ban: _ban,
    c.Unban: _unban,
    c.Restrict: _restrict,
    c.Unrestrict: _unrestrict,
    c.Shadow: _shadow,
    c.Unshadow: _unshadow,
    c.Dismiss: _dismiss,
    c.SetSettings: _settings,
    c.Words: _words,
    c.Notice: _notice,
    c.Say: _say,
}
