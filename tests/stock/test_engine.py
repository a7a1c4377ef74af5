"""The engine of a process: what it refuses before a server is asked, what it reads, and how it tells that it cannot."""

from __future__ import annotations

import asyncio
import logging

import pytest

from livecommerce.stock import engine as engine_module
from livecommerce.stock.engine import StockEngine, StockUnavailable
from livecommerce.stock.operations import Confirm, Line, Release, Reserve, Restock

SHOP, SHOW = "shop", "demo"


def restock(number: int, shop: str = SHOP, item: str = "A01", quantity: int = 5) -> Restock:
    return Restock(id=f"restock-{number:04}", shop=shop, show=SHOW, item=item, quantity=quantity)


def reserve(number: int, viewer: str = "vera", item: str = "A01", quantity: int = 1, show: str = SHOW) -> Reserve:
    lines = (Line(item, quantity, 100, "TWD", item),)
    return Reserve(f"comment-{number:04}", SHOP, show, viewer, lines, waitlist=True)


async def test_a_shop_of_no_form_and_one_too_many_are_refused_and_the_others_go_on(
    engine: StockEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "SHOPS_MAX", 1)
    assert (await engine.submit(restock(1))).outcome == "restocked"
    assert (await engine.submit(restock(2, shop="other"))).outcome == "busy"
    assert (await engine.submit(restock(3, shop="No Shop"))).outcome == "input_bad"
    assert (await engine.submit(restock(4))).outcome == "restocked"


async def test_of_many_the_refused_are_answered_in_their_places(engine: StockEngine) -> None:
    given = [restock(1), restock(2, shop="No Shop"), restock(3), restock(4, quantity=-1), reserve(5)]
    answers = await engine.submit_all(given)
    assert [answer.outcome for answer in answers] == [
        "restocked", "input_bad", "restocked", "quantity_bad", "reserved",
    ]  # fmt: skip
    assert [answer.id for answer in answers] == [operation.id for operation in given]
    assert (await engine.counters(SHOP, ["A01"]))["A01"].supplied == 10


async def test_after_its_end_nothing_is_taken(engine: StockEngine) -> None:
    await engine.submit(restock(1))
    await engine.close()
    assert (await engine.submit(restock(2, shop="other"))).outcome == "unavailable"
    assert (await engine.submit(restock(3))).outcome == "unavailable"


async def test_claims_are_the_newest_of_a_show_or_of_all(engine: StockEngine) -> None:
    await engine.submit(restock(1, quantity=9))
    for number, viewer in enumerate(("vera", "otto", "mia", "vera"), start=1):
        await engine.submit(reserve(number, viewer))
    await engine.submit(reserve(9, "vera", show="later"))
    everything = [(claim.show, claim.viewer, claim.number) for claim in await engine.claims(SHOP)]
    assert everything[0] == ("later", "vera", 5)
    assert sorted(everything[1:]) == [("demo", "mia", 3), ("demo", "otto", 2), ("demo", "vera", 1), ("demo", "vera", 4)]
    newest = await engine.claims(SHOP, show=SHOW, limit=2)
    assert [claim.number for claim in newest] == [4, 3]
    assert [claim.number for claim in await engine.claims(SHOP, show=SHOW, viewer="vera")] == [4, 1]
    assert await engine.claims(SHOP, show=SHOW, viewer="nobody") == []
    assert await engine.claims(SHOP, show="no-such-show") == []


async def test_places_are_of_those_who_wait_now(engine: StockEngine) -> None:
    await engine.submit(restock(1, quantity=1))
    for number, viewer in enumerate(("vera", "otto", "mia"), start=1):
        await engine.submit(reserve(number, viewer))
    assert await engine.line(SHOP, "A01") == {"A01#2": 1, "A01#3": 2}
    places = {claim.viewer: claim.position for claim in await engine.claims(SHOP, show=SHOW)}
    assert places == {"vera": 0, "otto": 1, "mia": 2}
    await engine.submit(Release("release-0001", SHOP, SHOW, "A01#2", "otto"))
    assert await engine.line(SHOP, "A01") == {"A01#3": 1}
    assert await engine.line(SHOP, "B02") == {}


async def test_how_viewers_stand_by_what_each_operation_made(engine: StockEngine) -> None:
    await engine.submit(restock(1, quantity=3))
    await engine.submit(restock(2, item="A02/M", quantity=3))
    await engine.submit(reserve(1, quantity=2))
    await engine.submit(reserve(2, item="A02/M"))
    await engine.submit(reserve(3, "otto", quantity=2))
    await engine.submit(Confirm(id="confirm-0001", shop=SHOP, show=SHOW, reservation="A02/M#1"))
    await engine.submit(Release("release-0001", SHOP, SHOW, "A01#1", "vera"))
    found = await engine.standings(SHOP, SHOW, ["vera", "otto", "nobody"])
    assert found["vera"].operations.items() >= {"comment-0001": {}, "comment-0002": {"A02": 1}}.items()
    assert (found["vera"].pieces("A01"), found["vera"].pieces("A02")) == (0, 1), "sold ones count"
    assert (found["otto"].pieces("A01"), found["nobody"].operations) == (2, {})
    assert await engine.standings(SHOP, SHOW, []) == {}
    assert await engine.is_done(SHOP, SHOW, "vera", "comment-0001")
    assert not await engine.is_done(SHOP, SHOW, "otto", "comment-0001"), "an id is its viewer's"
    assert not await engine.is_done(SHOP, SHOW, "nobody", "comment-0001")


async def test_a_read_without_an_answer_is_told_after_its_time(
    engine: StockEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the connection whose answers would come in the midst of others' is not used again."""
    await engine.submit(restock(1))
    connection = await engine._servers.connection(SHOP)

    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(engine_module, "READ_SECONDS_MAX", 0.05)
        patched.setattr(engine, "_expire", never)
        with pytest.raises(StockUnavailable, match="no answer"):
            await engine.counters(SHOP)
    assert (await engine.counters(SHOP))["A01"].available == 5
    assert await engine._servers.connection(SHOP) is not connection


async def test_a_sweep_that_fails_is_told_once_and_again_after_it_was_good(
    engine: StockEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(engine_module, "SWEEP_SECONDS", 0.001)
    await engine.submit(restock(1))
    is_away, swept = True, 0

    async def sweep(shop: str) -> None:
        nonlocal swept
        swept += 1
        if is_away:
            raise StockUnavailable("no server")

    async def more_sweeps() -> None:
        until = swept + 3
        while swept < until:
            await asyncio.sleep(0.001)

    def told() -> int:
        return sum("sweep of shop" in record.message for record in caplog.records)

    monkeypatch.setattr(engine, "sweep", sweep)
    with caplog.at_level(logging.WARNING):
        await engine.start()
        await more_sweeps()
        assert told() == 1
        is_away = False
        await more_sweeps()
        is_away = True
        await more_sweeps()
        assert told() == 2, "it is news again"
