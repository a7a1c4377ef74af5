"""Who has bought in a shop, as those who decide while a show sells read it: what orders say, whatever gets lost."""

from __future__ import annotations

import pytest
from redis.exceptions import ConnectionError

from livecommerce.errors import LiveCommerceError
from livecommerce.intake.customers import Customers
from livecommerce.orders import customers
from livecommerce.orders.payments.manual import ManualPayments
from livecommerce.orders.projector import Projector
from livecommerce.orders.till import Till
from livecommerce.shows.model import Keys
from livecommerce.stock.operations import Cancel, Confirm, Release, Unconfirm
from tests.orders.conftest import SHOP, SHOW, Stall

PAY = "payment-0001"


async def book(stall: Stall) -> dict[str, str]:
    await stall.project()
    found = await stall.redis.hgetall(Keys.customers_of_shop(SHOP))
    return {viewer.decode(): show.decode() for viewer, show in found.items()}


async def confirm(stall: Stall, reservation: str, show: str = SHOW) -> None:
    await stall.engine.submit(Confirm(id=stall.id(), shop=SHOP, show=show, reservation=reservation))


async def test_a_claim_is_no_history_and_a_paid_order_is(stall: Stall) -> None:
    await stall.stock(A01=9)
    for viewer in ("vera", "otto", "lena"):
        await stall.claim(viewer, "A01")
    await stall.engine.submit(Cancel(id=stall.id(), shop=SHOP, show=SHOW, viewer="lena", reservation="A01#3"))
    assert await book(stall) == {}
    till = Till(stall.database, stall.engine, (ManualPayments(),))
    order = (await stall.orders())["vera"]
    await till.begin(SHOP, order.id, PAY, "bank_transfer", "", "ling")
    assert await book(stall) == {}, "whoever begins a payment has not paid"
    await till.paid(SHOP, PAY, "ling")
    assert await book(stall) == {"vera": SHOW}
    reader = Customers(stall.redis)
    assert [await reader.has(SHOP, viewer) for viewer in ("vera", "otto", "lena")] == [True, False, False]
    await till.undo(SHOP, PAY, "ling")
    assert await book(stall) == {}, "a payment that was taken back is none"


@pytest.mark.parametrize("end", [Unconfirm, Release])
async def test_what_is_taken_back_in_one_show_leaves_what_was_bought_in_another(
    stall: Stall, end: type[Unconfirm] | type[Release]
) -> None:
    await stall.stock(A01=9)
    await stall.claim("vera", "A01", show="first")
    await stall.claim("vera", "A01")
    await confirm(stall, "A01#1", "first")
    assert await book(stall) == {"vera": "first"}
    await confirm(stall, "A01#2")
    more = {"seconds": 60} if end is Unconfirm else {}
    await stall.engine.submit(end(id=stall.id(), shop=SHOP, show=SHOW, reservation="A01#2", **more))  # type: ignore[arg-type]
    assert await book(stall) == {"vera": "first"}
    await stall.engine.submit(end(id=stall.id(), shop=SHOP, show="first", reservation="A01#1", **more))  # type: ignore[arg-type]
    assert await book(stall) == {}


async def test_a_gift_that_was_confirmed_is_a_history_too(stall: Stall) -> None:
    await stall.stock(A01=1)
    await stall.claim("vera", "A01", price=0)
    await confirm(stall, "A01#1")
    assert await book(stall) == {"vera": SHOW}


async def test_the_next_worker_restores_what_the_store_lost_and_never_had(
    stall: Stall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customers, "_REPLACE_CHUNK", 2)
    await stall.stock(A01=9)
    for number in range(1, 6):
        await stall.claim(f"viewer-{number}", "A01")
        await confirm(stall, f"A01#{number}")
    bought = await book(stall)
    assert set(bought) == {f"viewer-{number}" for number in range(1, 6)}
    key = Keys.customers_of_shop(SHOP)
    await stall.redis.delete(key)
    await stall.redis.hset(key, mapping={"nobody": SHOW})
    await stall.projector.close()
    await Projector(stall.redis, stall.database).step(SHOP)
    assert await book(stall) == bought
    await stall.redis.delete(f"lc:{{{SHOP}}}:orders-lease")
    monkeypatch.setattr(customers, "CUSTOMERS_MAX", 3)
    await Projector(stall.redis, stall.database).step(SHOP)
    assert len(await book(stall)) == 3, "the latest"


async def test_a_cut_between_order_and_book_is_mended_at_the_next_step(
    stall: Stall, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stall.stock(A01=9)
    await stall.claim("vera", "A01")
    assert await book(stall) == {}

    async def away(*_: object) -> None:
        raise ConnectionError("gone")

    await confirm(stall, "A01#1")
    with monkeypatch.context() as patched:
        patched.setattr(customers.CustomerBook, "follow", away)
        with pytest.raises((ConnectionError, LiveCommerceError)):
            await stall.projector.step(SHOP)
    assert await book(stall) == {"vera": SHOW}
