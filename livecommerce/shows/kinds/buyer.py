"""What moderators set for one viewer: mute, ban, restriction, shadow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
# Who was banned comes back without the cookie, and nobody can tell him from a neighbour who is new: for the evening
# first lines of newcomers of the network wait for a moderator. They watch and order as before.
NEWCOMERS_HELD_MS = 4 * 3_600_000
NOTHING_SET: BuyerRecord = {
    "muted_until": 0, "muted_for_ms": 0, "banned": False, "restricted": False, "hold_max": 0, "shadow": False,
    "network_until": 0, "newcomers_held_until": 0,
}  # fmt: skip


class Mute(Command, frozen=True, kw_only=True, tag="mute"):
    viewer: ViewerId
    seconds: Annotated[int, Meta(ge=1, le=30 * 86_400)] = 600


class Unmute(Command, frozen=True, kw_only=True, tag="unmute"):
    viewer: ViewerId


class Ban(Command, frozen=True, kw_only=True, omit_defaults=True, tag="ban"):
    """This viewer, on all its pages. First lines of newcomers of its networks are held; with `network_seconds` they may
    not speak or order at all.

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
    held = now_ms + NEWCOMERS_HELD_MS
    decision = changed_buyer(
        state, command.viewer, inverse, now_ms, banned=True, network_until=until, newcomers_held_until=held
    )
    decision.events[0]["addresses_added"] = list(command.addresses)
    decision.writes += [Write("addresses", "hset", mark, command.viewer) for mark in command.addresses]
    return decision


def unban(state: State, command: Unban, actor: Actor, now_ms: int) -> Decision:
    marks = [mark for mark, viewer in state["addresses"].items() if viewer == command.viewer]
    inverse: Sent = {"do": "ban", "viewer": command.viewer, "addresses": marks[:8]}
    left_ms = buyer_of(state, command.viewer)["network_until"] - now_ms
    if left_ms >= 1000:
        inverse["network_seconds"] = min(left_ms // 1000, NETWORK_SECONDS_MAX)
    return let_in(state, command.viewer, now_ms, inverse)


def let_in(state: State, viewer: str, now_ms: int, inverse: dict[str, Any] | None = None) -> Decision:
    """The end of a ban, with all that stood on it."""
    marks = [mark for mark, culprit in state["addresses"].items() if culprit == viewer]
    decision = changed_buyer(state, viewer, inverse, now_ms, banned=False, network_until=0, newcomers_held_until=0)
    decision.events[0]["addresses_removed"] = marks
    decision.writes += [Write("addresses", "hdel", mark) for mark in marks]
    return decision


def watching(state: State, viewer: str, marks: Sequence[str], now_ms: int) -> Decision:
    """A ban by which first lines of newcomers from these addresses are held, where none does so as long."""
    held = now_ms + NEWCOMERS_HELD_MS
    decision = changed_buyer(state, viewer, None, now_ms, banned=True, newcomers_held_until=held)
    added = unwatched(state, viewer, marks, _record(decision.events[0]))
    decision.events[0]["addresses_added"] = added
    decision.writes += [Write("addresses", "hset", mark, viewer) for mark in added]
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


def _reach(record: BuyerRecord) -> tuple[int, int]:
    return record["network_until"], record["newcomers_held_until"]


def unwatched(state: State, viewer: str, marks: Iterable[str], record: BuyerRecord | None = None) -> list[str]:
    """Those of the addresses that no other ban reaches as far over as that of this viewer (its `record`)."""
    network, held = _reach(buyer_of(state, viewer) if record is None else record)
    found = []
    for mark in marks:
        culprit = state["addresses"].get(mark)
        before = (0, 0) if culprit is None else _reach(buyer_of(state, culprit))
        if culprit is None or (culprit != viewer and before[0] <= network and before[1] <= held):
            found.append(mark)
    return found


def addresses_barred(state: State, viewer: str, marks: Sequence[str]) -> Decision | None:
    """The addresses that a banned viewer watches from join the ban; None where it was lifted meanwhile, or where all of
    them are in one that reaches as far."""
    record = buyer_of(state, viewer)
    marks = unwatched(state, viewer, marks)
    if not record["banned"] or max(_reach(record)) <= state["now"] or not marks:
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
    if not event["banned"]:
        return None
    return Barred(event["viewer"], bool(event.get("network_until") or event.get("newcomers_held_until")))


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
