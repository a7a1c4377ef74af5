"""Money that came and went leaves a trace: in the order, in its files, and from before the columns were there."""

from __future__ import annotations

from datetime import UTC

import pytest
from sqlalchemy import text

from livecommerce.orders.export import COLUMNS, rows
from livecommerce.orders.history import history
from livecommerce.orders.model import Payment
from livecommerce.orders.payments.manual import ManualPayments
from livecommerce.orders.routes import order_shape
from livecommerce.orders.till import Till
from livecommerce.records.database import Database
from tests.orders.conftest import SHOP, Stall


@pytest.fixture
def till(stall: Stall) -> Till:
    return Till(stall.database, stall.engine, (ManualPayments(),))


def made(name: str, **more: int | str) -> Payment:
    base = Payment(name, "o-1", "manual", "bank_transfer", "void", 900, "TWD", "12345", [], "ling", 10, 10)
    return Payment(**{**{field: getattr(base, field) for field in base.__struct_fields__}, **more})  # type: ignore[arg-type]


def test_money_is_told_in_the_order_of_time_and_what_was_only_awaited_is_none() -> None:
    moved = history(
        [
            made("one", paid_ms=20, paid_by="ling", voided_ms=50, voided_by="owner"),
            made("two", voided_ms=30, voided_by="owner"),  # awaited, then begun anew
            made("three", paid_ms=40, paid_by="mei", state="paid", amount_minor=700),
        ]
    )
    assert [(one.what, one.payment, one.at_ms, one.by, one.amount_minor) for one in moved] == [
        ("received", "one", 20, "ling", 900),
        ("received", "three", 40, "mei", 700),
        ("taken_back", "one", 50, "owner", 900),
    ]


async def test_a_payment_received_and_taken_back_stays_in_the_order_and_in_its_file(stall: Stall, till: Till) -> None:
    await stall.stock(A01=5, B02=5)
    await stall.claim("vera", "A01", 2, price=590)
    await stall.claim("vera", "B02", 1, price=250)
    order = (await stall.orders())["vera"]
    await till.begin(SHOP, order.id, "payment-0001", "bank_transfer", "", "ling")
    await till.paid(SHOP, "payment-0001", "ling", "12345")
    await till.undo(SHOP, "payment-0001", "owner")
    await till.begin(SHOP, order.id, "payment-0002", "cash_on_delivery", "", "ling")
    await till.paid(SHOP, "payment-0002", "mei", "door")
    order = (await stall.orders())["vera"]
    told = [
        (one["what"], one["by"], one["amount_minor"], one["reference"])
        for one in order_shape(order, [], {}, {})["history"]
    ]
    assert told == [
        ("received", "ling", 1430, "12345"),
        ("taken_back", "owner", 1430, "12345"),
        ("received", "mei", 1430, "door"),
    ]
    listed = [dict(zip(COLUMNS, row, strict=True)) for row in rows([order], {}, {}, UTC)]
    assert sum(int(row["received"] or 0) for row in listed) == 1430, "once a payment, not once a row"
    assert {row["received_by"] for row in listed} == {"mei"}
    assert all(str(row["received_at"]).endswith("Z") for row in listed)
    first, second = listed
    assert str(first["taken_back"]).startswith("1430 TWD 2")
    assert str(first["taken_back"]).endswith(" owner (12345)")
    assert " ling → " in str(first["taken_back"])
    assert second["taken_back"] == "", "once an order"


async def test_a_payment_begun_anew_says_who_gave_the_old_one_up(stall: Stall, till: Till) -> None:
    await stall.stock(A01=5)
    await stall.claim("vera", "A01", 1, price=590)
    order = (await stall.orders())["vera"]
    await till.begin(SHOP, order.id, "payment-0001", "bank_transfer", "", "ling")
    await till.undo(SHOP, "payment-0001", "owner")
    (payment,) = (await stall.orders())["vera"].payments
    assert (payment.state, payment.voided_by, payment.paid_ms) == ("void", "owner", 0)
    assert payment.voided_ms >= payment.created_ms
    assert history([payment]) == []


async def test_payments_from_before_get_their_days_from_facts_or_from_their_last_change(database_url: str) -> None:
    database = Database(database_url)
    await database.start("0005")
    async with database.write() as connection:
        await connection.execute(
            text(
                "INSERT INTO shops (id, name, currency, locale, packs, created_ms) "
                "VALUES ('s', 's', 'TWD', 'en', '[]', 1)"
            )
        )
        await connection.execute(
            text(
                "INSERT INTO orders (id, shop, show, viewer, number, currency, state, total_minor, confirmed_minor, "
                "created_ms, updated_ms) VALUES ('o', 's', 'demo', 'vera', 1, 'TWD', 'open', 0, 0, 1, 1)"
            )
        )
        for name, state in (("paid", "paid"), ("void", "void"), ("told", "void"), ("open", "pending")):
            await connection.execute(
                text(
                    'INSERT INTO payments (id, "order", provider, method, state, amount_minor, currency, reference, '
                    "reservations, by_staff, created_ms, updated_ms) VALUES (:name, 'o', 'manual', 'bank_transfer', "
                    ":state, 1, 'TWD', '', '[]', 'ling', 1, 9)"
                ),
                {"name": name, "state": state},
            )
        for number, (kind, at_ms) in enumerate((("order.paid", 5), ("payment.voided", 7)), 1):
            await connection.execute(
                text(
                    "INSERT INTO facts (shop, id, kind, subject, at_ms, version, body) "
                    "VALUES ('s', :number, :kind, 'told', :at_ms, 1, '{}')"
                ),
                {"number": number, "kind": kind, "at_ms": at_ms},
            )
    await database.start()
    async with database.read() as connection:
        found = await connection.execute(text("SELECT id, paid_ms, paid_by, voided_ms FROM payments ORDER BY id"))
        assert [tuple(row) for row in found] == [
            ("open", 0, "", 0), ("paid", 9, "ling", 0), ("told", 5, "ling", 7), ("void", 0, "", 9),
        ]  # fmt: skip
    await database.close()
