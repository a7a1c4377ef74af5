"""The figure of a sku set, a price lowered, a promise of payment taken back; the model has the same rules."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from livecommerce.stock.engine import StockEngine
from livecommerce.stock.operations import (
    Cancel,
    Confirm,
    Extend,
    Line,
    Operation,
    Release,
    Reprice,
    Reserve,
    Restock,
    SetAvailable,
    Unconfirm,
)
from livecommerce.stock.outcomes import Answer, Counters
from livecommerce.stock.settings import Stock

SHOP, SHOW = "shop", "show"
IDS = (f"operation-{number:04}" for number in itertools.count())


@pytest.fixture
async def engine(valkey: Redis) -> AsyncIterator[StockEngine]:
    engine = StockEngine(valkey, Stock())
    yield engine
    await engine.close()


async def do(engine: StockEngine, kind: type[Operation], *fields: object) -> Answer:
    return await engine.submit(kind(next(IDS), SHOP, SHOW, *fields))  # type: ignore[arg-type]


async def want(engine: StockEngine, viewer: str, pieces: int) -> Answer:
    return await do(engine, Reserve, viewer, (Line("A", pieces, 100, "TWD", "A"),))


async def figure(engine: StockEngine) -> Counters:
    return (await engine.counters(SHOP))["A"]


async def test_a_figure_is_set_and_offered_to_who_waits(engine: StockEngine) -> None:
    assert (await do(engine, SetAvailable, "A", 3)).outcome == "adjusted"
    await want(engine, "anna", 2)
    await want(engine, "ben", 3)
    assert await figure(engine) == Counters(0, 3, 0, 2, 3)
    assert (await do(engine, SetAvailable, "A", 5, 1)).outcome == "stock_changed"
    answer = await do(engine, SetAvailable, "A", 5, 0)
    assert (answer.outcome, answer.lines[0].available) == ("adjusted", 3)
    assert await figure(engine) == Counters(3, 5, 0, 0, 8)


async def test_the_same_id_sets_once_whatever_was_expected(engine: StockEngine) -> None:
    first = SetAvailable("operation-x", SHOP, SHOW, "A", 4, 0)
    answer = await engine.submit(first)
    await want(engine, "anna", 1)
    assert await engine.submit(SetAvailable("operation-x", SHOP, SHOW, "A", 4)) == answer
    assert (await figure(engine)).available == 3
    assert (await engine.submit(SetAvailable("operation-x", SHOP, SHOW, "A", 5))).outcome == "id_reused"


async def test_a_claim_gets_a_lower_price_and_never_a_higher(engine: StockEngine) -> None:
    await do(engine, Restock, "A", 1)
    await want(engine, "anna", 2)
    for price, outcome in ((120, "unchanged"), (90, "changed"), (95, "unchanged")):
        assert (await do(engine, Reprice, "A#1", Line("A", 1, price, "TWD", "A"))).outcome == outcome
    (claim,) = await engine.claims(SHOP)
    assert (claim.unit_price_minor, claim.reserved, claim.waiting) == (90, 1, 1)
    assert await engine.open_claims(SHOP, SHOW, "A") == [("A#1", 90, "staff")]
    assert await engine.line(SHOP, "A") == {"A#1": 1}


async def test_a_cut_is_taken_back_from_who_has_its_price(engine: StockEngine) -> None:
    await do(engine, Restock, "A", 1)
    await want(engine, "anna", 2)
    steps = [(90, 95, "unchanged"), (90, 100, "changed"), (100, 95, "unchanged"), (90, 90, "unchanged")]
    for price, expected, outcome in (*steps, (100, 90, "changed"), (10**12, 100, "changed")):
        line = Line("A", 1, price, "TWD", "A")
        assert (await do(engine, Reprice, "A#1", line, "staff", b"", expected)).outcome == outcome
    assert await engine.open_claims(SHOP, SHOW, "A") == [("A#1", 10**12, "staff")]
    assert (await do(engine, Reprice, "A#1", line, "staff", b"", 10**12 + 1)).outcome == "input_bad"


async def test_a_promise_taken_back_is_held_again(engine: StockEngine) -> None:
    await do(engine, Restock, "A", 3)
    await want(engine, "anna", 2)
    assert (await do(engine, Unconfirm, "A#1", 60)).outcome == "unchanged"
    await do(engine, Confirm, "A#1")
    answer = await do(engine, Unconfirm, "A#1", 60)
    assert (answer.outcome, answer.lines[0].deadline_ms - answer.at_ms) == ("changed", 60_000)
    assert await figure(engine) == Counters(1, 2, 0, 0, 3)
    await do(engine, Release, "A#1")
    assert (await do(engine, Unconfirm, "A#1", 60)).outcome == "not_active"
    assert await figure(engine) == Counters(3, 0, 0, 0, 3)


async def test_taking_an_offer_extends_nothing_else(engine: StockEngine) -> None:
    await do(engine, Restock, "A", 1)
    await want(engine, "anna", 1)
    await want(engine, "ben", 1)
    assert (await do(engine, Extend, "A#1", 60, "", "api", b"", True)).outcome == "not_active"
    await do(engine, Cancel, "anna", "A#1")
    assert (await do(engine, Extend, "A#2", 60, "", "api", b"", True)).outcome == "extended"
    assert (await do(engine, Extend, "A#2", 60, "", "api", b"", True)).outcome == "not_active"
    assert (await do(engine, Extend, "A#2", 90)).outcome == "extended", "its own extension was not used"
