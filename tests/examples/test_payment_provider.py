"""The provider's code is what Thai banks read, and the till takes it beside the ones there are."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from examples.payment_provider.promptpay import PromptPay, payload
from livecommerce.orders.errors import PaymentRefused
from livecommerce.orders.model import Order
from livecommerce.orders.payments.manual import ManualPayments
from livecommerce.orders.till import Till
from livecommerce.stock.operations import Line, Reserve
from tests.orders.conftest import SHOP, SHOW, Stall, stall

__all__ = ["stall"]


@pytest.mark.parametrize(
    ("phone", "satang", "code"),
    [
        # from the tests of the library promptpay-qr, which Thai shops use
        (
            "000-000-0000",
            422,
            "00020101021229370016A000000677010111011300660000000005802TH530376454044.226304E469",
        ),
    ],
)
def test_the_code_is_what_others_make_of_it(phone: str, satang: int, code: str) -> None:
    assert payload(phone, satang) == code


async def thai_order(stall: Stall) -> Order:
    line = Line(item="A01", quantity=2, unit_price_minor=12_550, currency="THB", text="A01")
    await stall.stock(A01=5)
    await stall.engine.submit(Reserve(id=stall.id(), shop=SHOP, show=SHOW, viewer="som", lines=(line,)))
    return (await stall.orders())["som"]


async def test_the_till_takes_it(stall: Stall) -> None:
    till = Till(stall.database, stall.engine, (ManualPayments(), PromptPay("081-234-5678")))
    order = await thai_order(stall)
    payment, started = await till.begin(SHOP, order.id, "payment-0001", "promptpay", "", "ling")
    assert (payment.state, payment.provider, payment.amount_minor) == ("pending", "promptpay", 25_100)
    code = payload("0812345678", 25_100)
    assert [text.splitlines()[-1] for text in started.instructions.values()] == [code, code]
    _, again = await till.begin(SHOP, order.id, "payment-0001", "promptpay", "", "ling")
    assert again == started
    await till.paid(SHOP, "payment-0001", "ling")
    assert (await stall.engine.counters(SHOP, ["A01"]))["A01"].sold == 2


async def test_it_takes_baht_only(stall: Stall) -> None:
    order = replace(await thai_order(stall), currency="TWD")
    with pytest.raises(PaymentRefused):
        await PromptPay("081-234-5678").create(order, "payment-0001", "promptpay", 100)


async def test_a_method_that_is_not_its_own_is_refused() -> None:
    with pytest.raises(PaymentRefused):
        PromptPay("081-234-5678").terms("bank_transfer")
