"""What a price cut does to open claims: those that are dearer alone, all of them, however often it breaks off."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from livecommerce.errors import Unavailable
from livecommerce.shows import claim_prices
from livecommerce.shows.claim_prices import lower_prices, restore_prices
from livecommerce.shows.executor import Executor
from livecommerce.shows.projection import Projector
from livecommerce.shows.store import ShowStore
from livecommerce.stock.operations import Confirm, Extend, Line, Operation, Reserve
from livecommerce.stock.outcomes import Answer, Outcome
from tests.shows.world import KINDS, SHOP, SHOW, give

DAY_SECONDS = 86_400


async def claim(store: ShowStore, viewer: str, item: str, price: int) -> str:
    line = Line(item, 1, price, "TWD", item)
    answer = await store.engine.submit(Reserve(f"claim-of-{viewer}", SHOP, SHOW, viewer, (line,)))
    return answer.lines[0].reservation


async def prices(store: ShowStore) -> dict[str, int]:
    return {one.viewer: one.unit_price_minor for one in await store.engine.claims(SHOP, show=SHOW)}


async def lowered_keys(store: ShowStore) -> list[bytes]:
    return [key async for key in store.redis.scan_iter("*:lowered:*")]


async def test_open_claims_of_the_product_get_it_and_no_others(store: ShowStore, executor: Executor) -> None:
    for viewer, item, price in (("anna", "A01", 590), ("ben", "A01", 400), ("paid", "A01", 590), ("other", "B01", 590)):
        reservation = await claim(store, viewer, item, price)
        if viewer == "paid":
            await store.engine.submit(Confirm(id="confirm-0001", shop=SHOP, show=SHOW, reservation=reservation))
    await give(executor, "price", code="A01", price_minor=500, id="the-cut-1")
    assert await prices(store) == {"anna": 500, "ben": 400, "paid": 590, "other": 590}
    (key,) = await lowered_keys(store)
    assert 0 < await store.redis.ttl(key) <= DAY_SECONDS, "it is forgotten when nobody takes it back any more"


async def test_an_order_by_the_button_stays_in_the_chat_whatever_its_price_becomes(
    store: ShowStore, executor: Executor
) -> None:
    """A cut wrote "staff" over what the claim was made by, and the line was gone for newcomers and after a reload."""
    line = Line("A01", 1, 590, "TWD", "A01")
    await store.engine.submit(Reserve("press-of-anna", SHOP, SHOW, "anna", (line,), source="button"))

    async def presses() -> list[str]:
        state = await store.load(SHOW)
        return [press["id"] for press in KINDS.snapshot(state, Projector("salt"), 1)["presses"]]

    assert await presses() == ["press-of-anna"]
    cut = await give(executor, "price", code="A01", price_minor=500, id="the-cut-1")
    assert cut
    assert await presses() == ["press-of-anna"]
    await restore_prices(store, await store.keys_of(SHOW), "A01", "the-cut-1")
    assert await presses() == ["press-of-anna"]
    (held,) = await store.engine.claims(SHOP, show=SHOW)
    assert (held.source, held.unit_price_minor) == ("button", 590)
    await store.engine.submit(Extend("more-for-anna", SHOP, SHOW, held.reservation, source="moderator"))
    assert await presses() == ["press-of-anna"]


async def test_every_option_of_a_product_has_its_price(store: ShowStore, executor: Executor) -> None:
    await claim(store, "anna", "A02/紅色/M", 990)
    await claim(store, "ben", "A02/黑色/L", 990)
    await give(executor, "price", code="A02", price_minor=800)
    assert await prices(store) == {"anna": 800, "ben": 800}


async def test_a_rise_and_a_cut_without_claims_leave_nothing_behind(store: ShowStore, executor: Executor) -> None:
    await give(executor, "price", code="A01", price_minor=500)
    await claim(store, "anna", "A01", 500)
    await give(executor, "price", code="A01", price_minor=900)
    assert await prices(store) == {"anna": 500}
    assert await lowered_keys(store) == []


async def test_of_a_product_that_has_gone_nothing_is_changed(store: ShowStore, executor: Executor) -> None:
    await claim(store, "anna", "A01", 590)
    await give(executor, "price", code="A01", price_minor=500, id="the-cut-1")
    await give(executor, "remove_item", code="A01")
    keys = await store.keys_of(SHOW)
    await lower_prices(store, keys, "A01", "the-cut-2")
    await restore_prices(store, keys, "A01", "the-cut-1")
    assert await prices(store) == {"anna": 500}


async def test_a_cut_that_reaches_some_is_refused_and_completed_by_the_same_again(
    store: ShowStore, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim_prices, "AT_ONCE_MAX", 1)
    for viewer in ("anna", "ben", "carl"):
        await claim(store, viewer, "A01", 590)
    submit_all, turns = store.engine.submit_all, 0

    async def busy_after_one(operations: Sequence[Operation]) -> list[Answer]:
        nonlocal turns
        turns += 1
        return await submit_all(operations) if turns == 1 else [Answer(operations[0].id, Outcome.BUSY, (), 0)]

    with monkeypatch.context() as patched:
        patched.setattr(store.engine, "submit_all", busy_after_one)
        with pytest.raises(Unavailable, match="Not every claim"):
            await give(executor, "price", code="A01", price_minor=500, id="the-cut-1")
    assert sorted((await prices(store)).values()) == [500, 590, 590]
    await give(executor, "price", code="A01", price_minor=500, id="the-cut-1")
    assert set((await prices(store)).values()) == {500}
    await give(executor, "undo", command="the-cut-1")
    assert set((await prices(store)).values()) == {590}, "those of the first try too"
