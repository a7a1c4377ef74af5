"""Money: what a payment covers, what it does to claims, and that pressing twice is pressing once."""

from __future__ import annotations

import pytest

from livecommerce.errors import IdReused, LiveCommerceError
from livecommerce.orders.errors import PaidAlready
from livecommerce.orders.model import Order
from livecommerce.orders.payments.manual import TRANSFER_DAYS
from livecommerce.orders.till import Till
from livecommerce.stock.operations import Cancel
from tests.orders.conftest import SHOP, SHOW, Stall

PAY = "payment-0001"


@pytest.fixture
def till(stall: Stall) -> Till:
    return Till(stall.database, stall.engine)


async def vera(stall: Stall) -> Order:
    return (await stall.orders())["vera"]


async def sold(stall: Stall, item: str = "A01") -> int:
    return (await stall.engine.counters(SHOP, [item]))[item].sold


async def refused(till: Till, order: str, payment: str = PAY, method: str = "bank_transfer") -> str:
    with pytest.raises(LiveCommerceError) as refusal:
        await till.begin(SHOP, order, payment, method, "", "ling")
    return refusal.value.code


async def test_a_bank_transfer_holds_the_claims_until_the_money_is_here(stall: Stall, till: Till) -> None:
    await stall.stock(A01=5, B02=5)
    await stall.claim("vera", "A01", 2, price=590)
    await stall.claim("vera", "B02", 1, price=250)
    order = await vera(stall)
    payment, started = await till.begin(SHOP, order.id, PAY, "bank_transfer", "12345", "ling")
    assert (payment.state, payment.amount_minor, payment.reservations) == ("pending", 1430, ["A01#1", "B02#1"])
    assert set(started.instructions) == {"zh-TW", "en"}
    held = await vera(stall)
    three_days_ms = TRANSFER_DAYS * 86_400_000
    assert all(line.deadline_ms - line.updated_ms == three_days_ms for line in held.lines)
    assert await sold(stall) == 0
    paid = await till.paid(SHOP, PAY, "ling", "67890")
    assert (paid.state, paid.reference, paid.by_staff) == ("paid", "67890", "ling")
    order = await vera(stall)
    assert (order.state, order.confirmed_minor, order.payments[0].state) == ("confirmed", 1430, "paid")
    assert (await sold(stall), await sold(stall, "B02")) == (2, 1)


async def test_cash_on_delivery_sells_at_once(stall: Stall, till: Till) -> None:
    await stall.stock(A01=5)
    await stall.claim("vera", "A01", 2)
    payment, _ = await till.begin(SHOP, (await vera(stall)).id, PAY, "cash_on_delivery", "", "ling")
    assert payment.state == "pending"
    assert await sold(stall) == 2
    assert (await till.paid(SHOP, PAY, "ling")).state == "paid"
    assert await sold(stall) == 2


async def test_pressing_twice_is_pressing_once(stall: Stall, till: Till) -> None:
    await stall.stock(A01=5)
    await stall.claim("vera", "A01", 2)
    order = await vera(stall)
    first, _ = await till.begin(SHOP, order.id, PAY, "bank_transfer", "", "ling")
    again, _ = await till.begin(SHOP, order.id, PAY, "bank_transfer", "", "ling")
    assert again == first
    for _ in range(2):
        assert (await till.paid(SHOP, PAY, "ling")).state == "paid"
    assert await sold(stall) == 2
    assert len((await vera(stall)).payments) == 1


async def test_a_second_payment_covers_what_came_later(stall: Stall, till: Till) -> None:
    await stall.stock(A01=5)
    await stall.claim("vera", "A01", 1)
    order = await vera(stall)
    await till.begin(SHOP, order.id, PAY, "bank_transfer", "", "ling")
    assert await refused(till, order.id, "payment-0002") == "nothing_to_pay"
    await stall.claim("vera", "A01", 2)
    await stall.project()
    payment, _ = await till.begin(SHOP, order.id, "payment-0002", "bank_transfer", "", "ling")
    assert (payment.reservations, payment.amount_minor) == (["A01#2"], 200)


async def test_money_for_a_claim_that_had_ended_is_told(stall: Stall, till: Till) -> None:
    await stall.stock(A01=5, B02=5)
    await stall.claim("vera", "A01")
    await stall.claim("vera", "B02")
    await till.begin(SHOP, (await vera(stall)).id, PAY, "bank_transfer", "", "ling")
    await stall.engine.submit(Cancel(id=stall.id(), shop=SHOP, show=SHOW, reservation="A01#1"))
    with pytest.raises(LiveCommerceError) as told:
        await till.paid(SHOP, PAY, "ling")
    assert (told.value.code, told.value.details) == ("claims_ended", {"reservations": ["A01#1"]})
    order = await vera(stall)
    assert (order.payments[0].state, order.confirmed_minor) == ("paid", 100), "the rest is sold, the money is noted"


async def test_what_the_till_refuses(stall: Stall, till: Till) -> None:
    await stall.stock(A01=1)
    await stall.claim("vera", "A01")
    await stall.claim("otto", "A01")
    orders = await stall.orders()
    assert await refused(till, "o-nothing") == "not_found"
    assert await refused(till, orders["vera"].id, method="shells") == "payment_refused"
    assert await refused(till, orders["otto"].id) == "nothing_to_pay", "who waits has nothing to pay"
    await till.begin(SHOP, orders["vera"].id, PAY, "bank_transfer", "", "ling")
    await stall.engine.submit(Cancel(id=stall.id(), shop=SHOP, show=SHOW, reservation="A01#1"))
    await stall.project()
    assert await refused(till, orders["otto"].id) == "payment_refused", "the id belongs to Vera's payment"
    for shop, payment in ((SHOP, "payment-none"), ("other", PAY)):
        with pytest.raises(LiveCommerceError) as refusal:
            await till.paid(shop, payment, "ling")
        assert refusal.value.code == "payment_unknown"


async def test_a_payment_begun_again_as_something_else_is_refused(stall: Stall, till: Till) -> None:
    await stall.stock(A01=5)
    await stall.claim("vera", "A01", 2)
    order = await vera(stall)
    first = await till.begin(SHOP, order.id, PAY, "bank_transfer", "12345", "ling")
    assert await till.begin(SHOP, order.id, PAY, "bank_transfer", "12345", "mei") == first
    for method, reference in (("cash_on_delivery", "12345"), ("bank_transfer", "54321")):
        with pytest.raises(IdReused):
            await till.begin(SHOP, order.id, PAY, method, reference, "ling")
    assert await sold(stall) == 0


async def test_money_noted_once_keeps_its_reference_and_who(stall: Stall, till: Till) -> None:
    await stall.stock(A01=5)
    await stall.claim("vera", "A01", 2)
    await till.begin(SHOP, (await vera(stall)).id, PAY, "bank_transfer", "", "ling")
    first = await till.paid(SHOP, PAY, "ling", "67890")
    assert await till.paid(SHOP, PAY, "mei", "67890") == first
    assert await till.paid(SHOP, PAY, "mei") == first
    with pytest.raises(PaidAlready):
        await till.paid(SHOP, PAY, "mei", "00000")
    assert (await vera(stall)).payments[0].reference == "67890"
    assert (await vera(stall)).payments[0].by_staff == "ling"
