"""The provider's code is what Thai banks read, and the till takes it beside the ones there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from examples.payment_provider import promptpay
from examples.payment_provider.promptpay import payload
from livecommerce.orders import payments
from livecommerce.orders.errors import PaymentRefused
from livecommerce.orders.model import Order
from livecommerce.orders.payments.port import PaymentProvider
from livecommerce.orders.providers import providers_of
from livecommerce.orders.settings import Orders
from livecommerce.orders.till import Till
from livecommerce.settings import LOCALES, SettingsError
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


@pytest.fixture
def providers(monkeypatch: pytest.MonkeyPatch) -> tuple[PaymentProvider, ...]:
    """As the server makes them of its setting, with the file where the example says it belongs."""
    monkeypatch.setattr(payments, "__path__", [*payments.__path__, str(Path(promptpay.__file__).parent)])
    return providers_of(Orders(payments=("manual", "promptpay:081-234-5678")).payments)


async def order_of(stall: Stall, currency: str) -> Order:
    line = Line(item="A01", quantity=2, unit_price_minor=12_550, currency=currency, text="A01")
    await stall.stock(A01=5)
    await stall.engine.submit(Reserve(id=stall.id(), shop=SHOP, show=SHOW, viewer="som", lines=(line,)))
    return (await stall.orders())["som"]


async def test_the_till_takes_it(stall: Stall, providers: tuple[PaymentProvider, ...]) -> None:
    till = Till(stall.database, stall.engine, providers)
    order = await order_of(stall, "THB")
    assert till.methods_for(order) == ["bank_transfer", "cash_on_delivery", "promptpay"]
    payment, started = await till.begin(SHOP, order.id, "payment-0001", "promptpay", "", "ling")
    assert (payment.state, payment.provider, payment.amount_minor) == ("pending", "promptpay", 25_100)
    code = payload("0812345678", 25_100)
    assert {locale: text.splitlines()[-1] for locale, text in started.instructions.items()} == dict.fromkeys(
        LOCALES, code
    )
    (line,) = (await stall.orders())["som"].lines
    assert started.held_until_ms == line.deadline_ms == line.updated_ms + 3_600_000
    _, again = await till.begin(SHOP, order.id, "payment-0001", "promptpay", "", "ling")
    assert again == started
    await till.paid(SHOP, "payment-0001", "ling")
    assert (await stall.engine.counters(SHOP, ["A01"]))["A01"].sold == 2


async def test_it_takes_baht_only(stall: Stall, providers: tuple[PaymentProvider, ...]) -> None:
    till = Till(stall.database, stall.engine, providers)
    order = await order_of(stall, "TWD")
    assert till.methods_for(order) == ["bank_transfer", "cash_on_delivery"]
    with pytest.raises(PaymentRefused, match="bank_transfer, cash_on_delivery"):
        await till.begin(SHOP, order.id, "payment-0001", "promptpay", "", "ling")
    assert (await stall.orders())["som"].payments == (), "nothing is left of it that would cover the claims"


@pytest.mark.parametrize(
    "account", ["", ":", "hello", "12", "081-234-567", "181-234-5678", "081-234-56789", "٠٨١٢٣٤٥٦٧٨"]
)
def test_an_account_that_is_nobodys_is_refused(account: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payments, "__path__", [*payments.__path__, str(Path(promptpay.__file__).parent)])
    entry = f"promptpay:{account}" if account else "promptpay"
    with pytest.raises(SettingsError, match=r"orders.payments: promptpay:.*ten digits"):
        providers_of([entry])
