"""The till: payments of an order, and what they do to its claims.

A payment covers the claims that are held when it begins; each is extended once, so that a hold does not end while its
buyer pays. Money marked as received confirms them. Every stock operation has an id made of the payment's and the
reservation's, so a till that dies half-way is finished by pressing the same button again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from livecommerce.errors import Busy, IdReused, NotFound, OutcomeUnknown
from livecommerce.orders import rows
from livecommerce.orders.errors import (
    ClaimsEnded,
    NothingToPay,
    PaidAlready,
    PaymentOutdated,
    PaymentRefused,
    PaymentUnknown,
    PaymentVoid,
)
from livecommerce.orders.facts import order_paid, payment_begun, payment_voided
from livecommerce.orders.model import Order, Payment
from livecommerce.orders.payments.port import Method, PaymentProvider
from livecommerce.records.database import Database
from livecommerce.records.facts import append
from livecommerce.records.rows import now_ms
from livecommerce.stock.engine import StockEngine, StockUnavailable
from livecommerce.stock.operations import Confirm, Extend, Unconfirm
from livecommerce.stock.outcomes import RETRYABLE, Answer, Claim, Outcome

REFERENCE_LENGTH_MAX = 80
UNDONE_HOLD_SECONDS = 86_400  # of a payment taken back: the shop and the buyer agree on another within a day
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


def refuse_taken_back(payment: Payment) -> None:
    """
    Raises:
        PaymentVoid
    """
    if payment.state in ("undoing", "void"):
        raise PaymentVoid


def to_pay(claim: Claim) -> bool:
    return claim.state in ("held", "offered") and claim.reserved > 0


def sum_of(payment: Payment, claims: Mapping[str, Claim]) -> int:
    """What the payment's claims come to now, in minor units: held and sold pieces at the price each claim has."""
    covered = [claims[reservation] for reservation in payment.reservations if reservation in claims]
    return sum(
        claim.reserved * claim.unit_price_minor for claim in covered if to_pay(claim) or claim.state == "confirmed"
    )


class Started(Struct, frozen=True):
    """What a payment that began comes to.

    instructions: what the buyer does, by locale, as the provider says it.
    held_until_ms: when the first of its claims lapses or lapsed; 0 where this very press sold them.
    """

    instructions: dict[str, str]
    held_until_ms: int = 0


class Till:
    def __init__(self, database: Database, engine: StockEngine, providers: Sequence[PaymentProvider]) -> None:
        self._database = database
        self._orders = rows.OrderRepository(database)
        self._engine = engine
        self._providers = providers

        self.methods: dict[str, Method] = {
            name: method for provider in providers for name, method in provider.methods.items()
        }

    def methods_for(self, order: Order) -> list[str]:
        """How this order may be paid."""
        return [name for provider in self._providers if provider.takes(order) for name in provider.methods]

    def _provider(self, order: Order, method: str) -> PaymentProvider:
        """
        Raises:
            PaymentRefused
        """
        for provider in self._providers:
            if method in provider.methods and provider.takes(order):
                return provider
        raise PaymentRefused(f"method is one of {', '.join(self.methods_for(order))}.", field="method")

    async def begin(
        self, shop: str, order_id: str, payment_id: str, method: str, reference: str, by_staff: str
    ) -> tuple[Payment, Started]:
        """Begins a payment for everything the order has held and no other payment covers. The same `payment_id` again
        returns the same payment. Pending payments whose claims have changed are void then, their claims in this one.

        Raises:
            NotFound, PaymentRefused, NothingToPay, PaymentVoid, Busy
        """
        order = await self._orders.get(shop, order_id)
        if order is None:
            raise NotFound("There is no such order.")
        provider = self._provider(order, method)
        payment = next((known for known in order.payments if known.id == payment_id), None)
        is_new = payment is None
        if payment is None:
            payment = await self._record(order, payment_id, provider, method, reference, by_staff)
        is_same(payment, method, reference)
        refuse_taken_back(payment)
        try:
            instructions = await provider.create(order, payment.id, payment.method, payment.amount_minor)
        except PaymentRefused:
            if is_new:  # else it would cover what another method may pay
                await self.undo(shop, payment.id, by_staff)
            raise
        way = provider.methods[payment.method]
        if way.confirms_at_once:
            payment = await self._confirming(order, payment.id)
            await self._confirm(shop, order.show, payment)
            return await self._sold(order, payment), Started(instructions)
        until_ms = await self._held_until(order, payment, way.hold_seconds)
        return payment, Started(instructions, until_ms)

    async def _held_until(self, order: Order, payment: Payment, hold_seconds: int) -> int:
        """Extends the payment's claims, each once; returns until when all of them are held. One that was extended
        before keeps the deadline it has."""
        if hold_seconds == 0:
            claims = await self._claims(order)
            return min((claims[name].deadline_ms for name in payment.reservations if name in claims), default=0)
        deadlines: list[int] = []
        for reservation in payment.reservations:
            operation = Extend(
                id=_operation_id(payment.id, "extend", reservation),
                shop=order.shop,
                show=order.show,
                reservation=reservation,
                seconds=hold_seconds,
            )
            answer = await self._submit(operation)
            deadlines += [line.deadline_ms for line in answer.lines if line.deadline_ms]
        return min(deadlines, default=0)

    async def _claims(self, order: Order) -> dict[str, Claim]:
        """The order's claims as stock has them now; the projection in SQL may be a moment behind."""
        try:
            claims = await self._engine.claims(order.shop, show=order.show, viewer=order.viewer)
        except StockUnavailable as error:
            raise Busy("Stock did not answer. Press again.", retry_after_ms=1_000) from error
        return {claim.reservation: claim for claim in claims}

    async def _confirming(self, order: Order, payment_id: str, claims: Mapping[str, Claim] | None = None) -> Payment:
        """The payment on its way to be paid, or what it is already: written before stock sells anything, so that
        whoever takes it back waits until the sale is through. With `claims` its sum must still be theirs.

        Raises:
            PaymentVoid, PaymentOutdated
        """
        async with self._database.write() as connection:
            await rows.lock_order(connection, order.id)
            known = await rows.find_payment(connection, payment_id)
            if known is None:
                raise PaymentUnknown
            refuse_taken_back(known)
            if known.state != "pending":
                return known
            due = sum_of(known, claims) if claims is not None else known.amount_minor
            if due not in (0, known.amount_minor):  # with nothing left to sell the money is noted, to be given back
                raise PaymentOutdated(amount_minor=known.amount_minor, due_minor=due, currency=known.currency)
            confirming = replace(known, state="confirming", updated_ms=now_ms())
            await rows.put_payment(connection, confirming)
        return confirming

    async def _sold(self, order: Order, payment: Payment) -> Payment:
        """Sold, and the money awaited: for what was sold, as a claim may have changed in the very moment."""
        amount_minor = sum_of(payment, await self._claims(order))
        async with self._database.write() as connection:
            await rows.lock_order(connection, order.id)
            known = await rows.find_payment(connection, payment.id)
            if known is None or known.state != "confirming":  # the money came, or it was taken back meanwhile
                return known or payment
            sold = replace(known, state="pending", amount_minor=amount_minor, updated_ms=now_ms())
            await rows.put_payment(connection, sold)
        return sold

    async def _record(
        self, order: Order, payment_id: str, provider: PaymentProvider, method: str, reference: str, by_staff: str
    ) -> Payment:
        """Decided with the order's row held: two clicks at once see each other's payment."""
        claims = await self._claims(order)
        now = now_ms()
        async with self._database.write() as connection:
            await rows.lock_order(connection, order.id)
            known = await rows.find_payment(connection, payment_id)
            if known is not None and known.order != order.id:
                raise PaymentRefused("This payment id belongs to another order.", field="id")
            if known is not None:
                is_same(known, method, reference)
                return known
            payments = await rows.payments_of(connection, [order.id])
            outdated = [one for one in payments if one.state == "pending" and sum_of(one, claims) != one.amount_minor]
            covered = {
                reservation
                for one in payments
                if one.state != "void" and one not in outdated
                for reservation in one.reservations
            }
            held = [claim for claim in claims.values() if to_pay(claim) and claim.reservation not in covered]
            held.sort(key=lambda claim: (claim.at_ms, claim.reservation))
            if not held:
                raise NothingToPay
            if any(claim.currency != order.currency for claim in held):
                raise PaymentRefused("The order has claims in several currencies; pay them one by one.", field="order")
            payment = Payment(
                id=payment_id,
                order=order.id,
                provider=provider.name,
                method=method,
                state="pending",
                amount_minor=sum(claim.reserved * claim.unit_price_minor for claim in held),
                currency=order.currency,
                reference=reference[:REFERENCE_LENGTH_MAX],
                reservations=[claim.reservation for claim in held],
                by_staff=by_staff,
                created_ms=now,
                updated_ms=now,
            )
            for one in outdated:
                void = replace(one, state="void", updated_ms=now, voided_ms=now, voided_by=by_staff)
                await rows.put_payment(connection, void)
            await rows.put_payment(connection, payment)
            happened = [payment_voided(order, one, by_staff, now) for one in outdated]
            await append(connection, order.shop, [*happened, payment_begun(order, payment)])
        return payment

    async def _known(self, shop: str, payment_id: str) -> tuple[Payment, Order]:
        """
        Raises:
            PaymentUnknown
        """
        async with self._database.read() as connection:
            payment = await rows.find_payment(connection, payment_id)
        order = await self._orders.get(shop, payment.order) if payment else None
        if payment is None or order is None:
            raise PaymentUnknown
        return payment, order

    async def paid(self, shop: str, payment_id: str, by_staff: str, reference: str = "") -> Payment:
        """The money is here: the claims are confirmed, then the payment is marked paid. The same again gives the first
        answer.

        Raises:
            PaymentUnknown, PaymentVoid, Busy
            PaidAlready: with another reference.
            PaymentOutdated: its claims come to another sum now; nothing was changed.
            ClaimsEnded: the payment is kept as paid; `details["reservations"]` had ended before and were not sold.
        """
        payment, order = await self._known(shop, payment_id)
        refuse_taken_back(payment)
        reference = reference[:REFERENCE_LENGTH_MAX]
        is_unpaid_or_same(payment, reference)
        claims = await self._claims(order) if payment.state == "pending" else None
        payment = await self._confirming(order, payment_id, claims)
        ended = await self._confirm(shop, order.show, payment)
        async with self._database.write() as connection:
            await rows.lock_order(connection, order.id)
            known = await rows.find_payment(connection, payment_id) or payment
            refuse_taken_back(known)
            is_unpaid_or_same(known, reference)
            payment = known
            if known.state != "paid":  # pressed again, the money is not there twice
                now = now_ms()
                payment = replace(
                    known, state="paid", by_staff=by_staff, reference=reference or known.reference, updated_ms=now,
                    paid_ms=now, paid_by=by_staff,
                )  # fmt: skip
                await rows.put_payment(connection, payment)
                await append(connection, shop, [order_paid(order, payment, ended)])
        if ended:
            raise ClaimsEnded(reservations=ended)
        return payment

    async def undo(self, shop: str, payment_id: str, by_staff: str) -> Payment:
        """Back to unpaid: what the payment sold is held again as a new claim is, the payment is void, the trail says
        who did it. Pressed twice it is done once; cut short, the next press finishes it.

        Raises:
            PaymentUnknown, Busy
        """
        payment, order = await self._known(shop, payment_id)
        if payment.state == "void":
            return payment
        if payment.state == "confirming":
            # A press that came to no end, or is on its way. Each sale has an id: made here, it cannot come afterwards.
            await self._confirm(shop, order.show, payment)
        payment = await self._undoing(order, payment, by_staff)
        for reservation in payment.reservations:
            await self._submit(
                Unconfirm(
                    id=_operation_id(payment.id, "undo", reservation),
                    shop=shop,
                    show=order.show,
                    reservation=reservation,
                    seconds=UNDONE_HOLD_SECONDS,
                )
            )
        payment = replace(payment, state="void", updated_ms=now_ms())
        async with self._database.write() as connection:
            await rows.lock_order(connection, order.id)
            await rows.put_payment(connection, payment)
        return payment

    async def _undoing(self, order: Order, seen: Payment, by_staff: str) -> Payment:
        """The payment on its way to be void: money that comes now is refused.

        Raises:
            Busy: somebody has begun to note the money since it was `seen`.
        """
        async with self._database.write() as connection:
            await rows.lock_order(connection, order.id)
            known = await rows.find_payment(connection, seen.id) or seen
            if known.state in ("undoing", "void"):
                return known
            if known.state == "confirming" and seen.state != "confirming":
                raise Busy("The money is being noted at this moment. Press again.", retry_after_ms=1_000)
            now = now_ms()
            undoing = replace(known, state="undoing", updated_ms=now, voided_ms=now, voided_by=by_staff)
            await rows.put_payment(connection, undoing)
            await append(connection, order.shop, [payment_voided(order, known, by_staff, undoing.updated_ms)])
        return undoing

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

    async def _submit(self, operation: Confirm | Extend | Unconfirm) -> Answer:
        answer = await self._engine.submit(operation)
        if answer.outcome is Outcome.UNAVAILABLE:
            raise OutcomeUnknown(retry_after_ms=answer.retry_after_ms or 1_000)
        if answer.outcome in RETRYABLE:
            raise Busy(f"Stock answered {answer.outcome}. Press again.", retry_after_ms=answer.retry_after_ms or 1_000)
        return answer
