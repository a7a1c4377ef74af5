"""A goal that the host sets, and viewers who cheer for it: a kind to start from.

Copy it to `livecommerce/shows/kinds/<kind>.py`. What else a kind may declare is in `livecommerce/shows/kind.py`.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from livecommerce.errors import NotFound
from livecommerce.shows.commands import Actor, Command, Speaker, ViewerCommand
from livecommerce.shows.decision import Decision, Write, keep
from livecommerce.shows.kind import Effects, Kind, Parts, Stored
from livecommerce.shows.projection import Projector, Wire
from livecommerce.shows.state import Draft, Event, State, part

CHEERS_MAX = 10_000  # each is read again with every snapshot


# --- what may be done: `tag` is the command's name on the wire ---


class SetGoal(Command, frozen=True, kw_only=True, tag="goal"):
    text: Annotated[str, Meta(max_length=100)]
    host_only: ClassVar[bool] = True


class ReachGoal(Command, frozen=True, kw_only=True, tag="reach_goal"):
    """Everyone is told at once. What a crowd has cheered at cannot be taken back."""


class Cheer(ViewerCommand, frozen=True, kw_only=True, tag="cheer"):
    """Once a viewer."""


# --- what it comes to: events for the log, writes for the store, an outcome, and the command that takes it back ---


def set_goal(state: State, command: SetGoal, actor: Actor, now_ms: int) -> Decision:
    event = {"t": "goal", "text": command.text, "at": now_ms}
    inverse = {"do": "goal", "text": part(state, "goal")}
    return Decision([event], [keep("goal", command.text)], {"text": command.text}, inverse)


def reach_goal(state: State, command: ReachGoal, actor: Actor, now_ms: int) -> Decision:
    if not part(state, "goal"):
        raise NotFound("This show has no goal that could be reached.")
    return Decision([{"t": "goal_reached", "at": now_ms}], [keep("reached_ms", now_ms)], {})  # no inverse: no undo


def cheer(state: State, command: Cheer, speaker: Speaker, now_ms: int) -> Decision:
    if not part(state, "goal"):
        raise NotFound("This show has no goal to cheer for.")
    event = {"t": "cheer", "viewer": speaker.viewer, "at": now_ms}
    return Decision([event], [Write("cheers", "hset", speaker.viewer, "", CHEERS_MAX)], {})


# --- what the events change; folding the same ones twice or in another process must end at the same state ---


def apply_goal(draft: Draft, event: Event) -> None:
    draft.put("goal", event["text"])  # a value as a whole; `own` is for a list or dict of which a part changes


def apply_reached(draft: Draft, event: Event) -> None:
    draft.put("reached_ms", event["at"])


def apply_cheer(draft: Draft, event: Event) -> None:
    draft.own("cheers")[event["viewer"]] = True


# --- what pages are sent: nothing private to everyone ---


def project_goal(projector: Projector, event: Event, after: State, wire: Wire) -> None:
    wire.everyone({"t": "goal", "text": event["text"]})


def project_reached(projector: Projector, event: Event, after: State, wire: Wire) -> None:
    wire.everyone({"t": "goal_reached", "at": event["at"]})


def project_cheer(projector: Projector, event: Event, after: State, wire: Wire) -> None:
    wire.everyone_once("cheers", {"t": "cheers", "count": len(part(after, "cheers"))})


# --- the same out of the store, and in a page's snapshot ---


def load(stored: Stored) -> Parts:
    """Beside what `first` names, which is loaded by itself."""
    return {"cheers": dict.fromkeys(stored.maps["cheers"], True)}


def shown(state: State, projector: Projector, staff: bool) -> Parts:
    return {
        "goal": part(state, "goal"),
        "reached_ms": part(state, "reached_ms"),
        "cheers": len(part(state, "cheers")),
    }


KIND = Kind(
    "goal",
    events={
        "goal": Effects(apply_goal, project_goal),
        "goal_reached": Effects(apply_reached, project_reached, urgent=True),  # not at the next tick
        "cheer": Effects(apply_cheer, project_cheer),
    },
    commands={SetGoal: set_goal, ReachGoal: reach_goal},
    viewer_commands={Cheer: cheer},
    first={"goal": "", "reached_ms": 0},
    hashes=("cheers",),
    load=load,
    shown=shown,
)
