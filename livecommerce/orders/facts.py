"""The facts of orders: what each kind tells about money, and how it is made of an order and a payment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from livecommerce.orders.model import Order, Payment
from livecommerce.records.facts import Fact, FactBody


class PaymentBegun(FactBody, frozen=True, kw_only=True):
    """A payment is expected; its subject is the payment. `reservations` are the claims that it covers."""

    KIND: ClassVar[str] = "payment.begun"

    order: str
    show: str
    viewer: str
    provider: str
    method: str
    amount_minor: int
    currency: str
    reservations: list[str]
    by_staff: str


class OrderPaid(FactBody, frozen=True, kw_only=True):
    """The money of a payment is here; its subject is the payment. Told once a payment.

    `ended` are claims of it that had ended before and were not sold: their part is to be given back.
    """

    KIND: ClassVar[str] = "order.paid"

    order: str
    show: str
    viewer: str
    provider: str
    method: str
    amount_minor: int
    currency: str
    ended: list[str]
    by_staff: str


class PaymentVoided(FactBody, frozen=True, kw_only=True):
    """A payment counts no more: taken back by staff, or begun anew with another sum. Its subject is the payment."""

    KIND: ClassVar[str] = "payment.voided"

    order: str
    show: str
    viewer: str
    method: str
    amount_minor: int
    currency: str
    was: str
    by_staff: str


def payment_voided(order: Order, payment: Payment, by_staff: str, at_ms: int) -> Fact:
    """`payment` as it stood before."""
    body = PaymentVoided(
        order=order.id,
        show=order.show,
        viewer=order.viewer,
        method=payment.method,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        was="paid" if payment.state == "paid" else "pending",  # one that was being noted is not yet paid
        by_staff=by_staff,
    )
    return Fact.of(order.shop, payment.id, body, at_ms)


def payment_begun(order: Order, payment: Payment) -> Fact:
    body = PaymentBegun(
        order=order.id,
        show=order.show,
        viewer=order.viewer,
        provider=payment.provider,
        method=payment.method,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        reservations=payment.reservations,
        by_staff=payment.by_staff,
    )
    return Fact.of(order.shop, payment.id, body, payment.created_ms)


def order_paid(order: Order, payment: Payment, ended: Sequence[str]) -> Fact:
    body = OrderPaid(
        order=order.id,
        show=order.show,
        viewer=order.viewer,
        provider=payment.provider,
        method=payment.method,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        ended=list(ended),
        by_staff=payment.by_staff,
    )
    return Fact.of(order.shop, payment.id, body, payment.updated_ms)
