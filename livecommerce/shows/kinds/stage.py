"""The show begins and ends."""

from __future__ import annotations

from typing import ClassVar

from livecommerce.shows.commands import Actor, Command
from livecommerce.shows.decision import Decision, Write
from livecommerce.shows.errors import ShowStageWrong
from livecommerce.shows.kind import Effects, Kind
from livecommerce.shows.kinds.pin import pin_change
from livecommerce.shows.projection import Projector, Wire
from livecommerce.shows.state import Draft, Event, State, current_pin


class Start(Command, frozen=True, kw_only=True, tag="start"):
    host_only: ClassVar[bool] = True


class End(Command, frozen=True, kw_only=True, tag="end"):
    host_only: ClassVar[bool] = True


def _changed(state: State, stage: str, now_ms: int) -> Decision:
    writes = [Write("state", "hset", "stage", stage)]
    if stage == "live" and not state["show"]["started_ms"]:
        writes.append(Write("state", "hset", "started_ms", str(now_ms)))
    if stage == "ended":
        writes.append(Write("state", "hset", "ended_ms", str(now_ms)))
    return Decision([{"t": "stage", "stage": stage, "at": now_ms}], writes, {"stage": stage})


def start(state: State, command: Start, actor: Actor, now_ms: int) -> Decision:
    stage = state["show"]["stage"]
    if stage == "live":
        return Decision([], [], {"stage": "live"})
    if stage == "ended":
        raise ShowStageWrong("The show has ended. Make a new one.")
    return _changed(state, "live", now_ms)


def end(state: State, command: End, actor: Actor, now_ms: int) -> Decision:
    if state["show"]["stage"] == "ended":
        return Decision([], [], {"stage": "ended"})
    decision = _changed(state, "ended", now_ms)
    if current_pin(state) is not None:
        pin = pin_change(state, None, now_ms)
        decision.events += pin.events
        decision.writes += pin.writes
    return decision


def apply(draft: Draft, event: Event) -> None:
    show = draft.own("show")
    show["stage"] = event["stage"]
    if event["stage"] == "live" and not show["started_ms"]:
        show["started_ms"] = event["at"]
    if event["stage"] == "ended":
        show["ended_ms"] = event["at"]


def project(projector: Projector, event: Event, after: State, wire: Wire) -> None:
    wire.everyone({"t": "stage", "stage": event["stage"], "at": event["at"]})


KIND = Kind("stage", events={"stage": Effects(apply, project, urgent=True)}, commands={Start: start, End: end})
