"""Snapshot before + events = snapshot after: the promise behind every resume, checked for every command there is."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from livecommerce.shows.errors import NotSold
from livecommerce.shows.executor import Executor
from livecommerce.shows.kinds.newcomers import noted
from livecommerce.shows.packing import pack
from livecommerce.shows.state import State, stock_of
from livecommerce.shows.store import ChatLine, ShowStore
from livecommerce.stock.operations import Line, Reserve
from tests.shows import tests_of_kinds
from tests.shows.world import KINDS, OWNER, SHOP, SHOW, speak

HAT = {"code": "C01", "names": ["帽子"], "price_minor": 300, "supply": {"C01": 4}}

NETWORK = "0123456789abcdef0123"  # where anna comes from, who is new here
OF_ANNA = {"reservation": "A01#1", "viewer": "anna", "sku": "A01", "quantity": 2}

# What has to have happened before, then the command. "comment-1" is an unclear line of anna, "comment-2" a held one of
# ben; "A01#1" is a reservation of anna. Kinds with a test of their own
# have their stories there.
STORIES: tests_of_kinds.Stories = {
    "start": [{"do": "start"}],
    "end": [{"do": "start"}, {"do": "pin", "code": "A01"}, {"do": "end"}],
    "pin": [{"do": "pin", "code": "A01"}, {"do": "pin", "code": "A02"}],
    "unpin": [{"do": "pin", "code": "A01"}, {"do": "unpin"}],
    "restock": [{"do": "restock", "sku": "A02/紅色/M", "quantity": 7}],
    "set_stock": [{"do": "set_stock", "sku": "A01", "available": 4, "expected": 3}],
    "adjust": [{"do": "adjust", "sku": "A01", "quantity": -1, "reason": "broken"}],
    "price": [{"do": "price", "code": "A01", "price_minor": 500}],
    "close_item": [{"do": "close_item", "code": "A01"}],
    "open_item": [{"do": "close_item", "code": "A01"}, {"do": "open_item", "code": "A01"}],
    "add_item": [{"do": "add_item", "item": HAT}],
    "remove_item": [{"do": "pin", "code": "A01"}, {"do": "remove_item", "code": "A01"}],
    "hide": [{"do": "hide", "comment": "comment-1"}],
    "unhide": [
        {"do": "hide", "comment": "comment-1"},
        {"do": "unhide", "comment": "comment-1"},
        {"do": "unhide", "comment": "comment-2"},
    ],
    "mute": [{"do": "mute", "viewer": "anna", "seconds": 60}],
    "unmute": [{"do": "mute", "viewer": "anna", "seconds": 60}, {"do": "unmute", "viewer": "anna"}],
    "ban": [{"do": "ban", "viewer": "anna", "addresses": ["mark1", "mark2"]}],
    "unban": [{"do": "ban", "viewer": "anna", "addresses": ["mark1"]}, {"do": "unban", "viewer": "anna"}],
    "restrict": [{"do": "restrict", "viewer": "anna", "hold_max": 2}],
    "unrestrict": [{"do": "restrict", "viewer": "anna"}, {"do": "unrestrict", "viewer": "anna"}],
    "shadow": [{"do": "shadow", "viewer": "anna"}],
    "unshadow": [{"do": "shadow", "viewer": "anna"}, {"do": "unshadow", "viewer": "anna"}],
    "cancel": [{"do": "cancel", "reservation": "A01#1"}],
    "extend": [{"do": "extend", "reservation": "A01#1", "seconds": 1200}],
    "accept": [
        {"do": "start"},
        {
            "do": "accept",
            "comment": "comment-1",
            "lines": [{"code": "A02", "options": ["M", "紅色"], "quantity": 2}],
            "remember": "那件",
        },
    ],
    "dismiss": [{"do": "dismiss", "comment": "comment-1"}],
    "reopen": [
        {"do": "dismiss", "comment": "comment-1"},
        {
            "do": "reopen",
            "line": {
                "comment": "comment-1",
                "viewer": "ben",
                "name": "Ben",
                "by": "abc",
                "text": "那件 +1",
                "at": 5,
                "verdict": "unclear",
                "reason": "no_item",
                "guess": [{"do": "reserve", "code": "A01", "options": [], "qty": 1}],
            },
        },
    ],
    "settings": [{"do": "settings", "slow_seconds": 5, "links_off": True, "first_hold": True, "proof_of_work": True}],
    "words": [{"do": "words", "add": ["ＢＡＤ", "壞話"]}, {"do": "words", "remove": ["bad"]}],
    "notice": [{"do": "notice", "text": "免運"}, {"do": "notice", "text": None}],
    "say": [{"do": "say", "text": "大家好"}],
    "ban_group": [{"do": "ban_group", "network": NETWORK}],
    "unban_group": [{"do": "ban_group", "network": NETWORK}, {"do": "unban_group", "network": NETWORK}],
    "release_group": [{"do": "release_group", "network": NETWORK, "claims": [OF_ANNA]}],
    "restore_group": [
        {"do": "release_group", "network": NETWORK, "claims": [OF_ANNA]},
        {"do": "restore_group", "network": NETWORK, "claims": [OF_ANNA]},
    ],
    "undo": [{"do": "hide", "comment": "comment-1", "id": "hide-one-1"}, {"do": "undo", "command": "hide-one-1"}],
}


WITHOUT_UNDO = {"start", "end", "cancel", "extend", "reopen", "undo", "restore_group"}

STORIES |= tests_of_kinds.STORIES
WITHOUT_UNDO |= tests_of_kinds.WITHOUT_UNDO


def test_every_command_has_a_story() -> None:
    assert set(STORIES) == set(KINDS.commands)


@pytest.mark.parametrize("name", sorted(KINDS.commands))
async def test_snapshot_and_events_give_the_next_snapshot(name: str, store: ShowStore, executor: Executor) -> None:
    await some_life(store)
    for fields in STORIES[name]:
        if "viewer_says" in fields:
            await checked(store, speak(store, **fields["viewer_says"]))
            continue
        command = KINDS.read_command({"id": str(uuid.uuid4()), **fields})
        outcome = await checked(store, executor.execute(SHOW, command, OWNER))
        again = await checked(store, executor.execute(SHOW, command, OWNER))
        assert again == outcome, "the same id gives the same outcome"


UNDOABLE = [name for name in sorted(STORIES) if name not in WITHOUT_UNDO]


@pytest.mark.parametrize("name", UNDOABLE)
async def test_undo_brings_the_state_back(name: str, store: ShowStore, executor: Executor) -> None:
    await some_life(store)
    *before, last = STORIES[name]
    for fields in before:
        if "viewer_says" in fields:
            await speak(store, **fields["viewer_says"])
        else:
            await executor.execute(SHOW, KINDS.read_command({"id": str(uuid.uuid4()), **fields}), OWNER)
    state = visible_state(await store.load(SHOW))
    await executor.execute(SHOW, KINDS.read_command({"id": "the-command", **last}), OWNER)
    changed = visible_state(await store.load(SHOW))
    assert changed != state or name == "say", "the story changes something"
    undo = KINDS.read_command({"id": str(uuid.uuid4()), "do": "undo", "command": "the-command"})
    await checked(store, executor.execute(SHOW, undo, OWNER))
    after = await store.load(SHOW)
    assert visible_state(after) == state or name in (
        "add_item",
        "remove_item",
        "restock",
        "adjust",
        "say",
        "unhide",
        "mute",
        "unmute",
        "release_group",  # the claims come back under new numbers
    )
    entry = after["audit"][-1]
    assert (entry["id"], entry["undone"], entry["undone_by"]) == ("the-command", True, "olga")


async def test_a_line_that_got_nothing_waits_until_there_is_something(store: ShowStore, executor: Executor) -> None:
    await some_life(store)
    for fields in (
        {"do": "start"},
        {"do": "settings", "waitlist": False},
        {"do": "adjust", "sku": "A01", "quantity": -3},
    ):
        await executor.execute(SHOW, KINDS.read_command({"id": str(uuid.uuid4()), **fields}), OWNER)
    accept = {"do": "accept", "comment": "comment-1", "lines": [{"code": "A01"}]}

    async def accepted(identity: str) -> Any:
        try:
            return await executor.execute(SHOW, KINDS.read_command({"id": identity, **accept}), OWNER)
        except NotSold as error:
            return error.details["why"]

    assert await checked(store, accepted("accept-one")) == "sold_out"
    assert (await store.load(SHOW))["triage"]["comment-1"]["refused"] == "sold_out"
    assert await checked(store, accepted("accept-two")) == "sold_out"
    more = {"id": "restock-1", "do": "restock", "sku": "A01", "quantity": 1}
    await executor.execute(SHOW, KINDS.read_command(more), OWNER)
    assert (await checked(store, accepted("accept-one")))["outcome"] == "reserved", "asked again under the same id too"
    after = await store.load(SHOW)
    assert "comment-1" not in after["triage"]
    assert [entry["do"] for entry in after["audit"]] == ["start", "settings", "adjust", "restock", "accept"]


async def some_life(store: ShowStore) -> None:
    """A show with a reservation, a line in triage and a held line."""
    arrival = noted("anna", NETWORK, 1)
    await store.publish(SHOW, arrival.events, arrival.writes)
    line = Line("A01", 2, 590, "TWD", "A01 帆布包")
    await store.engine.submit(Reserve(id="reserve-1", shop=SHOP, show=SHOW, viewer="anna", lines=(line,)))
    for comment, viewer, held in (("comment-1", "anna", False), ("comment-2", "ben", True)):
        event = {
            "t": "chat",
            "id": comment,
            "viewer": viewer,
            "name": viewer,
            "text": "那件兩個",
            "at": 1,
            "kind": "viewer",
            "verdict": "unclear",
        }
        if held:
            event["held"] = True
        triage = {
            "t": "triage",
            "comment": comment,
            "viewer": viewer,
            "name": viewer,
            "by": "abc",
            "text": "那件兩個",
            "at": 1,
            "verdict": "unclear",
            "reason": "no_item",
            "pin": None,
            "guess": [],
        }
        line_ = ChatLine(
            comment,
            viewer,
            "" if held else viewer,
            "held" if held else "log",
            pack({"viewer": viewer}),
            pack(event),
            pack(triage),
        )
        assert await store.append_chat(SHOW, line_) == b""


async def checked(store: ShowStore, doing: Any) -> Any:
    """Does something and compares the state read anew with the one before plus the events since."""
    before = await store.load(SHOW)
    result = await doing
    after = await store.load(SHOW)
    entries = await store.read(SHOW, before["offset"])
    folded = KINDS.fold(before, [event for _, events in entries for event in events])
    folded["offset"] = entries[-1][0] if entries else before["offset"]
    assert comparable(folded) == comparable(after)
    return result


def comparable(state: State) -> State:
    return {**{key: value for key, value in state.items() if key not in ("now", "version")}, "stock": stock_of(state)}


def visible_state(state: State) -> State:
    left_out = ("now", "version", "offset", "audit", "pins", "chat", "tickets")
    seen = {key: value for key, value in state.items() if key not in left_out}
    # How often a line was tried is stock's affair: nobody sees it.
    seen["triage"] = {
        comment: {key: value for key, value in line.items() if key != "tries"}
        for comment, line in state["triage"].items()
    }
    # A ban that is set again begins its hours anew.
    seen["buyers"] = {
        viewer: {**record, "newcomers_held_until": bool(record["newcomers_held_until"])}
        for viewer, record in state["buyers"].items()
    }
    return {**seen, "stock": stock_of(state), "pinned": state["pins"][-1]["code"] if state["pins"] else None}


async def test_a_line_accepted_again_wears_its_newest_claim(store: ShowStore, executor: Executor) -> None:
    """Accept, undo, accept: the second claim had an id of its own that no page knew, and its line said cancelled."""
    await some_life(store)

    async def give(identity: str, **fields: Any) -> Any:
        command = KINDS.read_command({"id": identity, **fields})
        return await checked(store, executor.execute(SHOW, command, OWNER))

    accept = {"do": "accept", "comment": "comment-1", "lines": [{"code": "A01"}]}
    await give("start-it", do="start")
    await give("accept-one", **accept)
    await give("undo-it-1", do="undo", command="accept-one")
    await give("accept-two", **accept)
    tickets = [one for one in (await store.load(SHOW))["tickets"].values() if one["source"] == "moderator"]
    assert [(one["comment"], one["state"]) for one in tickets] == [("comment-1", "cancelled"), ("comment-1", "held")]


async def test_a_product_taken_out_comes_back_at_its_price_here(store: ShowStore, executor: Executor) -> None:
    await some_life(store)

    async def give(**fields: Any) -> dict[str, Any]:
        command = KINDS.read_command({"id": str(uuid.uuid4()), **fields})
        await checked(store, executor.execute(SHOW, command, OWNER))
        return dict(await store.load(SHOW))["removed"]  # type: ignore[no-any-return]

    item = (await store.load(SHOW))["items"]["A01"]
    await give(do="price", code="A01", price_minor=4990)
    removed = await give(do="remove_item", code="A01")
    assert removed["A01"]["price_minor"] == 4990
    back = {key: value for key, value in item.items() if key not in ("name", "skus", "closed")}
    assert await give(do="add_item", item=back) == {}, "it is in the show again"
