"""All kinds of a process in one place: reads commands, decides, folds events, and shows them. Pure."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from importlib import import_module
from typing import Any, TypeVar, cast

import msgspec

from livecommerce.bounds import in_words
from livecommerce.errors import BadInput, NotAllowed
from livecommerce.shows.commands import Actor, Command, Speaker, Undo, ViewerCommand
from livecommerce.shows.decision import Decision, ThroughStock
from livecommerce.shows.errors import CommandUnknown
from livecommerce.shows.kind import (
    Apply,
    Barred,
    Decide,
    DecideForViewer,
    Kind,
    Parts,
    Project,
    Stored,
    bars_nobody,
    nothing_own,
)
from livecommerce.shows.model import HEAD_FIELDS, KEY_NAMES
from livecommerce.shows.packing import unpack
from livecommerce.shows.projection import Projector, Wire
from livecommerce.shows.state import Draft, Event, State

Read = TypeVar("Read", Command, ViewerCommand)


def kinds_of(package: str, folder: str) -> tuple[Kind, ...]:
    """The `KIND` of every module in the folder of a package, in the order of their names: a new file is a new kind.

    Raises:
        AttributeError: a module there declares none.
    """
    names = sorted(module.name for module in pkgutil.iter_modules([folder]))
    return tuple(import_module(f"{package}.{name}").KIND for name in names)


class Registry:
    """Made once a process, of a list of kinds; every process of a server must be given the same ones.

    Raises:
        ValueError: two kinds have an event, a command, a value or a hash of the same name.
    """

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self.kinds = tuple(kinds)
        self.commands: dict[str, type[Command]] = {"undo": Undo}
        self.viewer_commands: dict[str, type[ViewerCommand]] = {}
        self.first: Parts = {}
        self.hashes: tuple[str, ...] = ()
        self.urgent: frozenset[str] = frozenset()
        self.chatter: frozenset[str] = frozenset()
        self._bars: dict[str, Callable[[Event], Barred | None]] = {}
        self._decisions: dict[type[Command], Decide] = {}
        self._viewer_decisions: dict[type[ViewerCommand], DecideForViewer] = {}
        self._mine = [kind.mine for kind in self.kinds if kind.mine is not nothing_own]  # thousands join at once
        self._moments: dict[str, Callable[[Event], Event | None]] = {}
        self._changes: dict[str, Apply] = {}
        self._projections: dict[str, Project] = {}
        for kind in self.kinds:
            self._add(kind)

    def _add(self, kind: Kind) -> None:
        for tag, effects in kind.events.items():
            self._is_new(kind, "event", tag, self._changes)
            self._changes[tag], self._projections[tag] = effects.apply, effects.project
            self._moments[tag] = kind.moment
            if effects.urgent:
                self.urgent |= {tag}
            if effects.bars is not bars_nobody:
                self._bars[tag] = effects.bars
        self.chatter |= frozenset(kind.chatter)
        for name, value in kind.first.items():
            self._is_new(kind, "value", name, dict.fromkeys((*HEAD_FIELDS, *self.first, *self.hashes)))
            self.first[name] = value
        for command, decide in kind.commands.items():
            tag = str(command.__struct_config__.tag)
            self._is_new(kind, "command", tag, {**self.commands, **self.viewer_commands})
            self.commands[tag], self._decisions[command] = command, decide
        for viewer_command, decide_for_viewer in kind.viewer_commands.items():
            tag = str(viewer_command.__struct_config__.tag)
            self._is_new(kind, "command", tag, {**self.commands, **self.viewer_commands})
            self.viewer_commands[tag] = viewer_command
            self._viewer_decisions[viewer_command] = decide_for_viewer
        for name in kind.hashes:
            self._is_new(kind, "hash", name, dict.fromkeys((*KEY_NAMES, *self.hashes, *self.first)))
            self.hashes += (name,)

    @staticmethod
    def _is_new(kind: Kind, what: str, name: str, known: Mapping[str, object]) -> None:
        if name in known:
            raise ValueError(f"{kind.name}: there is a {what} {name} already")

    # --- in --------------------------------------------------------------------------------------------------------

    def read_command(self, raw: Any) -> Command:
        """A staff command from what a page or an API client sent.

        Raises:
            CommandUnknown: `do` names none. BadInput: a field is missing or out of range; the message names it.
        """
        return _read(raw, self.commands)

    def read_viewer_command(self, raw: Any) -> ViewerCommand:
        """A viewer's command from what a page sent.

        Raises:
            NotAllowed: it is a command of staff. CommandUnknown: `do` names none. BadInput: as `read_command`.
        """
        if isinstance(raw, dict) and isinstance(raw.get("do"), str) and raw["do"] in self.commands:
            raise NotAllowed("Only staff give commands.")
        return _read(raw, self.viewer_commands)

    def decide(self, state: State, command: Command, actor: Actor, now_ms: int) -> Decision | ThroughStock:
        """What the command does in this state, or what stock has to do first.

        Raises:
            LiveCommerceError: it cannot be done now; nothing is to be changed.
        """
        return self._decisions[type(command)](state, command, actor, now_ms)

    def decide_for_viewer(self, state: State, command: ViewerCommand, speaker: Speaker, now_ms: int) -> Decision:
        """What a viewer's command does in this state, which may be a tick old.

        Raises:
            LiveCommerceError: it cannot be done now; nothing is to be changed.
        """
        return self._viewer_decisions[type(command)](state, command, speaker, now_ms)

    def load(self, stored: Stored) -> Parts:
        """The parts of the state that kinds own."""
        fields = stored.fields
        parts = {name: unpack(fields[name]) if name in fields else copy(value) for name, value in self.first.items()}
        for kind in self.kinds:
            parts |= kind.load(stored)
        return parts

    # --- on --------------------------------------------------------------------------------------------------------

    def fold(self, state: State, events: Iterable[Event]) -> State:
        """The state after these events; the given one is left as it was. Unknown events change nothing."""
        draft, changes = Draft(state), self._changes
        for event in events:
            change = changes.get(event["t"])
            if change is not None:
                change(draft, event)
        return draft.state

    # --- out -------------------------------------------------------------------------------------------------------

    def project(self, projector: Projector, events: Iterable[Event], after: State) -> Wire:
        """The wire events of a run of log events. `after` decides what is hidden by now. Stock counters are left out:
        see `counters` of the claims."""
        wire, projections = Wire(), self._projections
        for event in events:
            project = projections.get(event["t"])
            if project is not None:
                project(projector, event, after, wire)
        for event in wire.last.values():
            wire.everyone(event)
        return wire

    def snapshot(self, state: State, projector: Projector, viewers: int, *, staff: bool = False) -> Parts:
        """The snapshot for everyone or for staff, without `me` and `staff`."""
        show = cast("Parts", state["show"])
        keys = ("id", "title", "shop", "shop_name", "stage", "started_ms", "currency", "locale", "hold_seconds")
        snapshot = {
            "epoch": state["epoch"], "offset": state["offset"], "now": state["now"], "viewers": viewers,
            "show": show if staff else {key: show[key] for key in keys},
        }  # fmt: skip
        for kind in self.kinds:
            snapshot |= kind.shown(state, projector, staff)
        return snapshot

    def mine(self, state: State, projector: Projector, viewer: str) -> Parts:
        """What kinds add to `me`, for this viewer alone."""
        own: Parts = {}
        for mine in self._mine:
            own |= mine(state, projector, viewer)
        return own

    def bars(self, event: Event) -> Barred | None:
        """Who may not act after an event, None for nobody."""
        barred = self._bars.get(event["t"])
        return None if barred is None else barred(event)

    def moment(self, event: Event) -> Event | None:
        """What a replay keeps of an event beside chat, pins and products; None for nothing."""
        kept = self._moments.get(event["t"])
        return None if kept is None else kept(event)


def _read(raw: Any, known: Mapping[str, type[Read]]) -> Read:
    if not isinstance(raw, dict):
        raise BadInput("A command is a map with `id`, `do` and the fields of that command.")
    command = known.get(raw.get("do", "")) if isinstance(raw.get("do"), str) else None
    if command is None:
        raise CommandUnknown(f"There is no command {str(raw.get('do'))[:40]!r}.")
    try:
        return msgspec.convert(raw, command)
    except (msgspec.ValidationError, OverflowError, UnicodeEncodeError) as error:  # the last: half a surrogate pair
        raise BadInput(f"{raw['do']}: {in_words(str(error))}") from error
