"""What moderators set for one viewer: mute, ban, restriction, shadow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, cast

from msgspec import Meta

from livecommerce.bounds import LimitPerViewer
from livecommerce.errors import TooMuch
from livecommerce.shows.commands import Actor, Command, ViewerId
from livecommerce.shows.decision import Decision, Sent, Write
from livecommerce.shows.kind import Barred, Effects, Kind, Parts, Stored
from livecommerce.shows.packing import decoded, pack, unpack
from livecommerce.shows.projection import Projector, Wire
from livecommerce.shows.state import BuyerRecord, Draft, Event, State

BUYERS_MAX = 20_000
NETWORK_SECONDS_MAX = 86_400  # whole towns share an address of a phone network: a day is long
NOTHING_SET: BuyerRecord = {
    "muted_until": 0, "muted_for_ms": 0, "banned": False, "restricted": False, "hold_max": 0, "shadow": False,
    "network_until": 0,
}  # fmt: skip


class Mute(Command, frozen=True, kw_only=True, tag="mute"):
    viewer: ViewerId
    seconds: Annotated[int, Meta(ge=1, le=30 * 86_400)] = 600


class Unmute(Command, frozen=True, kw_only=True, tag="unmute"):
    viewer: ViewerId


class Ban(Command, frozen=True, kw_only=True, omit_defaults=True, tag="ban"):
    """This viewer, on all its pages; with `network_seconds` newcomers of its networks may not speak or order either.

    `addresses` are marks, never plain addresses: kept by `unban`, for its undo. The processes that the viewer is
    connected to add those it watches from.
    """

    viewer: ViewerId
    network_seconds: Annotated[int, Meta(ge=0, le=NETWORK_SECONDS_MAX)] = 0
    addresses: Annotated[tuple[str, ...], Meta(max_length=8)] = ()
    unaudited: ClassVar[frozenset[str]] = frozenset(("addresses",))


class Unban(Command, frozen=True, kw_only=True, tag="unban"):
    viewer: ViewerId


class Restrict(Command, frozen=True, kw_only=True, tag="restrict"):
    viewer: ViewerId
    hold_max: LimitPerViewer = 0


class Unrestrict(Command, frozen=True, kw_only=True, tag="unrestrict"):
    viewer: ViewerId


class Shadow(Command, frozen=True, kw_only=True, tag="shadow"):
    viewer: ViewerId


class Unshadow(Command, frozen=True, kw_only=True, tag="unshadow"):
    viewer: ViewerId


def buyer_of(state: State, viewer: str) -> BuyerRecord:
    """All fields, also of a viewer who has no record."""
    return {**NOTHING_SET, **state["buyers"].get(viewer, {})}


def changed_buyer(state: State, viewer: str, inverse: Sent | None, now_ms: int, **change: Any) -> Decision:
    """One viewer's record with `change` in it.

    Raises:
        TooMuch: the show keeps as many as it can.
    """
    if viewer not in state["buyers"] and len(state["buyers"]) >= BUYERS_MAX:
        raise TooMuch("Too many restricted viewers in this show.")
    record = {**buyer_of(state, viewer), **change}
    cleared = record == NOTHING_SET
    write = Write("buyers", "hdel", viewer) if cleared else Write("buyers", "hset", viewer, pack(record))
    return Decision([{"t": "buyer", "viewer": viewer, **record, "at": now_ms}], [write], dict(change), inverse)


def mute(state: State, command: Mute, actor: Actor, now_ms: int) -> Decision:
    until = now_ms + command.seconds * 1000
    inverse = {"do": "unmute", "viewer": command.viewer}
    return changed_buyer(state, command.viewer, inverse, now_ms, muted_until=until, muted_for_ms=command.seconds * 1000)


def unmute(state: State, command: Unmute, actor: Actor, now_ms: int) -> Decision:
    left_ms = buyer_of(state, command.viewer)["muted_until"] - now_ms
    inverse = None
    if left_ms >= 1000:
        inverse = {"do": "mute", "viewer": command.viewer, "seconds": left_ms // 1000}
    return changed_buyer(state, command.viewer, inverse, now_ms, muted_until=0, muted_for_ms=0)


def ban(state: State, command: Ban, actor: Actor, now_ms: int) -> Decision:
    until = now_ms + command.network_seconds * 1000 if command.network_seconds else 0
    inverse = {"do": "unban", "viewer": command.viewer}
    decision = changed_buyer(state, command.viewer, inverse, now_ms, banned=True, network_until=until)
    decision.events[0]["addresses_added"] = list(command.addresses)
    decision.writes += [Write("addresses", "hset", mark, command.viewer) for mark in command.addresses]
    return decision


def unban(state: State, command: Unban, actor: Actor, now_ms: int) -> Decision:
    marks = [mark for mark, viewer in state["addresses"].items() if viewer == command.viewer]
    inverse: Sent = {"do": "ban", "viewer": command.viewer, "addresses": marks[:8]}
    left_ms = buyer_of(state, command.viewer)["network_until"] - now_ms
    if left_ms >= 1000:
        inverse["network_seconds"] = min(left_ms // 1000, NETWORK_SECONDS_MAX)
    decision = changed_buyer(state, command.viewer, inverse, now_ms, banned=False, network_until=0)
    decision.events[0]["addresses_removed"] = marks
    decision.writes += [Write("addresses", "hdel", mark) for mark in marks]
    return decision


def restrict(state: State, command: Restrict, actor: Actor, now_ms: int) -> Decision:
    inverse = {"do": "unrestrict", "viewer": command.viewer}
    return changed_buyer(state, command.viewer, inverse, now_ms, restricted=True, hold_max=command.hold_max)


def unrestrict(state: State, command: Unrestrict, actor: Actor, now_ms: int) -> Decision:
    inverse = {"do": "restrict", "viewer": command.viewer, "hold_max": buyer_of(state, command.viewer)["hold_max"]}
    return changed_buyer(state, command.viewer, inverse, now_ms, restricted=False, hold_max=0)


def shadow(state: State, command: Shadow, actor: Actor, now_ms: int) -> Decision:
    return changed_buyer(state, command.viewer, {"do": "unshadow", "viewer": command.viewer}, now_ms, shadow=True)


def unshadow(state: State, command: Unshadow, actor: Actor, now_ms: int) -> Decision:
    return changed_buyer(state, command.viewer, {"do": "shadow", "viewer": command.viewer}, now_ms, shadow=False)


def addresses_barred(state: State, viewer: str, marks: Sequence[str]) -> Decision | None:
    """The addresses that a banned viewer watches from join the ban; None where it was lifted meanwhile, or where it is
    of no network."""
    record = buyer_of(state, viewer)
    if not record["banned"] or record["network_until"] <= state["now"]:
        return None
    event = {"t": "buyer", "viewer": viewer, **record, "at": state["now"], "addresses_added": list(marks)}
    return Decision([event], [Write("addresses", "hset", mark, viewer) for mark in marks])


def _record(event: Event) -> BuyerRecord:
    """Events of an older version have not all fields."""
    return cast("BuyerRecord", {key: event.get(key, unset) for key, unset in NOTHING_SET.items()})


def apply(draft: Draft, event: Event) -> None:
    buyers = draft.own("buyers")
    record = _record(event)
    if record == NOTHING_SET:
        buyers.pop(event["viewer"], None)
    else:
        buyers[event["viewer"]] = record
    addresses = draft.own("addresses")
    for mark in event.get("addresses_added", ()):
        addresses[mark] = event["viewer"]
    for mark in event.get("addresses_removed", ()):
        addresses.pop(mark, None)


def _shape(projector: Projector, state: State, viewer: str, record: BuyerRecord) -> Parts:
    name = projector.name(state["names"], viewer)
    return {"viewer": viewer, "by": projector.by(viewer), "name": name, **record}


def project(projector: Projector, event: Event, after: State, wire: Wire) -> None:
    record = _record(event)
    wire.staff.append({"t": "buyer", **_shape(projector, after, event["viewer"], record)})
    wire.to(event["viewer"], {"t": "you", "muted_until": event["muted_until"], "banned": event["banned"]})


def bars(event: Event) -> Barred | None:
    return Barred(event["viewer"], bool(event.get("network_until"))) if event["banned"] else None


def load(stored: Stored) -> Parts:
    return {
        "buyers": {viewer: unpack(blob) for viewer, blob in stored.maps["buyers"].items()},
        "addresses": {mark: decoded(viewer) for mark, viewer in stored.maps["addresses"].items()},
    }


def shown(state: State, projector: Projector, staff: bool) -> Parts:
    if not staff:
        return {}
    return {"buyers": [_shape(projector, state, viewer, record) for viewer, record in state["buyers"].items()]}


KIND = Kind(
    "buyer",
    events={"buyer": Effects(apply, project, bars=bars)},
    commands={
        Mute: mute, Unmute: unmute, Ban: ban, Unban: unban, Restrict: restrict, Unrestrict: unrestrict,
        Shadow: shadow, Unshadow: unshadow,
    },
    load=load,
    shown=shown,
)  # fmt: skip
