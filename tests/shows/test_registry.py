"""The registry: what it reads, whom it refuses, and that no two kinds share a name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import inspect

from livecommerce.errors import BadInput, LiveCommerceError, NotAllowed
from livecommerce.shows import kinds as kinds_folder
from livecommerce.shows.errors import CommandUnknown
from livecommerce.shows.kind import Effects, Kind, Stored
from livecommerce.shows.kinds import SHOW_KINDS, notice, pin, question
from livecommerce.shows.packing import pack
from livecommerce.shows.registry import Registry
from tests.shows.world import KINDS, new_id

COMMANDS: list[tuple[Any, type[LiveCommerceError]]] = [
    (None, BadInput),
    ([], BadInput),
    ({}, CommandUnknown),
    ({"do": 5}, CommandUnknown),
    ({"do": "dance"}, CommandUnknown),
    ({"do": "ask_question", "id": "question-1", "text": "?"}, CommandUnknown),  # a viewer's
    ({"do": "pin"}, BadInput),
    ({"do": "pin", "id": "short", "code": "A01"}, BadInput),
    ({"do": "pin", "id": "command-1", "code": "a/b"}, BadInput),
    ({"do": "mute", "id": "command-1", "viewer": "anna", "seconds": 0}, BadInput),
]


def unbounded(kind: Any, where: str) -> list[str]:
    """Fields of whole numbers, at any depth, that any number would do for."""
    if isinstance(kind, inspect.IntType):
        return [where] if kind.ge is None or kind.le is None else []
    if isinstance(kind, inspect.StructType | inspect.TypedDictType):
        return [one for field in kind.fields for one in unbounded(field.type, f"{where}.{field.encode_name}")]
    if isinstance(kind, inspect.UnionType):
        return [one for each in kind.types for one in unbounded(each, where)]
    inner = [getattr(kind, name, None) for name in ("item_type", "value_type")] + list(getattr(kind, "item_types", ()))
    return [one for each in inner if each is not None for one in unbounded(each, f"{where}[]")]


def test_every_number_of_a_command_has_bounds() -> None:
    """2^64 was an internal error, and -5 a moment that was kept."""
    commands = [command for kind in SHOW_KINDS for command in (*kind.commands, *kind.viewer_commands)]
    assert len(commands) > 20
    assert [one for command in commands for one in unbounded(inspect.type_info(command), command.__name__)] == []


@pytest.mark.parametrize(("raw", "error"), COMMANDS)
def test_what_is_no_command(raw: Any, error: type[LiveCommerceError]) -> None:
    with pytest.raises(error):
        KINDS.read_command(raw)


def test_a_command_is_read_by_its_name() -> None:
    assert KINDS.read_command({"id": "command-1", "do": "pin", "code": "A01"}) == pin.Pin(id="command-1", code="A01")


@pytest.mark.parametrize("do", sorted(KINDS.commands))
def test_viewers_give_no_command_of_staff(do: str) -> None:
    with pytest.raises(NotAllowed):
        KINDS.read_viewer_command({"id": new_id(), "do": do})


def test_every_file_of_the_folder_is_a_kind_of_that_name() -> None:
    files = {file.stem for file in Path(kinds_folder.__path__[0]).glob("*.py")} - {"__init__"}
    assert {kind.name for kind in SHOW_KINDS} == files


def nothing(*_: Any) -> None:
    return None


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (Kind("again", events={"pin": Effects(nothing, nothing)}), "event pin"),
        (Kind("again", commands={notice.Notice: nothing}), "command notice"),  # type: ignore[dict-item]
        (Kind("again", viewer_commands={question.AskQuestion: nothing}), "command ask_question"),  # type: ignore[dict-item]
        (Kind("again", hashes=("votes",)), "hash votes"),
        (Kind("again", hashes=("log",)), "hash log"),
        (Kind("again", first={"notice": ""}), "value notice"),
        (Kind("again", first={"stage": ""}), "value stage"),
        (Kind("again", hashes=("pins",)), "hash pins"),
        (Kind("again", first={"questions": ""}), "value questions"),
    ],
)
def test_no_two_kinds_share_a_name(kind: Kind, what: str) -> None:
    with pytest.raises(ValueError, match=f"again: there is a {what} already"):
        Registry([*SHOW_KINDS, kind])


def test_a_value_that_a_show_was_made_without_begins_as_its_kind_says() -> None:
    goals = {"list": ["one"]}
    registry = Registry([Kind("goal", first={"goal": goals})])
    assert registry.load(Stored({}, {}, {})) == {"goal": goals}
    assert registry.load(Stored({"goal": pack("100")}, {}, {})) == {"goal": "100"}


def test_what_kinds_declare_of_their_events_is_found_by_tag() -> None:
    assert KINDS.urgent >= {"pin", "stage"}  # a new kind may add its own
    assert KINDS.chatter >= {"chat", "claim"}
    banned = {"t": "buyer", "viewer": "ben", "banned": True}
    assert KINDS.bars(banned) == ("ben", False)
    assert KINDS.bars({**banned, "network_until": 1}) == ("ben", True)
    assert KINDS.bars({**banned, "banned": False}) is None
    assert KINDS.bars({"t": "pin"}) is None


def test_unknown_events_change_and_show_nothing() -> None:
    state: Any = {"chat": []}
    event = {"t": "of a newer version", "at": 1}
    assert KINDS.fold(state, [event]) == state
    assert KINDS.project(None, [event], state).public == []  # type: ignore[arg-type]
    assert KINDS.moment(event) is None


@pytest.mark.parametrize("odd", [{"\ud800": 1}, {"do": ["ask_question"]}, {"do": {}}, {"do": None}])
def test_what_no_page_sends_is_refused_in_words(odd: dict[str, Any]) -> None:
    raw = {"id": "command-1", "do": "ask_question", "text": "how long is it?", **odd}
    for read in (KINDS.read_command, KINDS.read_viewer_command):
        with pytest.raises(LiveCommerceError) as refusal:
            read(raw)
        assert 1000 <= refusal.value.number < 3000
        assert json.dumps(refusal.value.as_dict(), ensure_ascii=False).encode()
