"""A till that dies or is overtaken between the database and stock: both tell the same in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from livecommerce.errors import Busy, LiveCommerceError
from livecommerce.orders.payments.manual import ManualPayments
from livecommerce.orders.till import Till
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.operations import Confirm, Operation, Unconfirm
from livecommerce.stock.outcomes import Answer
from tests.orders.conftest import SHOP, Stall

PAY = "payment-0001"


class Cut(Exception):
    """The process dies here."""


class Stock:
    """Stock as the till sees it, with something that happens before an operation is submitted."""

    def __init__(self, engine: StockEngine) -> None:
        self.claims = engine.claims
        self._engine = engine
        self.before: Callable[[Operation], object] = lambda _: None

    async def submit(self, operation: Operation) -> Answer:
        happens = self.before(operation)
        if asyncio.iscoroutine(happens):
            await happens
        return await self._engine.submit(operation)

    def cut_at(self, kind: type[Confirm] | type[Unconfirm], after: int) -> None:
        """Once: the operation of this kind that follows `after` others does not come."""
        seen = 0

        def before(operation: Operation) -> None:
            nonlocal seen
            if isinstance(operation, kind):
                seen += 1
                if seen == after + 1:
                    raise Cut

        self.before = before

    def meanwhile(self, kind: type[Confirm] | type[Unconfirm], happens: Callable[[], object]) -> None:
        """Once, before the first operation of this kind."""

        def before(operation: Operation) -> object:
            if not isinstance(operation, kind):
                return None
            self.before = lambda _: None
            return happens()

        self.before = before


@pytest.fixture
def stock(stall: Stall) -> Stock:
    return Stock(stall.engine)


@pytest.fixture
def till(stall: Stall, stock: Stock) -> Till:
    return Till(stall.database, stock, (ManualPayments(),))  # type: ignore[arg-type]  # the two calls that the till makes


async def begun(stall: Stall, till: Till, method: str = "bank_transfer") -> str:
    """Vera pays for an A01 and two B02; the order's id."""
    await stall.stock(A01=5, B02=5)
    await stall.claim("vera", "A01")
    await stall.claim("vera", "B02", 2)
    order = (await stall.orders())["vera"]
    await till.begin(SHOP, order.id, PAY, method, "", "ling")
    return order.id


async def told(stall: Stall) -> tuple[str, int, list[str]]:
    """The payment's state, pieces sold by stock, states of the order's lines."""
    order = (await stall.orders())["vera"]
    counters = await stall.engine.counters(SHOP, ["A01", "B02"])
    return (
        order.payments[0].state,
        sum(counters[item].sold for item in counters),
        sorted(line.state for line in order.lines),
    )


TAKEN_BACK = ("void", 0, ["held", "held"])
PAID = ("paid", 3, ["confirmed", "confirmed"])


@pytest.mark.parametrize("method", ["bank_transfer", "cash_on_delivery"])
@pytest.mark.parametrize("after", [0, 1])
async def test_taking_back_that_was_cut_short_is_finished_by_the_next_press(
    stall: Stall, stock: Stock, till: Till, after: int, method: str
) -> None:
    await begun(stall, till, method)
    await till.paid(SHOP, PAY, "ling")
    stock.cut_at(Unconfirm, after)
    with pytest.raises(Cut):
        await till.undo(SHOP, PAY, "mei")
    assert (await told(stall))[:2] == ("undoing", 3 - after)  # A01 came first
    with pytest.raises(LiveCommerceError, match=r"taken back|void") as refusal:
        await till.paid(SHOP, PAY, "ling")
    assert refusal.value.code == "payment_void"
    assert (await till.undo(SHOP, PAY, "mei")).state == "void"
    assert await told(stall) == TAKEN_BACK


@pytest.mark.parametrize("press", ["paid", "undo"])
@pytest.mark.parametrize("after", [0, 1])
async def test_money_noted_and_cut_short_is_finished_or_taken_back(
    stall: Stall, stock: Stock, till: Till, after: int, press: str
) -> None:
    await begun(stall, till)
    stock.cut_at(Confirm, after)
    with pytest.raises(Cut):
        await till.paid(SHOP, PAY, "ling")
    assert (await told(stall))[:2] == ("confirming", after)
    await (till.paid(SHOP, PAY, "ling") if press == "paid" else till.undo(SHOP, PAY, "mei"))
    assert await told(stall) == (PAID if press == "paid" else TAKEN_BACK)


async def test_taking_back_while_the_money_is_noted_leaves_nothing_sold(stall: Stall, stock: Stock, till: Till) -> None:
    await begun(stall, till)
    stock.meanwhile(Confirm, lambda: till.undo(SHOP, PAY, "mei"))
    with pytest.raises(LiveCommerceError) as refusal:
        await till.paid(SHOP, PAY, "ling")
    assert refusal.value.code == "payment_void"
    assert await told(stall) == TAKEN_BACK


async def test_money_noted_while_it_is_taken_back_is_refused(stall: Stall, stock: Stock, till: Till) -> None:
    await begun(stall, till, "cash_on_delivery")
    refusals: list[str] = []

    async def paid() -> None:
        with pytest.raises(LiveCommerceError) as refusal:
            await till.paid(SHOP, PAY, "ling")
        refusals.append(refusal.value.code)

    stock.meanwhile(Unconfirm, paid)
    await till.undo(SHOP, PAY, "mei")
    assert refusals == ["payment_void"]
    assert await told(stall) == TAKEN_BACK


async def test_money_that_is_being_noted_since_one_looked_makes_the_other_wait(
    stall: Stall, stock: Stock, till: Till
) -> None:
    """Undo has read `pending`; before it writes, `paid` begins. Its sale may still come, so nothing is taken back."""
    await begun(stall, till)
    order = (await stall.orders())["vera"]
    stock.cut_at(Confirm, 1)
    with pytest.raises(Cut):
        await till.paid(SHOP, PAY, "ling")
    with pytest.raises(Busy):
        await till._undoing(order, order.payments[0], "mei")
    assert (await told(stall))[0] == "confirming"


@pytest.mark.parametrize("press", ["paid", "undo"])
async def test_a_beginning_repeated_at_the_same_moment_overwrites_nothing(
    stall: Stall, stock: Stock, till: Till, press: str
) -> None:
    order = await begun(stall, till, "cash_on_delivery")
    stock.meanwhile(Confirm, lambda: till.paid(SHOP, PAY, "ling") if press == "paid" else till.undo(SHOP, PAY, "mei"))
    await till.begin(SHOP, order, PAY, "cash_on_delivery", "", "ling")
    assert await told(stall) == (PAID if press == "paid" else TAKEN_BACK)


async def test_all_at_once_ends_as_one_or_the_other(stall: Stall, till: Till) -> None:
    await begun(stall, till)
    presses = [press for _ in range(3) for press in (till.paid(SHOP, PAY, "ling"), till.undo(SHOP, PAY, "mei"))]
    for answer in await asyncio.gather(*presses, return_exceptions=True):
        assert not isinstance(answer, BaseException) or isinstance(answer, LiveCommerceError)
    await till.undo(SHOP, PAY, "mei")
    assert await told(stall) == TAKEN_BACK
