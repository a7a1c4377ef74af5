"""The till: payments of an order, and what they do to its claims.

A payment covers the claims that are held when it begins; each is extended once, so that a hold does not end while its
buyer pays. Money marked as received confirms them. Every stock operation has an id made of the payment's and the
reservation's, so a till that dies half-way is finished by pressing the same button again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from msgspec.structs import replace

from livecommerce.errors import Busy, IdReused, NotFound
from livecommerce.orders import rows
from livecommerce.orders.errors import ClaimsEnded, NothingToPay, PaidAlready, PaymentRefused, PaymentUnknown
from livecommerce.orders.facts import order_paid, payment_begun
from livecommerce.orders.model import Order, Payment
from livecommerce.orders.payments.manual import ManualPayments
from livecommerce.orders.payments.port import PaymentProvider, Started
from livecommerce.records.database import Database
from livecommerce.records.facts import append
from livecommerce.records.rows import now_ms
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.operations import Confirm, Extend
from livecommerce.stock.outcomes import RETRYABLE, Answer, Outcome

REFERENCE_LENGTH_MAX = 80
_CONFIRMED = frozenset((Outcome.CONFIRMED, Outcome.UNCHANGED))


def _operation_id(payment: str, what: str, reservation: str) -> str:
    digest = hashlib.blake2b(f"{payment}\0{reservation}".encode(), digest_size=16).hexdigest()
    return f"{what}-{digest}"


def is_same(payment: Payment, method: str, reference: str) -> None:
    """
    Raises:
        IdReused: this payment was begun as something else.
    """
    # The reference of a paid one may be that of the money which came.
    same_reference = payment.state == "paid" or payment.reference == reference[:REFERENCE_LENGTH_MAX]
    if payment.method != method or not same_reference:
        raise IdReused


def is_unpaid_or_same(payment: Payment, reference: str) -> None:
    """
    Raises:
        PaidAlready: the money was noted with another reference.
    """
    if payment.state == "paid" and reference not in ("", payment.reference):
        raise PaidAlready


class Till:
    def __init__(
        self, database: Database, engine: StockEngine, providers: Sequence[PaymentProvider] = (ManualPayments(),)
    ) -> None:
        self._database = database
        self._orders = rows.OrderRepository(database)
        self._engine = engine
        self._providers = providers

    def _provider(self, method: str) -> PaymentProvider:
        for provider in self._providers:
            if method in provider.methods:
                return provider
        known = sorted(name for provider in self._providers for name in provider.methods)
        raise PaymentRefused(f"method is one of {', '.join(known)}.", field="method")

    async def begin(
        self, shop: str, order_id: str, payment_id: str, method: str, reference: str, by_staff: str
    ) -> tuple[Payment, Started]:
        """Begins a payment for everything the order has held. The same `payment_id` again returns the same payment.

        Raises:
            NotFound, PaymentRefused, NothingToPay, Busy
        """
        order = await self._orders.get(shop, order_id)
        if order is None:
            raise NotFound("There is no such order.")
        provider = self._provider(method)
        payment = next((known for known in order.payments if known.id == payment_id), None)
        if payment is None:
            payment = await self._record(order, payment_id, provider, method, reference, by_staff)
        is_same(payment, method, reference)
        started = await provider.create(order, payment.id, payment.method, payment.amount_minor)
        terms = provider.terms(payment.method)
        if terms.confirms_at_once:
            await self._confirm(shop, order.show, payment)
        elif terms.hold_seconds:
            for reservation in payment.reservations:
                await self._submit(
                    Extend(
                        id=_operation_id(payment.id, "extend", reservation),
                        shop=shop,
                        show=order.show,
                        reservation=reservation,
                        seconds=terms.hold_seconds,
                    )
                )
        return payment, started

    async def _record(
        self, order: Order, payment_id: str, provider: PaymentProvider, method: str, reference: str, by_staff: str
    ) -> Payment:
        covered = {
            reservation
            for payment in order.payments
            if payment.state != "refunded"
            for reservation in payment.reservations
        }
        held = [
            line
            for line in order.lines
            if line.state in ("held", "offered") and line.quantity and line.reservation not in covered
        ]
        if not held:
            raise NothingToPay
        if any(line.currency != order.currency for line in held):
            raise PaymentRefused("The order has claims in several currencies; pay them one by one.", field="order")
        now = now_ms()
        payment = Payment(
            id=payment_id,
            order=order.id,
            provider=provider.name,
            method=method,
            state="pending",
            amount_minor=sum(line.quantity * line.unit_price_minor for line in held),
            currency=order.currency,
            reference=reference[:REFERENCE_LENGTH_MAX],
            reservations=[line.reservation for line in held],
            by_staff=by_staff,
            created_ms=now,
            updated_ms=now,
        )
        async with self._database.write() as connection:
            await rows.lock_order(connection, order.id)
            known = await rows.find_payment(connection, payment_id)
            if known is not None and known.order != order.id:
                raise PaymentRefused("This payment id belongs to another order.", field="id")
            if known is not None:
                is_same(known, method, reference)
                return known
            await rows.put_payment(connection, payment)
            await append(connection, order.shop, [payment_begun(order, payment)])
        return payment

    async def paid(self, shop: str, payment_id: str, by_staff: str, reference: str = "") -> Payment:
        """The money is here: the claims are confirmed, then the payment is marked paid. The same again gives the first
        answer.

        Raises:
            PaymentUnknown, Busy
            PaidAlready: with another reference.
            ClaimsEnded: the payment is kept as paid; `details["reservations"]` had ended before and were not sold.
        """
        async with self._database.read() as connection:
            payment = await rows.find_payment(connection, payment_id)
        order = await self._orders.get(shop, payment.order) if payment else None
        if payment is None or order is None:
            raise PaymentUnknown
        reference = reference[:REFERENCE_LENGTH_MAX]
        is_unpaid_or_same(payment, reference)
        ended = await self._confirm(shop, order.show, payment)
        payment = replace(
            payment,
            state="paid",
            by_staff=by_staff,
            reference=reference or payment.reference,
            updated_ms=now_ms(),
        )
        async with self._database.write() as connection:
            await rows.lock_order(connection, order.id)
            known = await rows.find_payment(connection, payment_id)
            if known is not None and known.state == "paid":  # pressed again, the money is not there twice
                is_unpaid_or_same(known, reference)
                payment = known
            else:
                await rows.put_payment(connection, payment)
                await append(connection, shop, [order_paid(order, payment, ended)])
        if ended:
            raise ClaimsEnded(reservations=ended)
        return payment

    async def _confirm(self, shop: str, show: str, payment: Payment) -> list[str]:
        """Confirms the payment's claims; returns those that had ended before."""
        ended: list[str] = []
        for reservation in payment.reservations:
            answer = await self._submit(
                Confirm(
                    id=_operation_id(payment.id, "confirm", reservation), shop=shop, show=show, reservation=reservation
                )
            )
            if answer.outcome not in _CONFIRMED:
                ended.append(reservation)
        return ended

    async def _submit(self, operation: Confirm | Extend) -> Answer:
        answer = await self._engine.submit(operation)
        if answer.outcome in RETRYABLE:
            raise Busy(f"Stock answered {answer.outcome}. Press again.", retry_after_ms=answer.retry_after_ms or 1_000)
        return answer
