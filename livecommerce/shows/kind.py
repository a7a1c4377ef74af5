"""A kind of thing on a show: its commands, what they come to, and what its events change and show. One file each.

Everything in a kind is pure: no await, no clock, no store. `kinds/` has those of every show; other rooms may add theirs
to the registry that the roles hand in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from livecommerce.shows.commands import Command, ViewerCommand
from livecommerce.shows.decision import Decision, ThroughStock
from livecommerce.shows.projection import Projector, Wire
from livecommerce.shows.state import Draft, Event, State

Parts = dict[str, Any]  # of a state or of what pages are sent, by name


class Stored(NamedTuple):
    """What one read of a show brought, by the names of `Keys` and of the kinds' own hashes.

    Attributes:
        fields: the show's hash of state. maps: hashes as {field: value}. lists: values alone.
    """

    fields: Mapping[str, bytes]
    maps: Mapping[str, Mapping[str, bytes]]
    lists: Mapping[str, list[bytes]]


class Barred(NamedTuple):
    """Who may not act any more: a viewer; `network`: newcomers of the networks that it watches from are held too."""

    viewer: str
    network: bool


def bars_nobody(event: Event) -> Barred | None:
    return None


Apply = Callable[[Draft, Event], None]
Project = Callable[[Projector, Event, State, Wire], None]
Decide = Callable[[State, Any, Any, int], Decision | ThroughStock]
DecideForViewer = Callable[[State, Any, Any, int], Decision]


class Effects(NamedTuple):
    """What an event does.

    Attributes:
        apply: changes the draft of the state; pages and processes fold the same events to the same state.
        project: adds to what a tick sends. Its state is the one after the whole tick, so that a line hidden later in
            the same run never leaves the process.
        urgent: viewers are told at once, not at the next tick.
        bars: who may not act after it, None for nobody.
    """

    apply: Apply
    project: Project
    urgent: bool = False
    bars: Callable[[Event], Barred | None] = bars_nobody


def nothing_stored(stored: Stored) -> Parts:
    return {}


def nothing_own(state: State, projector: Projector, viewer: str) -> Parts:
    return {}


def no_moment(event: Event) -> Event | None:
    return None


def nothing_shown(state: State, projector: Projector, staff: bool) -> Parts:
    return {}


@dataclass(frozen=True)
class Kind:
    """What one file declares, as its `KIND`.

    Attributes:
        events: by the tag `t` of an event.
        commands: by struct; `decide(state, command, actor, now_ms)` raises LiveCommerceError where it cannot be done.
        viewer_commands: by struct; `decide(state, command, speaker, now_ms)`. They are decided on a state that may be
            a tick old and written unconditionally: each write has a field of its own, so that two at once both count.
        first: values that the kind keeps in the state by a name of its own, as a show begins with them (`keep` writes
            another). Shows made before the kind was there have these too.
        hashes: names of hashes of its own, beside `Keys`, which writes may name and `load` finds in `maps`.
        load: the kind's parts of the state out of what was read, beside those of `first`.
        shown: the kind's parts of a page's snapshot, for staff or for everyone.
        mine: the kind's parts of `me` in the snapshot of one viewer.
        chatter: tags of wire events that a viewer who does not keep up loses first.
        moment: what a replay keeps of an event: {"t": "moment", "kind", "id", "at" (ms; None takes it away), …} with
            nothing private in it; None for nothing.
    """

    name: str
    events: Mapping[str, Effects] = field(default_factory=dict)
    commands: Mapping[type[Command], Decide] = field(default_factory=dict)
    viewer_commands: Mapping[type[ViewerCommand], DecideForViewer] = field(default_factory=dict)
    first: Mapping[str, Any] = field(default_factory=dict)
    hashes: tuple[str, ...] = ()
    load: Callable[[Stored], Parts] = nothing_stored
    shown: Callable[[State, Projector, bool], Parts] = nothing_shown
    mine: Callable[[State, Projector, str], Parts] = nothing_own
    chatter: tuple[str, ...] = ()
    moment: Callable[[Event], Event | None] = no_moment
