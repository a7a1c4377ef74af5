"""What each command comes to, a row each: refusals, nothing to do, and what takes it back; stories show the rest."""

from __future__ import annotations

from typing import Any, cast

import pytest

from livecommerce.errors import BadInput, Conflict, LiveCommerceError, NotFound, TooMuch
from livecommerce.shows.commands import Actor
from livecommerce.shows.decision import Answered, Decision, ThroughStock
from livecommerce.shows.errors import AdjustTooLow, ItemUnknown, NotSold, ShowStageWrong, StockChanged
from livecommerce.shows.kinds import buyer, hidden
from livecommerce.shows.kinds.buyer import NOTHING_SET
from livecommerce.shows.state import State
from livecommerce.shows.store import ShowStore
from livecommerce.stock.operations import Reserve
from livecommerce.stock.outcomes import Answer, LineAnswer, Outcome
from tests.shows.world import KINDS, MODERATOR, OWNER, SHOW, new_id

NOW = 1_000_000
Expected = list[str] | type[LiveCommerceError]


@pytest.fixture
async def state(store: ShowStore) -> State:
    """On air, A01 pinned, a hidden line, a line in triage, a held one, a banned viewer, a word, a notice."""
    state = await store.load(SHOW)
    state["show"] |= {"stage": "live", "started_ms": 5}
    state["pins"] = [{"pin": "p7", "code": "A01", "at": 9, "media_timestamp": None}]
    state["hidden"] = {"hidden-line": "olga"}
    state["words"] = ["bad"]
    state["notice"] = "before"
    cast("dict[str, Any]", state)["newcomers"] = {"dora": MARK}
    state["buyers"] = {"ben": {**NOTHING_SET, "banned": True}}
    state["addresses"] = {"mark1": "ben", "mark2": "carl"}
    waiting = {
        "t": "triage",
        "comment": "unclear-line",
        "viewer": "anna",
        "text": "A01?",
        "verdict": "unclear",
        "at": 3,
    }
    state["triage"] = cast("Any", {"unclear-line": waiting, "held-line": {**waiting, "verdict": "none"}})
    line = {"t": "chat", "id": "held-line", "viewer": "anna", "name": "Anna", "text": "hi", "at": 3, "kind": "viewer"}
    state["held"] = cast("Any", {"held-line": {**line, "held": True}})
    return state


ENDED = {"show": {"stage": "ended"}}
HAT = {"code": "C01", "names": ["帽子"], "price_minor": 300}
MARK = "0123456789abcdef0123"  # of a network
GROUP_CLAIM = {"reservation": "A01#1", "viewer": "dora", "sku": "A01", "quantity": 1}
WAITING = {
    "comment": "unclear-line", "viewer": "anna", "name": "Anna", "by": "anna-handle", "text": "A01?", "at": 3,
    "verdict": "unclear", "reason": "",
}  # fmt: skip
ACCEPT = {"do": "accept", "comment": "unclear-line"}

# (command, what is other about the state, tags of its events or why not)
ROWS: list[tuple[dict[str, Any], dict[str, Any], Expected]] = [
    ({"do": "start"}, {}, []),
    ({"do": "start"}, {"show": {"stage": "scheduled", "started_ms": 0}}, ["stage"]),
    ({"do": "start"}, ENDED, ShowStageWrong),
    ({"do": "end"}, {}, ["stage", "pin"]),
    ({"do": "end"}, {"pins": []}, ["stage"]),
    ({"do": "end"}, ENDED, []),
    ({"do": "pin", "code": "A02"}, {}, ["pin"]),
    ({"do": "pin", "code": "Z99"}, {}, ItemUnknown),
    ({"do": "pin", "code": "A02"}, ENDED, ShowStageWrong),
    ({"do": "unpin"}, {}, ["pin"]),
    ({"do": "unpin"}, {"pins": []}, []),
    ({"do": "price", "code": "A01", "price_minor": 1}, {}, ["item"]),
    ({"do": "price", "code": "Z99", "price_minor": 1}, {}, ItemUnknown),
    ({"do": "close_item", "code": "Z99"}, {}, ItemUnknown),
    ({"do": "open_item", "code": "A01"}, {}, ["item"]),
    ({"do": "remove_item", "code": "A01"}, {}, ["pin", "item_gone"]),
    ({"do": "remove_item", "code": "B01"}, {}, ["item_gone"]),
    ({"do": "add_item", "item": {**HAT, "currency": "USD"}}, {}, Conflict),
    ({"do": "add_item", "item": {**HAT, "code": "A02"}}, {}, Conflict),  # known with other options
    ({"do": "add_item", "item": {**HAT, "supply": {"C02": 1}}}, {}, BadInput),
    ({"do": "hide", "comment": "some-line-1"}, {}, ["hidden"]),
    ({"do": "hide", "comment": "hidden-line"}, {}, []),
    ({"do": "unhide", "comment": "hidden-line"}, {}, ["hidden"]),
    ({"do": "unhide", "comment": "held-line"}, {}, ["chat", "triage_done"]),
    ({"do": "unhide", "comment": "some-line-1"}, {}, []),
    ({"do": "mute", "viewer": "anna"}, {}, ["buyer"]),
    ({"do": "unmute", "viewer": "anna"}, {}, ["buyer"]),
    ({"do": "dismiss", "comment": "unclear-line"}, {}, ["triage_done"]),
    ({"do": "dismiss", "comment": "some-line-1"}, {}, NotFound),
    ({**ACCEPT, "comment": "some-line-1", "lines": [{"code": "A01"}]}, {}, NotFound),
    ({**ACCEPT, "lines": [{"code": "Z99"}]}, {}, ItemUnknown),
    ({**ACCEPT, "lines": [{"code": "A02", "options": ["M"]}]}, {}, BadInput),
    ({**ACCEPT, "lines": [{"code": "A01"}] * 17}, {}, BadInput),
    ({**ACCEPT, "lines": [{"code": "A01"}]}, ENDED, ShowStageWrong),
    ({**ACCEPT, "lines": [{"code": "A01"}]}, {"show": {"stage": "scheduled"}}, ShowStageWrong),
    ({**ACCEPT, "lines": [{"code": "A01"}]}, {"items": {"A01": {"closed": True}}}, NotSold),
    ({"do": "restock", "sku": "A02", "quantity": 1}, {}, ItemUnknown),
    ({"do": "adjust", "sku": "Z99", "quantity": 1}, {}, ItemUnknown),
    ({"do": "words", "add": ["bad"]}, {}, []),
    ({"do": "words", "add": ["new"], "remove": ["BAD"]}, {}, ["words"]),
    ({"do": "words", "add": ["new"]}, {"words": [f"word{number}" for number in range(1_000)]}, TooMuch),
    ({"do": "notice", "text": "after"}, {}, ["notice"]),
    ({"do": "settings", "slow_seconds": 3}, {}, ["settings"]),
    ({"do": "say", "text": "hello"}, {}, ["chat"]),
]


def with_changes(state: State, changes: dict[str, Any]) -> State:
    known = cast("dict[str, Any]", state)
    return cast("State", _merged(known, changes))


def _merged(known: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {**known, **{k: _merged(known.get(k, {}), v) if isinstance(v, dict) else v for k, v in changes.items()}}


@pytest.mark.parametrize(("fields", "changes", "expected"), ROWS, ids=lambda value: str(value)[:50])
async def test_what_a_command_comes_to(
    fields: dict[str, Any], changes: dict[str, Any], expected: Expected, state: State
) -> None:
    changed = with_changes(state, changes)
    if isinstance(expected, type):
        with pytest.raises(expected):
            KINDS.decide(changed, KINDS.read_command({"id": new_id(), **fields}), OWNER, NOW)
        return
    command = KINDS.read_command({"id": new_id(), **fields})
    decision = KINDS.decide(changed, command, OWNER, NOW)
    assert isinstance(decision, Decision)
    assert [event["t"] for event in decision.events] == expected
    assert bool(decision.writes) == bool(expected) or fields["do"] == "say", "events and writes go together"


INVERSES: list[tuple[dict[str, Any], dict[str, Any] | None]] = [
    ({"do": "pin", "code": "A02"}, {"do": "pin", "code": "A01"}),
    (
        {"do": "price", "code": "A01", "price_minor": 1, "id": "slip-of-1"},
        {"do": "price", "code": "A01", "price_minor": 590, "takes_back": "slip-of-1"},
    ),
    ({"do": "notice", "text": None}, {"do": "notice", "text": "before"}),
    ({"do": "settings", "slow_seconds": 3}, {"do": "settings", "slow_seconds": 0}),
    ({"do": "unban", "viewer": "ben"}, {"do": "ban", "viewer": "ben", "addresses": ["mark1"]}),
    ({"do": "words", "add": ["new"], "remove": ["bad"]}, {"do": "words", "add": ["bad"], "remove": ["new"]}),
    ({"do": "end"}, None),
]


@pytest.mark.parametrize(("fields", "inverse"), INVERSES, ids=lambda value: str(value)[:40])
async def test_what_takes_it_back(fields: dict[str, Any], inverse: dict[str, Any] | None, state: State) -> None:
    decision = KINDS.decide(state, KINDS.read_command({"id": new_id(), **fields}), OWNER, NOW)
    assert isinstance(decision, Decision)
    assert decision.inverse == inverse


STRUCK: list[tuple[int, int | None, int, int | None]] = [
    (590, None, 490, 590),
    (490, 590, 390, 590),  # what it once cost, not the last price
    (490, 500, 600, None),
    (490, 590, 550, 590),
    (490, 590, 590, None),
    (590, 400, 500, 590),
]


@pytest.mark.parametrize(("before", "struck_before", "after", "struck"), STRUCK)
async def test_the_highest_price_is_struck_out(
    before: int, struck_before: int | None, after: int, struck: int | None, state: State
) -> None:
    changed = with_changes(state, {"items": {"A01": {"price_minor": before, "compare_at_minor": struck_before}}})
    command = KINDS.read_command({"id": new_id(), "do": "price", "code": "A01", "price_minor": after})
    decision = KINDS.decide(changed, command, OWNER, NOW)
    assert isinstance(decision, Decision)
    (event,) = decision.events
    assert (event["item"]["price_minor"], event["item"]["compare_at_minor"]) == (after, struck)


async def test_lists_by_hand_have_an_end(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hidden, "HIDDEN_MAX", 1)
    monkeypatch.setattr(buyer, "BUYERS_MAX", 1)
    for fields in ({"do": "hide", "comment": "some-line-1"}, {"do": "mute", "viewer": "anna"}):
        with pytest.raises(TooMuch):
            KINDS.decide(state, KINDS.read_command({"id": new_id(), **fields}), OWNER, NOW)
    again = KINDS.read_command({"id": new_id(), "do": "mute", "viewer": "ben"})
    assert KINDS.decide(state, again, OWNER, NOW), "who is in the list may be changed"


async def test_an_accepted_line_is_reserved_for_its_author_and_teaches_a_word(state: State) -> None:
    options: list[dict[str, str] | list[str]] = [{"顏色": "紅色", "尺寸": "M"}, ["M", "紅色"]]
    lines = [{"code": "A02", "options": chosen, "quantity": 2} for chosen in options]
    planned = planned_of(state, {**ACCEPT, "lines": lines, "remember": "那件"})
    (operation,) = planned.operations
    assert isinstance(operation, Reserve)
    assert (operation.id, operation.viewer, operation.source) == ("unclear-line", "anna", "moderator")
    assert [(line.item, line.quantity) for line in operation.lines] == [("A02/紅色/M", 4)], "equal skus add up"
    decision = planned.decide(answered(planned, Outcome.RESERVED))
    assert (decision.outcome["outcome"], decision.learn, decision.refusal) == ("reserved", ("那件", "A02"), None)
    assert [event["t"] for event in decision.events] == ["triage_done"]


@pytest.mark.parametrize(
    ("actor", "word", "is_taught"),
    [(MODERATOR, "Ａ０１", True), (MODERATOR, "zappo", False), (OWNER, "zappo", True)],
    ids=["said", "not said", "the shop's own to write"],
)
async def test_a_moderator_teaches_what_the_line_says(state: State, actor: Actor, word: str, is_taught: bool) -> None:
    """Else whoever was a moderator for an evening leaves words that sell."""
    fields = {"id": new_id(), **ACCEPT, "lines": [{"code": "A01"}], "remember": word}
    planned = KINDS.decide(state, KINDS.read_command(fields), actor, NOW)
    assert isinstance(planned, ThroughStock)
    decision = planned.decide(answered(planned, Outcome.RESERVED))
    assert (decision.learn is not None) is is_taught
    assert decision.outcome.get("not_remembered") == (None if is_taught else "not_said")


async def test_a_line_is_accepted_on_the_terms_of_the_show(state: State) -> None:
    state["settings"] |= {"fill": "all", "repeat": "once", "waitlist": False}
    state["buyers"]["anna"] = {**NOTHING_SET, "restricted": True, "hold_max": 2}
    (operation,) = planned_of(state, {**ACCEPT, "lines": [{"code": "A01"}]}).operations
    assert isinstance(operation, Reserve)
    assert (operation.fill, operation.repeat, operation.waitlist) == ("all", "once", False)
    assert operation.limits.hold_max == 2


async def test_a_line_that_got_nothing_stays_with_the_reason_and_may_be_tried_again(state: State) -> None:
    fields = {**ACCEPT, "lines": [{"code": "A01"}], "remember": "那件"}
    planned = planned_of(state, fields)
    decision = planned.decide(answered(planned, Outcome.SOLD_OUT))
    assert isinstance(decision.refusal, NotSold)
    assert decision.learn is None, "nothing was sold, so nothing is learned"
    (event,) = decision.events
    assert (event["t"], event["comment"], event["tries"], event["refused"]) == ("triage", "unclear-line", 1, "sold_out")
    assert [write[:3] for write in decision.writes] == [("triage", "hset", "unclear-line")]
    after = KINDS.fold(state, decision.events)
    assert [operation.id for operation in planned_of(after, fields).operations] == ["unclear-line-again1"]


THROUGH_STOCK: list[tuple[dict[str, Any], list[Outcome], list[Outcome]]] = [
    (
        {**ACCEPT, "lines": [{"code": "A01"}]},
        [Outcome.RESERVED, Outcome.PARTLY, Outcome.WAITING, Outcome.CHANGED, Outcome.REDUCED, Outcome.UNCHANGED],
        [Outcome.SOLD_OUT, Outcome.OVER_LIMIT, Outcome.SALES_CLOSED, Outcome.ITEM_UNKNOWN, Outcome.ALREADY_CLAIMED],
    ),
    ({"do": "restock", "sku": "A01", "quantity": 1}, [Outcome.RESTOCKED], [Outcome.ITEM_UNKNOWN]),
    ({"do": "adjust", "sku": "A01", "quantity": -9}, [Outcome.ADJUSTED], [Outcome.ADJUST_TOO_LOW]),
    ({"do": "cancel", "reservation": "A01#1"}, [Outcome.CANCELLED, Outcome.UNCHANGED], [Outcome.NOT_ACTIVE]),
    ({"do": "extend", "reservation": "A01#1"}, [Outcome.EXTENDED], [Outcome.ALREADY_EXTENDED, Outcome.NOT_ACTIVE]),
    ({"do": "add_item", "item": HAT}, [Outcome.RESTOCKED, Outcome.UNCHANGED], [Outcome.ITEM_UNKNOWN]),
    (
        {"do": "set_stock", "sku": "A01", "available": 3},
        [Outcome.RESTOCKED, Outcome.ADJUSTED, Outcome.UNCHANGED],
        [Outcome.ITEM_UNKNOWN, Outcome.STOCK_CHANGED],
    ),
    (
        {"do": "reopen", "line": WAITING, "cancel": ["A01#1"]},
        [Outcome.CANCELLED, Outcome.UNCHANGED, Outcome.NOT_ACTIVE, Outcome.RESERVATION_UNKNOWN],
        [Outcome.NOT_YOURS],
    ),
    (
        {"do": "release_group", "network": MARK, "claims": [GROUP_CLAIM]},
        [Outcome.RELEASED, Outcome.UNCHANGED, Outcome.NOT_ACTIVE, Outcome.RESERVATION_UNKNOWN],
        [Outcome.NOT_YOURS],
    ),
    (
        {"do": "restore_group", "network": MARK, "claims": [GROUP_CLAIM]},
        [Outcome.RESERVED, Outcome.WAITING, Outcome.SOLD_OUT, Outcome.OVER_LIMIT, Outcome.SALES_CLOSED],
        [Outcome.NOT_YOURS],
    ),
]
NAMED = {Outcome.ADJUST_TOO_LOW: AdjustTooLow, Outcome.STOCK_CHANGED: StockChanged}  # with the figure of now
NOT_STORED = [Outcome.INPUT_BAD, Outcome.QUANTITY_BAD, Outcome.TOO_MANY_OPERATIONS]


def planned_of(state: State, fields: dict[str, Any]) -> ThroughStock:
    planned = KINDS.decide(state, KINDS.read_command({"id": new_id(), **fields}), OWNER, NOW)
    assert isinstance(planned, ThroughStock)
    return planned


def answered(planned: ThroughStock, outcome: Outcome) -> Answered:
    line = LineAnswer("A01", outcome, None, 0, 0, 0, 0, 0, 0)
    return Answered(tuple(Answer(operation.id, outcome, (line,), 1) for operation in planned.operations), {})


@pytest.mark.parametrize(("fields", "done", "refused"), THROUGH_STOCK, ids=lambda value: str(value)[:40])
async def test_a_command_is_done_when_stock_did_it_and_only_then(
    fields: dict[str, Any], done: list[Outcome], refused: list[Outcome], state: State
) -> None:
    planned = planned_of(state, fields)
    for outcome in done:
        assert planned.decide(answered(planned, outcome)).refusal is None, outcome
    for outcome in (*refused, *NOT_STORED):
        try:
            refusal = planned.decide(answered(planned, outcome)).refusal
        except LiveCommerceError as error:
            refusal = error
        named = NAMED.get(outcome)
        assert isinstance(refusal, named or NotSold), outcome
        if named is None:
            assert refusal.details == {"why": str(outcome)}


async def test_every_command_that_goes_through_stock_is_in_the_table(state: State) -> None:
    found = set()
    for fields in (row[0] for row in THROUGH_STOCK):
        found.add(type(KINDS.read_command({"id": new_id(), **fields})))
    declared = {
        command
        for kind in KINDS.kinds
        for command, decide in kind.commands.items()
        if decide.__annotations__["return"] == "ThroughStock"
    }
    assert declared == found
