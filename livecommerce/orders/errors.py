"""Refusals of this room; numbers 105x, 305x, 405x and 3040 of the shared tree."""

from __future__ import annotations

from livecommerce.errors import BadInput, Conflict, NotFound


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


class OrderUnknown(NotFound):
    number, code = 3040, "order_unknown"
    reason = "There is no such order."
