"""The product on the card. Each pin names the picture that arrives with it, by the media clock that viewers share."""

from __future__ import annotations

from livecommerce.shows.commands import Actor, Command
from livecommerce.shows.decision import Decision, keep
from livecommerce.shows.errors import ShowStageWrong
from livecommerce.shows.kind import Effects, Kind, Parts
from livecommerce.shows.model import Code, known_product
from livecommerce.shows.projection import Projector, Wire
from livecommerce.shows.state import Draft, Event, PinRecord, State, current_pin, media_timestamp

PINS_MAX = 16  # a host pins every few seconds at most; 30 s of history are needed


class Pin(Command, frozen=True, kw_only=True, tag="pin"):
    code: Code


class Unpin(Command, frozen=True, kw_only=True, tag="unpin"):
    """Nothing is pinned any more."""


def pin_change(state: State, code: str | None, now_ms: int) -> Decision:
    if state["show"]["stage"] == "ended" and code is not None:
        raise ShowStageWrong("The show has ended.")
    number = 1 + (int(state["pins"][-1]["pin"][1:]) if state["pins"] else 0)
    at = media_timestamp(state["clock"], now_ms)
    record: PinRecord = {"pin": f"p{number}", "code": code, "at": now_ms, "media_timestamp": at}
    pins = [*state["pins"], record][-PINS_MAX:]
    before = current_pin(state)
    inverse = {"do": "pin", "code": before["code"]} if before else {"do": "unpin"}
    return Decision([{"t": "pin", **record}], [keep("pins", pins)], {"pin": record["pin"], "code": code}, inverse)


def pin(state: State, command: Pin, actor: Actor, now_ms: int) -> Decision:
    known_product(state["items"], command.code)
    return pin_change(state, command.code, now_ms)


def unpin(state: State, command: Unpin, actor: Actor, now_ms: int) -> Decision:
    if current_pin(state) is None:
        return Decision([], [], {"pin": None, "code": None})
    return pin_change(state, None, now_ms)


def apply(draft: Draft, event: Event) -> None:
    pins = draft.own("pins")
    pins.append({key: event.get(key) for key in ("pin", "code", "at", "media_timestamp")})
    del pins[:-PINS_MAX]


def project(projector: Projector, event: Event, after: State, wire: Wire) -> None:
    wire.everyone({key: event.get(key) for key in ("t", "pin", "code", "at", "media_timestamp")})


def shown(state: State, projector: Projector, staff: bool) -> Parts:
    return {"pin": state["pins"][-1] if state["pins"] else None}


KIND = Kind(
    "pin",
    events={"pin": Effects(apply, project, urgent=True)},
    commands={Pin: pin, Unpin: unpin},
    first={"pins": []},
    shown=shown,
)
