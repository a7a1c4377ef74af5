"""Refusals of this room: payments and orders."""

from __future__ import annotations

from livecommerce.errors import BadInput, Conflict, NotFound

BLOCK = range(50, 60)  # of numbers, in each family; docs/errors.md
EARLIER = frozenset({3040})  # given before rooms had blocks; numbers are for good


class PaymentRefused(BadInput):
    number, code = 1050, "payment_refused"
    reason = "This payment cannot be taken as it was sent."


class PaymentUnknown(NotFound):
    number, code = 3050, "payment_unknown"
    reason = "There is no such payment."


class NothingToPay(Conflict):
    number, code = 4050, "nothing_to_pay"
    reason = "This order has nothing held that is not being paid already."


class ClaimsEnded(Conflict):
    number, code = 4051, "claims_ended"
    reason = "Some of the claims had ended before the payment. Give the money for those back."


class PaymentOutdated(Conflict):
    number, code = 4052, "payment_outdated"
    reason = "The claims of this payment have changed, so its sum is wrong. Begin the payment anew."


class PaymentVoid(Conflict):
    number, code = 4053, "payment_void"
    reason = "This payment was taken back. Begin another."


class PaidAlready(Conflict):
    number, code = 4054, "paid_already"
    reason = "This payment is noted as received already, with another reference."


class OrderUnknown(NotFound):
    number, code = 3040, "order_unknown"
    reason = "There is no such order."
