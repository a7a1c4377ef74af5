"""Buyers who are new here, grouped by the network they came from, so that one press ends what a stranger has taken.

A viewer who never bought in the shop is noted with the first order; the network is a mark, never an address.
"""

from __future__ import annotations

from typing import Annotated, cast

from msgspec import Meta, Struct

from livecommerce.errors import NotFound, TooMuch
from livecommerce.shows.commands import Actor, Command, Sku, ViewerId
from livecommerce.shows.decision import Answered, Decision, Sent, ThroughStock, Write
from livecommerce.shows.kind import Effects, Kind, Parts, Stored
from livecommerce.shows.kinds.buyer import BUYERS_MAX, buyer_of, changed_buyer, let_in, watching
from livecommerce.shows.kinds.claims import Reservation
from livecommerce.shows.kinds.triage import SOLD
from livecommerce.shows.offers import limits_of, offer_line
from livecommerce.shows.packing import decoded
from livecommerce.shows.projection import Projector, Wire
from livecommerce.shows.state import Draft, Event, State, part
from livecommerce.stock.operations import Operation, Release, Reserve, step_id
from livecommerce.stock.outcomes import Outcome
from livecommerce.stock.skus import product_of

NEWCOMERS_MAX = 20_000  # noted in one show; who comes after them is limited, but stands in no group
GROUP_MAX = 1_000  # viewers, and claims, of one press: more are a second press
# A group's claims live on meanwhile: some have ended by themselves, and what is sold by now is not to be had again.
LET_GO = frozenset((Outcome.RELEASED, Outcome.UNCHANGED, Outcome.NOT_ACTIVE, Outcome.RESERVATION_UNKNOWN))
GIVEN_AGAIN = SOLD | {
    Outcome.SOLD_OUT, Outcome.OVER_LIMIT, Outcome.SALES_CLOSED, Outcome.ITEM_UNKNOWN, Outcome.ALREADY_CLAIMED,
}  # fmt: skip

Mark = Annotated[str, Meta(pattern=r"^[0-9a-f]{20}\Z", max_length=20)]


class GroupClaim(Struct, frozen=True, forbid_unknown_fields=True):
    """A claim as staff see it: enough to release it, and to reserve it again for its viewer."""

    reservation: Reservation
    viewer: ViewerId
    sku: Sku
    quantity: Annotated[int, Meta(ge=1, le=1_000)]


class BanGroup(Command, frozen=True, kw_only=True, tag="ban_group"):
    """Bans every newcomer of one network. `viewers` only: these of them, for the undo of `unban_group`."""

    network: Mark
    viewers: Annotated[tuple[ViewerId, ...], Meta(max_length=GROUP_MAX)] = ()


class UnbanGroup(Command, frozen=True, kw_only=True, tag="unban_group"):
    network: Mark
    viewers: Annotated[tuple[ViewerId, ...], Meta(max_length=GROUP_MAX)] = ()


class ReleaseGroup(Command, frozen=True, kw_only=True, tag="release_group"):
    """Gives back what newcomers of one network hold and wait for; claims of anybody else among them stay."""

    network: Mark
    claims: Annotated[tuple[GroupClaim, ...], Meta(min_length=1, max_length=GROUP_MAX)]


class RestoreGroup(Command, frozen=True, kw_only=True, tag="restore_group"):
    """Reserves again what `release_group` gave back, for its viewers: what is left of it, and places in line."""

    network: Mark
    claims: Annotated[tuple[GroupClaim, ...], Meta(min_length=1, max_length=GROUP_MAX)]


def newcomers_of(state: State) -> dict[str, str]:
    """{viewer: mark of the network}."""
    return cast("dict[str, str]", part(state, "newcomers"))


def noted(viewer: str, network: str, now_ms: int) -> Decision:
    """A viewer who never bought in the shop orders for the first time: no command of staff."""
    event = {"t": "newcomer", "viewer": viewer, "network": network, "at": now_ms}
    return Decision([event], [Write("newcomers", "hset", viewer, network, NEWCOMERS_MAX)])


def _group(state: State, network: str, viewers: tuple[str, ...]) -> list[str]:
    found = [viewer for viewer, mark in newcomers_of(state).items() if mark == network]
    if not found:
        raise NotFound("No new viewers of this network are in this show.")
    return [viewer for viewer in found if not viewers or viewer in viewers]


def _set_banned(state: State, group: list[str], banned: bool, now_ms: int) -> tuple[list[Event], list[Write]]:
    events: list[Event] = []
    writes: list[Write] = []
    more = sum(1 for viewer in group if viewer not in state["buyers"])
    if len(state["buyers"]) + more > BUYERS_MAX:
        raise TooMuch("Too many restricted viewers in this show.")
    for viewer in group:
        decision = changed_buyer(state, viewer, None, now_ms, banned=True) if banned else let_in(state, viewer, now_ms)
        events += decision.events
        writes += decision.writes
    return events, writes


def ban_group(state: State, command: BanGroup, actor: Actor, now_ms: int) -> Decision:
    group = [one for one in _group(state, command.network, command.viewers) if not buyer_of(state, one)["banned"]]
    group = group[:GROUP_MAX]
    events, writes = _set_banned(state, group, True, now_ms)
    inverse = {"do": "unban_group", "network": command.network, "viewers": group} if group else None
    if group:  # who comes back without the cookie is a newcomer of the same network
        watched = watching(state, group[0], [command.network], now_ms)
        events, writes = [*watched.events, *events[1:]], [*watched.writes, *writes[1:]]
    return Decision(events, writes, {"network": command.network, "banned": len(group)}, inverse)


def unban_group(state: State, command: UnbanGroup, actor: Actor, now_ms: int) -> Decision:
    group = [one for one in _group(state, command.network, command.viewers) if buyer_of(state, one)["banned"]]
    group = group[:GROUP_MAX]
    events, writes = _set_banned(state, group, False, now_ms)
    inverse = {"do": "ban_group", "network": command.network, "viewers": group} if group else None
    return Decision(events, writes, {"network": command.network, "unbanned": len(group)}, inverse)


def _of_group(state: State, network: str, claims: tuple[GroupClaim, ...]) -> list[GroupClaim]:
    marks = newcomers_of(state)
    mine = [claim for claim in claims if marks.get(claim.viewer) == network]
    if not mine:
        raise NotFound("None of these claims is of a new viewer of this network.")
    return mine


def release_group(state: State, command: ReleaseGroup, actor: Actor, now_ms: int) -> ThroughStock:
    mine, show = _of_group(state, command.network, command.claims), state["show"]
    operations: list[Operation] = [
        Release(
            id=step_id(command.id, number), shop=show["shop"], show=show["id"], reservation=claim.reservation,
            viewer=claim.viewer, source="moderator",
        )
        for number, claim in enumerate(mine)
    ]  # fmt: skip

    def conclude(answered: Answered) -> Decision:
        pairs = zip(mine, answered.answers, strict=True)
        released = [claim for claim, answer in pairs if answer.outcome == "released"]
        inverse: Sent | None = None
        if released:
            kept = [{name: getattr(claim, name) for name in GroupClaim.__struct_fields__} for claim in released]
            inverse = {"do": "restore_group", "network": command.network, "claims": kept}
        pieces = sum(claim.quantity for claim in released)
        return Decision([], [], {"network": command.network, "claims": len(released), "pieces": pieces}, inverse)

    return ThroughStock(tuple(operations), LET_GO, conclude)


def restore_group(state: State, command: RestoreGroup, actor: Actor, now_ms: int) -> ThroughStock:
    show = state["show"]
    mine = [one for one in _of_group(state, command.network, command.claims) if product_of(one.sku) in state["items"]]
    operations: list[Operation] = [
        Reserve(
            id=step_id(command.id, number), shop=show["shop"], show=show["id"], viewer=claim.viewer,
            lines=(offer_line(state, state["items"][product_of(claim.sku)], claim.sku, claim.quantity),),
            waitlist=True, limits=limits_of(state, {}), hold_seconds=show["hold_seconds"], source="moderator",
        )
        for number, claim in enumerate(mine)
    ]  # fmt: skip

    def conclude(answered: Answered) -> Decision:
        pieces = sum(line.reserved for answer in answered.answers for line in answer.lines)
        return Decision([], [], {"network": command.network, "claims": len(mine), "pieces": pieces})

    return ThroughStock(tuple(operations), GIVEN_AGAIN, conclude)


def apply(draft: Draft, event: Event) -> None:
    if len(newcomers_of(draft.state)) < NEWCOMERS_MAX:
        draft.own("newcomers")[event["viewer"]] = event["network"]


def project(projector: Projector, event: Event, after: State, wire: Wire) -> None:
    wire.staff.append({"t": "newcomer", "viewer": event["viewer"], "network": event["network"]})


def load(stored: Stored) -> Parts:
    return {"newcomers": {viewer: decoded(mark) for viewer, mark in stored.maps["newcomers"].items()}}


def shown(state: State, projector: Projector, staff: bool) -> Parts:
    return {"newcomers": dict(newcomers_of(state))} if staff else {}


KIND = Kind(
    "newcomers",
    events={"newcomer": Effects(apply, project)},
    commands={
        BanGroup: ban_group, UnbanGroup: unban_group, ReleaseGroup: release_group, RestoreGroup: restore_group,
    },
    hashes=("newcomers",),
    load=load,
    shown=shown,
)  # fmt: skip
