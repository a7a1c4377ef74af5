"""Words that are blocked in a show."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from livecommerce.errors import TooMuch
from livecommerce.shows.commands import Actor, Command
from livecommerce.shows.decision import Decision, Write
from livecommerce.shows.kind import Effects, Kind, Parts, Stored
from livecommerce.shows.model import WORDS_MAX
from livecommerce.shows.packing import decoded
from livecommerce.shows.projection import Projector, Wire
from livecommerce.shows.state import Draft, Event, State
from livecommerce.shows.words import fold_word

Word = Annotated[str, Meta(min_length=1, max_length=40)]


class Words(Command, frozen=True, kw_only=True, tag="words"):
    add: Annotated[tuple[Word, ...], Meta(max_length=200)] = ()
    remove: Annotated[tuple[Word, ...], Meta(max_length=200)] = ()


def change_words(state: State, command: Words, actor: Actor, now_ms: int) -> Decision:
    known = set(state["words"])
    added = sorted({fold_word(word) for word in command.add if fold_word(word)} - known)
    removed = sorted({fold_word(word) for word in command.remove} & known)
    if len(known) + len(added) > WORDS_MAX:
        raise TooMuch(f"A show has at most {WORDS_MAX} blocked words.")
    if not added and not removed:
        return Decision([], [], {"added": [], "removed": []})
    writes = [Write("words", "sadd", word) for word in added] + [Write("words", "srem", word) for word in removed]
    event = {"t": "words", "added": added, "removed": removed, "at": now_ms}
    outcome = {"added": added, "removed": removed}
    return Decision([event], writes, outcome, {"do": "words", "add": removed, "remove": added})


def apply(draft: Draft, event: Event) -> None:
    draft.put("words", sorted((set(draft.state["words"]) | set(event["added"])) - set(event["removed"])))


def project(projector: Projector, event: Event, after: State, wire: Wire) -> None:
    wire.staff.append({"t": "words", "added": event["added"], "removed": event["removed"]})


def load(stored: Stored) -> Parts:
    return {"words": sorted(decoded(word) for word in stored.lists["words"])}


def shown(state: State, projector: Projector, staff: bool) -> Parts:
    return {"words": state["words"]} if staff else {}


KIND = Kind("words", events={"words": Effects(apply, project)}, commands={Words: change_words}, load=load, shown=shown)
