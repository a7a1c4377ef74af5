"""Facts of money: one for each payment begun and each received, and what is made of them agrees with the payments."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from sqlalchemy import func, select

from livecommerce.errors import LiveCommerceError
from livecommerce.orders.errors import PaidAlready
from livecommerce.orders.facts import OrderPaid, PaymentBegun
from livecommerce.orders.money_trail import MONEY_TRAIL
from livecommerce.orders.payments.manual import ManualPayments
from livecommerce.orders.tables import payments
from livecommerce.orders.till import Till
from livecommerce.records.audit import AuditEntry, AuditRepository, audit
from livecommerce.records.database import Database
from livecommerce.records.fact_readers import FactReaders
from livecommerce.records.facts import Fact, append
from livecommerce.records.rows import as_struct
from livecommerce.records.tables import facts
from livecommerce.stock.operations import Cancel
from tests.orders.conftest import SHOP, SHOW, Stall
from tests.records.killed_reader import kill_reader

PAY = "payment-0001"


@pytest.fixture
def till(stall: Stall) -> Till:
    return Till(stall.database, stall.engine, (ManualPayments(),))


async def facts_of(database: Database) -> list[Fact]:
    async with database.read() as connection:
        rows = await connection.execute(select(facts).where(facts.c.shop == SHOP).order_by(facts.c.id))
        return [as_struct(row, Fact) for row in rows]


async def trail(database: Database) -> list[tuple[str, str, str]]:
    """(actor, what, payment), oldest first, after the reader has read all."""
    readers = FactReaders(database)
    await readers.register(MONEY_TRAIL.name)
    while await readers.read(MONEY_TRAIL, SHOP):
        pass
    return [(entry.actor, entry.do, entry.subject) for entry in reversed(await AuditRepository(database).newest(SHOP))]


async def test_pressing_at_once_and_again_is_one_fact(stall: Stall, till: Till) -> None:
    await stall.stock(A01=5)
    await stall.claim("vera", "A01", 2)
    order = (await stall.orders())["vera"]
    await asyncio.gather(*(till.begin(SHOP, order.id, PAY, "bank_transfer", "", "ling") for _ in range(4)))
    await till.begin(SHOP, order.id, PAY, "bank_transfer", "", "ling")
    await asyncio.gather(*(till.paid(SHOP, PAY, "mei") for _ in range(4)))
    await till.paid(SHOP, PAY, "ling")
    with pytest.raises(PaidAlready):
        await till.paid(SHOP, PAY, "ling", "12345")
    begun, received = await facts_of(stall.database)
    assert begun.body_as(PaymentBegun) == PaymentBegun(
        order=order.id, show=SHOW, viewer="vera", provider="manual", method="bank_transfer", amount_minor=200,
        currency="TWD", reservations=["A01#1"], by_staff="ling",
    )  # fmt: skip
    assert received.body_as(OrderPaid) == OrderPaid(
        order=order.id, show=SHOW, viewer="vera", provider="manual", method="bank_transfer", amount_minor=200,
        currency="TWD", ended=[], by_staff="mei",
    )  # fmt: skip
    assert (begun.kind, begun.subject, received.kind, received.subject) == ("payment.begun", PAY, "order.paid", PAY)
    assert await trail(stall.database) == [("ling", "payment_begun", PAY), ("mei", "payment_received", PAY)]


async def test_money_for_claims_that_had_ended_is_in_the_trail(stall: Stall, till: Till) -> None:
    await stall.stock(A01=5)
    await stall.claim("vera", "A01")
    await till.begin(SHOP, (await stall.orders())["vera"].id, PAY, "bank_transfer", "", "ling")
    await stall.engine.submit(Cancel(id=stall.id(), shop=SHOP, show=SHOW, reservation="A01#1"))
    with pytest.raises(LiveCommerceError, match="had ended"):
        await till.paid(SHOP, PAY, "ling")
    await trail(stall.database)
    newest: AuditEntry = (await AuditRepository(stall.database).newest(SHOP))[0]
    assert (newest.do, newest.subject, newest.details) == ("payment_received", PAY, {"ended": ["A01#1"]})


async def test_what_is_paid_by_the_facts_is_what_is_paid_by_the_payments(stall: Stall, till: Till) -> None:
    await stall.stock(A01=50)
    for number in range(6):
        await stall.claim(f"viewer-{number}", "A01", number + 1, price=590)
    for number, order in enumerate((await stall.orders()).values()):
        method = "cash_on_delivery" if number % 2 else "bank_transfer"
        await till.begin(SHOP, order.id, f"payment-{number:04}", method, "", "ling")
        if number % 3:
            await till.paid(SHOP, f"payment-{number:04}", "ling")
    by_facts: Counter[str] = Counter()
    for fact in await facts_of(stall.database):
        if fact.kind == OrderPaid.KIND:
            by_facts[fact.body_as(OrderPaid).order] += fact.body_as(OrderPaid).amount_minor
    table = payments
    async with stall.database.read() as connection:
        paid = select(table.c.order, func.sum(table.c.amount_minor)).where(table.c.state == "paid")
        by_payments = {row[0]: int(row[1]) for row in await connection.execute(paid.group_by(table.c.order))}
    assert by_facts == by_payments
    assert sum(by_facts.values()) == (2 + 3 + 5 + 6) * 590


async def test_the_trail_is_whole_when_its_reader_is_killed(database: Database, database_url: str) -> None:
    body = PaymentBegun(
        order="o-1", show=SHOW, viewer="vera", provider="manual", method="bank_transfer", amount_minor=1,
        currency="TWD", reservations=[], by_staff="ling",
    )  # fmt: skip
    await FactReaders(database).register(MONEY_TRAIL.name)
    expected = [f"payment-{number:04}" for number in range(800)]
    async with database.write() as connection:
        await append(connection, SHOP, [Fact.of(SHOP, payment, body) for payment in expected])
    await kill_reader(database_url, "livecommerce.orders.money_trail:MONEY_TRAIL", MONEY_TRAIL.name, rounds=2, seed=1)
    async with database.read() as connection:
        subjects = (await connection.execute(select(audit.c.subject).order_by(audit.c.id))).scalars()
        assert list(subjects) == expected
