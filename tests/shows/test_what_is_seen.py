"""Who is told of an event: everyone, staff, a single viewer; a row for each event of a kind without own tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from livecommerce.shows.kinds import SHOW_KINDS, claims
from livecommerce.shows.kinds.buyer import NOTHING_SET
from livecommerce.shows.projection import Projector
from livecommerce.shows.state import State
from livecommerce.shows.store import ShowStore
from tests.shows import test_kinds
from tests.shows.world import KINDS, SHOW

PROJECTOR = Projector("salt")
ANNA = "viewer-of-anna"
LINE: dict[str, Any] = {
    "t": "chat", "id": "line-1", "viewer": ANNA, "name": "Anna", "text": "hi", "at": 5, "kind": "viewer",
}  # fmt: skip
CLAIM: dict[str, Any] = {
    "op": "reserve", "id": "line-1", "viewer": ANNA, "item": "A01", "reservation": "A01#1", "number": 1, "quantity": 1,
    "reserved": 1, "waiting": 0, "position": 0, "price": 590, "currency": "TWD", "state": "held", "outcome": "reserved",
    "deadline": 9, "text": "", "source": "comment",
}  # fmt: skip
CLAIMS = {"t": "claims", "at": 5, "claims": [CLAIM], "stock": {"A01": [4, 1, 0, 0, 5]}}
LAPSED = {**CLAIM, "op": "expire", "outcome": "expired", "state": "expired", "reserved": 0}
REFUSED = {**CLAIM, "reservation": None, "outcome": "sold_out", "reserved": 0, "number": 0, "state": ""}
SHADOWED = {"buyers": {ANNA: {**NOTHING_SET, "shadow": True}}}
QUESTION = {
    "id": "question-1", "viewer": ANNA, "name": "Anna", "text": "?", "at": 5, "place": "log", "answered": None,
}  # fmt: skip
ENTRY = {
    "id": "command-1", "do": "hide", "actor": "olga", "at": 5, "undone": False, "about": {},
    "inverse": {"do": "unhide", "comment": "line-1"},
}  # fmt: skip
WAITING = {"t": "triage", "comment": "line-1", "viewer": ANNA, "name": "Anna", "text": "hi", "at": 5, "verdict": "none"}
SETTINGS = {
    "slow_seconds": 3, "links_off": True, "first_hold": True, "proof_of_work": True, "waitlist": True, "repeat": "add",
    "fill": "any",
}  # fmt: skip
HIDDEN = {"t": "hidden", "comment": "line-1", "by_staff": "olga", "at": 5}

# (event, what is other about the state, tags to everyone, to staff, to the viewer)
Fields = dict[str, Any]
ROWS: list[tuple[Fields, Fields, list[str], list[str], list[str]]] = [
    ({"t": "audit", **ENTRY}, {}, [], ["audit"], []),
    ({"t": "buyer", "viewer": ANNA, **NOTHING_SET, "banned": True, "at": 5}, {}, [], ["buyer"], ["you"]),
    (LINE, {}, ["chat"], ["chat"], []),
    ({**LINE, "held": True}, {}, [], ["chat"], ["chat"]),
    ({**LINE, "shadow": True}, {}, [], ["chat"], ["chat"]),
    (LINE, {"hidden": {"line-1": "olga"}}, [], ["chat"], []),
    ({**LINE, "shadow": True}, {"hidden": {"line-1": "olga"}}, [], ["chat"], []),
    (CLAIMS, {}, ["claim"], ["ticket", "claim"], ["ticket"]),
    (CLAIMS, SHADOWED, [], ["ticket", "claim"], ["ticket"]),
    ({**CLAIMS, "claims": [LAPSED]}, {}, ["claim"], ["ticket", "claim"], ["ticket"]),
    ({**CLAIMS, "claims": [REFUSED]}, {}, [], ["claim"], []),
    ({**CLAIMS, "claims": []}, {}, [], [], []),
    ({**HIDDEN, "hidden": True}, {"chat": [LINE]}, ["hidden"], ["hidden"], []),
    ({**HIDDEN, "hidden": False}, {"chat": [LINE], "hidden": {"line-1": "olga"}}, ["hidden", "chat"], ["hidden"], []),
    ({**HIDDEN, "hidden": False}, {"chat": [{**LINE, "shadow": True}]}, ["hidden"], ["hidden"], []),
    ({**HIDDEN, "hidden": False}, {"chat": [{**LINE, "held": True}]}, ["hidden"], ["hidden"], []),
    ({"t": "item", "item": {"code": "Z01", "skus": []}, "at": 5}, {}, ["item"], ["item"], []),
    ({"t": "item_gone", "code": "A01", "at": 5}, {}, ["item_gone"], ["item_gone"], []),
    ({"t": "media", "state": "live", "at": 5, "picture": False, "kbps": 900}, {}, ["media"], ["media"], []),
    ({"t": "name", "viewer": ANNA, "name": "Anna", "at": 5}, {}, [], [], ["you"]),
    ({"t": "notice", "text": "hi", "at": 5}, {}, ["notice"], ["notice"], []),
    ({"t": "pin", "pin": "p1", "code": "A01", "at": 5, "media_timestamp": None}, {}, ["pin"], ["pin"], []),
    ({"t": "question", "question": QUESTION, "at": 5}, {}, ["question"], ["question"], []),
    (
        {"t": "question", "question": {**QUESTION, "place": "held"}, "at": 5},
        {},
        ["question_gone"],
        ["question"],
        ["question"],
    ),
    ({"t": "question", "question": {**QUESTION, "place": "hidden"}, "at": 5}, {}, ["question_gone"], ["question"], []),
    (
        {"t": "vote", "question": "question-1", "viewer": ANNA, "up": True, "at": 5},
        {"questions": {"question-1": QUESTION}},
        ["votes"],
        ["votes"],
        ["voted"],
    ),
    (
        {"t": "vote", "question": "question-1", "viewer": ANNA, "up": True, "at": 5},
        {"questions": {"question-1": {**QUESTION, "place": "hidden"}}},
        [],
        [],
        ["voted"],
    ),
    ({"t": "settings", **SETTINGS, "at": 5}, {}, ["settings"], ["settings"], []),
    ({"t": "stage", "stage": "live", "at": 5}, {}, ["stage"], ["stage"], []),
    ({"t": "stock", "stock": {"A01": [4, 1, 0, 0, 5]}, "at": 5}, {}, [], [], []),
    (WAITING, {}, [], ["triage"], []),
    ({"t": "triage_done", "comment": "line-1", "how": "dismissed", "at": 5}, {}, [], ["triage_done"], []),
    ({"t": "words", "added": ["bad"], "removed": [], "at": 5}, {}, [], ["words"], []),
]
# What nobody but staff may read, wherever it stands in an event.
OF_STAFF = (ANNA, "olga", "inverse", "kbps", "first_hold", "repeat", "bad", "deadline")


@pytest.fixture
async def state(store: ShowStore) -> State:
    return await store.load(SHOW)


@pytest.mark.parametrize(("event", "changes", "public", "staff", "private"), ROWS, ids=lambda v: str(v)[:60])
async def test_who_is_told(
    event: dict[str, Any],
    changes: dict[str, Any],
    public: list[str],
    staff: list[str],
    private: list[str],
    state: State,
) -> None:
    after = KINDS.fold(test_kinds.with_changes(state, changes), [event])
    wire = KINDS.project(PROJECTOR, [event], after)
    assert [one["t"] for one in wire.public] == public
    assert [one["t"] for one in wire.staff] == staff
    assert {viewer: [one["t"] for one in told] for viewer, told in wire.private.items()} == (
        {ANNA: private} if private else {}
    )
    told = json.dumps(wire.public)
    assert not [word for word in OF_STAFF if word in told], told


async def test_an_offer_is_told_as_an_offer_until_it_is_taken(state: State) -> None:
    offered = {**CLAIM, "op": "promote", "state": "offered"}
    taken = {**CLAIM, "op": "extend", "outcome": "extended"}
    told = [
        KINDS.project(PROJECTOR, [event], KINDS.fold(state, [event])).public[0]["outcome"]
        for event in ({**CLAIMS, "claims": [claim]} for claim in (offered, {**CLAIM, "op": "promote"}, taken))
    ]
    assert told == ["offered", "reserved", "extended"]


def test_every_kind_has_a_row_for_each_event_or_a_test_of_its_own() -> None:
    seen = {row[0]["t"] for row in ROWS}
    decided = {row[0]["do"] for row in (*test_kinds.ROWS, *test_kinds.THROUGH_STOCK)}
    for kind in SHOW_KINDS:
        if (Path(__file__).parent / f"test_{kind.name}.py").is_file():
            continue
        commands = {str(command.__struct_config__.tag) for command in kind.commands}
        assert set(kind.events) <= seen, f"{kind.name}: who is told of {set(kind.events) - seen}"
        assert not commands or commands & decided, f"{kind.name}: what its commands come to"


async def test_marks_stand_beside_lines_that_may_be_read_of_people_who_may_be_seen(state: State) -> None:
    lines = [{**LINE, "id": f"line-{number}"} for number in range(4)]
    lines[1]["shadow"], lines[2]["held"] = True, True
    told = [{**CLAIM, "id": line["id"], "reservation": f"A01#{at}", "number": at} for at, line in enumerate(lines, 1)]
    events = [*lines, {**CLAIMS, "claims": told}, {**HIDDEN, "comment": "line-3", "hidden": True}]
    after = KINDS.fold(state, events)
    snapshot = KINDS.snapshot(after, PROJECTOR, 1)
    assert [line["id"] for line in snapshot["chat"]] == ["line-0"]
    assert [(mark["comment"], mark["number"]) for mark in snapshot["marks"]] == [("line-0", 1)]
    assert "reservations" not in snapshot
    shadowed = KINDS.fold(after, [{"t": "buyer", "viewer": ANNA, **NOTHING_SET, "shadow": True, "at": 6}])
    assert KINDS.snapshot(shadowed, PROJECTOR, 1)["marks"] == []
    for_staff = KINDS.snapshot(shadowed, PROJECTOR, 1, staff=True)
    assert len(for_staff["chat"]) == len(for_staff["reservations"]) == 4


async def test_everyone_is_told_whether_there_is_a_picture(state: State) -> None:
    event = {"t": "media", "state": "live", "at": 5, "picture": False, "kbps": 60}
    after = KINDS.fold(state, [event])
    told = {"state": "live", "at": 5, "picture": False}
    assert KINDS.project(PROJECTOR, [event], after).public == [{"t": "media", **told}]
    assert KINDS.snapshot(after, PROJECTOR, 1)["media"] == told
    assert KINDS.snapshot(after, PROJECTOR, 1, staff=True)["media"] == {**told, "kbps": 60}


async def test_the_oldest_tickets_leave_first(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "TICKETS_MAX", 2)
    told = [{**CLAIM, "reservation": f"A01#{number}", "number": number} for number in (1, 2, 1, 3)]
    after = KINDS.fold(state, [{**CLAIMS, "claims": told}])
    assert list(after["tickets"]) == ["A01#1", "A01#3"], "one that changed is young again"
