"""What cannot be: every wrong thing has a named outcome, changes nothing and leaves its neighbours unharmed."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from livecommerce.stock.engine import StockEngine
from livecommerce.stock.library import library
from livecommerce.stock.operations import (
    Adjust,
    Cancel,
    Confirm,
    Extend,
    Limits,
    Line,
    Operation,
    Reduce,
    Reserve,
    Restock,
    SetQuantity,
)
from livecommerce.stock.outcomes import OUTCOME_NUMBERS, Outcome
from livecommerce.stock.wire import pack, unpack
from tests.stock.servers import SHOP, SHOW

GOOD = Reserve("good-id-1", SHOP, SHOW, "ann", (Line("A", 1, 100, "TWD"),))


def line(**changes: Any) -> tuple[Line, ...]:
    return (replace(GOOD.lines[0], **changes),)


WRONG: dict[str, tuple[Operation, Outcome]] = {
    "quantity 0": (replace(GOOD, lines=line(quantity=0)), Outcome.QUANTITY_BAD),
    "a negative quantity": (replace(GOOD, lines=line(quantity=-1)), Outcome.QUANTITY_BAD),
    "half a piece": (replace(GOOD, lines=line(quantity=1.5)), Outcome.QUANTITY_BAD),
    "a quantity over the limit": (replace(GOOD, lines=line(quantity=10_000)), Outcome.QUANTITY_BAD),
    "a quantity past 2^53": (replace(GOOD, lines=line(quantity=2**53 + 1)), Outcome.QUANTITY_BAD),
    "a price past 2^53": (replace(GOOD, lines=line(unit_price_minor=2**53 + 1)), Outcome.INPUT_BAD),
    "a negative price": (replace(GOOD, lines=line(unit_price_minor=-1)), Outcome.INPUT_BAD),
    "no currency": (replace(GOOD, lines=line(currency="dollars")), Outcome.INPUT_BAD),
    "a long offer": (replace(GOOD, lines=line(text="x" * 201)), Outcome.INPUT_BAD),
    "an unknown item": (replace(GOOD, lines=line(item="Z")), Outcome.ITEM_UNKNOWN),
    "an unknown option": (replace(GOOD, lines=line(item="A/blue")), Outcome.ITEM_UNKNOWN),
    "an item with #": (replace(GOOD, lines=line(item="A#1")), Outcome.INPUT_BAD),
    "an item that is no text": (replace(GOOD, lines=line(item=7)), Outcome.INPUT_BAD),
    "no lines": (replace(GOOD, lines=()), Outcome.INPUT_BAD),
    "lines that are a list": (replace(GOOD, lines=list(line())), Outcome.INPUT_BAD),
    "seventeen lines": (replace(GOOD, lines=line() * 17), Outcome.INPUT_BAD),
    "a short id": (replace(GOOD, id="short"), Outcome.INPUT_BAD),
    "a long id": (replace(GOOD, id="x" * 65), Outcome.INPUT_BAD),
    "an id with spaces": (replace(GOOD, id="not an id at all"), Outcome.INPUT_BAD),
    "an id that is a number": (replace(GOOD, id=2**60), Outcome.INPUT_BAD),
    "no viewer": (replace(GOOD, viewer=""), Outcome.INPUT_BAD),
    "a viewer with a slash": (replace(GOOD, viewer="ann/bob"), Outcome.INPUT_BAD),
    "a viewer who is a number": (replace(GOOD, viewer=5), Outcome.INPUT_BAD),
    "a shop with braces": (replace(GOOD, shop="a}b"), Outcome.INPUT_BAD),
    "an unknown show's name": (replace(GOOD, show="Show One"), Outcome.INPUT_BAD),
    "an unknown fill": (replace(GOOD, fill="most"), Outcome.INPUT_BAD),
    "an unknown policy": (replace(GOOD, repeat="twice"), Outcome.INPUT_BAD),
    "a hold of 0 seconds": (replace(GOOD, hold_seconds=0), Outcome.INPUT_BAD),
    "a hold of a year": (replace(GOOD, hold_seconds=31_536_000), Outcome.INPUT_BAD),
    "a negative limit": (replace(GOOD, limits=Limits(per_item=-1)), Outcome.INPUT_BAD),
    "a negative limit of a product": (replace(GOOD, lines=line(limit_per_viewer=-1)), Outcome.INPUT_BAD),
    "half a piece as limit": (replace(GOOD, lines=line(limit_per_viewer=0.5)), Outcome.INPUT_BAD),
    "a chat that is text": (replace(GOOD, chat="hello"), Outcome.INPUT_BAD),
    "a reservation that is none": (Cancel("good-id-2", SHOP, SHOW, "ann", "A-1"), Outcome.RESERVATION_UNKNOWN),
    "a reservation past all numbers": (
        Confirm("good-id-2", SHOP, SHOW, f"A#{2**40}"),
        Outcome.RESERVATION_UNKNOWN,
    ),
    "a cancel of nothing named": (Cancel("good-id-2", SHOP, SHOW), Outcome.INPUT_BAD),
    "a reduce by 0": (Reduce("good-id-2", SHOP, SHOW, 0, "ann", "A#1"), Outcome.QUANTITY_BAD),
    "a set to 0": (SetQuantity("good-id-2", SHOP, SHOW, "A#1", 0), Outcome.QUANTITY_BAD),
    "an extension into the past": (Extend("good-id-2", SHOP, SHOW, "A#1", -5), Outcome.INPUT_BAD),
    "a negative restock": (Restock("good-id-2", SHOP, SHOW, "A", -1), Outcome.QUANTITY_BAD),
    "a restock past all counters": (Restock("good-id-2", SHOP, SHOW, "A", 1_000_000_000), Outcome.QUANTITY_BAD),
    "a correction without a reason": (Adjust("good-id-2", SHOP, SHOW, "A", -1, ""), Outcome.INPUT_BAD),
    "a correction below what is sold": (Adjust("good-id-2", SHOP, SHOW, "A", -9, "lost"), Outcome.ADJUST_TOO_LOW),
}


@pytest.mark.parametrize("what", WRONG)
async def test_wrong_input_is_named_and_harms_nobody(what: str, engine: StockEngine) -> None:
    await engine.submit(Restock("restock-1", SHOP, SHOW, "A", 5))
    operation, outcome = WRONG[what]
    before, after = replace(GOOD, id="neighbour-1", viewer="bob"), replace(GOOD, id="neighbour-2", viewer="cid")
    first, answer, last = await engine.submit_all([before, operation, after])
    assert answer.outcome is outcome, answer
    assert first.outcome is last.outcome is Outcome.RESERVED
    counters = (await engine.counters(SHOP))["A"]
    assert (counters.available, counters.held, counters.supplied) == (3, 2, 5)


async def test_an_id_with_other_content_is_refused_and_the_first_answer_stands(engine: StockEngine) -> None:
    await engine.submit(Restock("restock-1", SHOP, SHOW, "A", 5))
    first = await engine.submit(GOOD)
    other = await engine.submit(replace(GOOD, lines=line(quantity=2)))
    assert other.outcome is Outcome.ID_REUSED
    assert await engine.submit(GOOD) == first
    assert await engine.submit(replace(GOOD, lines=line(unit_price_minor=999))) == first, "a price is no content"
    assert (await engine.counters(SHOP))["A"].held == 1


async def test_somebody_elses_id_is_not_mine(engine: StockEngine) -> None:
    """Ids count per viewer, so nobody can use up the id that stands beside a public comment."""
    await engine.submit(Restock("restock-1", SHOP, SHOW, "A", 5))
    first = await engine.submit(replace(GOOD, viewer="bob"))
    assert (await engine.submit(GOOD)).lines[0].reservation != first.lines[0].reservation


async def test_a_viewer_who_uses_up_all_ids_is_told(engine: StockEngine) -> None:
    await engine.submit(Restock("restock-1", SHOP, SHOW, "A", 1))
    many = [replace(GOOD, id=f"identity-{number}", waitlist=False) for number in range(1001)]
    answers = await engine.submit_all(many)
    assert answers[0].outcome is Outcome.RESERVED
    assert answers[999].outcome is Outcome.SOLD_OUT
    assert answers[1000].outcome is Outcome.TOO_MANY_OPERATIONS
    assert (await engine.submit(many[0])) == answers[0]


@pytest.mark.parametrize(
    "arguments",
    [
        (b"\xc1", pack([[], [], []])),
        (pack([]), b"\xc1\xc1"),
        (pack([]), pack([[1, 2], ["identity"], ["ann"]])),
        (pack([]), pack([[1, 0.5, 1, 0.5], ["identity"], ["ann"]])),
        (pack([]), pack([1, "identity", "ann"])),
        (pack("text"), pack([[], [], []])),
        (pack([]), pack([[1, 501] * 2, ["identity"] * 1002, ["ann"] * 1002])),
    ],
    ids=["templates", "operations", "uneven", "halves", "no columns", "not an array", "a batch over the limit"],
)
async def test_a_malformed_call_is_refused(arguments: tuple[bytes, ...], engine: StockEngine, store: Redis) -> None:
    await engine.submit(Restock("restock-1", SHOP, SHOW, "A", 5))
    before = await store.hgetall(f"lc:{{{SHOP}}}:stock:items")
    with pytest.raises(ResponseError, match="INPUT"):
        await store.execute_command("FCALL", library()[0], 1, f"lc:{{{SHOP}}}:stock:items", "", *arguments, b"", 300)
    assert await store.hgetall(f"lc:{{{SHOP}}}:stock:items") == before


async def test_malformed_operations_in_a_call_harm_only_themselves(engine: StockEngine, store: Redis) -> None:
    await engine.submit(Restock("restock-1", SHOP, SHOW, "A", 5))
    template = engine._templates.of(GOOD).data
    ids = ["identity-1", "identity-2", "identity-3", "identity-4"]
    columns = [[2, 1, 1, 1, 9, 1, 1, 1], ids, ["ann", "ann", "ann", "bob"]]
    reply = await store.execute_command(
        "FCALL", library()[0], 1, f"lc:{{{SHOP}}}:stock:items", "",
        pack([template, b"\xc1"]), pack(columns), b"", 300,
    )  # fmt: skip
    _, _, runs, results, _ = unpack(reply)
    assert runs[0:2] == [2, 1]
    assert runs[5:7] == [4, 1]
    bad = OUTCOME_NUMBERS[Outcome.INPUT_BAD]
    assert [(results[at], results[at + 1][0]) for at in range(0, len(results), 2)] == [(1, bad), (3, bad)]
