"""Money: what a payment covers, what it does to claims, and that pressing twice is pressing once."""

from __future__ import annotations

import asyncio

import pytest

from livecommerce.errors import IdReused, LiveCommerceError
from livecommerce.orders.errors import PaidAlready, PaymentRefused
from livecommerce.orders.model import Order
from livecommerce.orders.payments.manual import TRANSFER_DAYS, ManualPayments
from livecommerce.orders.payments.port import Method
from livecommerce.orders.till import UNDONE_HOLD_SECONDS, Till
from livecommerce.stock.operations import Cancel, Extend, Line, Reprice, Restock, SetQuantity
from tests.orders.conftest import SHOP, SHOW, Stall

PAY = "payment-0001"


@pytest.fixture
def till(stall: Stall) -> Till:
    return Till(stall.database, stall.engine, (ManualPayments(),))


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


async def refused_paid(till: Till, payment: str = PAY) -> tuple[str, dict[str, object]]:
    with pytest.raises(LiveCommerceError) as told:
        await till.paid(SHOP, payment, "ling")
    return told.value.code, told.value.details


async def test_money_for_claims_that_have_all_ended_is_kept_and_told(stall: Stall, till: Till) -> None:
    await stall.stock(A01=5)
    await stall.claim("vera", "A01")
    await till.begin(SHOP, (await vera(stall)).id, PAY, "bank_transfer", "", "ling")
    await stall.engine.submit(Cancel(id=stall.id(), shop=SHOP, show=SHOW, reservation="A01#1"))
    assert await refused_paid(till) == ("claims_ended", {"reservations": ["A01#1"]})
    order = await vera(stall)
    assert (order.payments[0].state, order.confirmed_minor) == ("paid", 0), "the money is noted"


async def change(stall: Stall, how: str) -> None:
    """Vera has three of the last four A01 and one B02 of two wanted."""
    operation: Cancel | SetQuantity | Reprice | Restock
    if how == "cancel":
        operation = Cancel(stall.id(), SHOP, SHOW, "vera", "A01#1")
    elif how == "set":
        operation = SetQuantity(stall.id(), SHOP, SHOW, "A01#1", 2, "vera")
    elif how == "price":
        operation = Reprice(stall.id(), SHOP, SHOW, "A01#1", Line("A01", 1, 90, "TWD", "A01"))
    else:
        operation = Restock(stall.id(), SHOP, SHOW, "B02", 5)  # the piece that waited comes
    assert (await stall.engine.submit(operation)).outcome not in ("unchanged", "not_active")


@pytest.mark.parametrize(("how", "due"), [("cancel", 100), ("set", 300), ("price", 370), ("promotion", 500)])
async def test_a_payment_whose_claims_changed_is_begun_anew_with_the_right_sum(
    stall: Stall, till: Till, how: str, due: int
) -> None:
    await stall.stock(A01=4, B02=1)
    await stall.claim("vera", "A01", 3)
    await stall.claim("vera", "B02", 2)
    order = await vera(stall)
    first, _ = await till.begin(SHOP, order.id, PAY, "bank_transfer", "", "ling")
    assert first.amount_minor == 400
    await change(stall, how)
    code, details = await refused_paid(till)
    assert (code, details["due_minor"]) == ("payment_outdated", due)
    assert await sold(stall) == 0, "nothing was sold for the wrong sum"
    second, _ = await till.begin(SHOP, order.id, "payment-0002", "bank_transfer", "", "ling")
    assert second.amount_minor == due
    assert (await till.paid(SHOP, "payment-0002", "ling")).state == "paid"
    order = await vera(stall)
    assert [payment.state for payment in order.payments] == ["void", "paid"]
    assert (order.confirmed_minor, order.total_minor) == (due, due)
    assert await refused_paid(till) == ("payment_void", {})


async def test_two_clicks_at_once_with_ids_of_their_own_make_one_payment(stall: Stall, till: Till) -> None:
    await stall.stock(A01=5)
    await stall.claim("vera", "A01", 2)
    order = await vera(stall)
    clicks = (till.begin(SHOP, order.id, f"payment-000{n}", "bank_transfer", "", "ling") for n in range(4))
    answers = await asyncio.gather(*clicks, return_exceptions=True)
    assert sorted(getattr(answer, "code", "begun") for answer in answers) == ["begun", *["nothing_to_pay"] * 3]
    assert len((await vera(stall)).payments) == 1


async def test_cash_on_delivery_is_taken_back(stall: Stall, till: Till) -> None:
    await stall.stock(A01=5)
    await stall.claim("vera", "A01", 2)
    order = await vera(stall)
    await till.begin(SHOP, order.id, PAY, "cash_on_delivery", "", "ling")
    assert await sold(stall) == 2
    for _ in range(2):
        assert (await till.undo(SHOP, PAY, "mei")).state == "void"
    order = await vera(stall)
    assert (await sold(stall), order.confirmed_minor, order.total_minor) == (0, 0, 200)
    assert [(line.state, line.quantity) for line in order.lines] == [("held", 2)]
    assert order.lines[0].deadline_ms - order.lines[0].updated_ms == UNDONE_HOLD_SECONDS * 1000
    assert await refused_paid(till) == ("payment_void", {})
    again, _ = await till.begin(SHOP, order.id, "payment-0002", "bank_transfer", "", "ling")
    assert again.amount_minor == 200
    assert (await till.paid(SHOP, "payment-0002", "ling")).state == "paid"
    assert await sold(stall) == 2


async def test_a_claim_extended_before_says_until_when_it_is_held(stall: Stall, till: Till) -> None:
    await stall.stock(A01=5)
    await stall.claim("vera", "A01")
    extended = await stall.engine.submit(Extend(stall.id(), SHOP, SHOW, "A01#1", 1200))
    _, started = await till.begin(SHOP, (await vera(stall)).id, PAY, "bank_transfer", "", "ling")
    assert started.held_until_ms == extended.lines[0].deadline_ms


@pytest.mark.parametrize("hold_seconds", [0, 3_600], ids=["held as they are", "held longer"])
async def test_held_until_is_when_the_first_of_several_claims_lapses(stall: Stall, hold_seconds: int) -> None:
    till = Till(stall.database, stall.engine, (Scanned(hold_seconds),))
    await stall.stock(A01=5, B02=5)
    await stall.claim("vera", "A01")
    await stall.claim("vera", "B02")
    first = await stall.engine.submit(Extend(stall.id(), SHOP, SHOW, "A01#1", 1_200))
    if not hold_seconds:
        await stall.engine.submit(Extend(stall.id(), SHOP, SHOW, "B02#1", 2_400))
    _, started = await till.begin(SHOP, (await vera(stall)).id, PAY, "scanned", "", "ling")
    deadlines = sorted(line.deadline_ms for line in (await vera(stall)).lines)
    assert deadlines[0] == first.lines[0].deadline_ms < deadlines[1]
    assert started.held_until_ms == deadlines[0]


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


class Scanned(ManualPayments):
    """Holds as long as it is told, or leaves the claims as they are."""

    name = "scanned"

    def __init__(self, hold_seconds: int) -> None:
        self.methods = {"scanned": Method({}, {}, hold_seconds)}

    async def create(self, order: Order, payment: str, method: str, amount_minor: int) -> dict[str, str]:
        return {}


class Declined(Scanned):
    """An outside system that says no when it is asked."""

    async def create(self, order: Order, payment: str, method: str, amount_minor: int) -> dict[str, str]:
        raise PaymentRefused("Declined.", field="method")


async def test_a_provider_that_refuses_leaves_the_claims_to_another(stall: Stall) -> None:
    till = Till(stall.database, stall.engine, (ManualPayments(), Declined(60)))
    await stall.stock(A01=5)
    await stall.claim("vera", "A01", 2)
    order = await vera(stall)
    assert await refused(till, order.id, "payment-0001", "scanned") == "payment_refused"
    payment, _ = await till.begin(SHOP, order.id, "payment-0002", "bank_transfer", "", "ling")
    assert (payment.amount_minor, payment.reservations) == (200, ["A01#1"])
    assert [one.state for one in (await vera(stall)).payments] == ["void", "pending"]
