"""The audit trail of money, made from its facts: one entry each, also where the process died or claims had ended."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from livecommerce.orders.facts import OrderPaid, PaymentBegun, PaymentVoided
from livecommerce.records.audit import AuditEntry, add_entries
from livecommerce.records.fact_readers import Reader
from livecommerce.records.facts import Fact


def entry_of(fact: Fact) -> AuditEntry:
    if fact.kind == PaymentBegun.KIND:
        return AuditEntry(fact.shop, fact.at_ms, fact.body_as(PaymentBegun).by_staff, "payment_begun", fact.subject)
    if fact.kind == PaymentVoided.KIND:
        voided = fact.body_as(PaymentVoided)
        more = {"was": voided.was, "amount_minor": voided.amount_minor}
        return AuditEntry(fact.shop, fact.at_ms, voided.by_staff, "payment_voided", fact.subject, more)
    body = fact.body_as(OrderPaid)
    details = {"ended": body.ended} if body.ended else {}
    return AuditEntry(fact.shop, fact.at_ms, body.by_staff, "payment_received", fact.subject, details)


async def _write(connection: AsyncConnection, facts: Sequence[Fact]) -> None:
    await add_entries(connection, [entry_of(fact) for fact in facts])


MONEY_TRAIL = Reader("money_trail", (PaymentBegun.KIND, OrderPaid.KIND, PaymentVoided.KIND), _write)
