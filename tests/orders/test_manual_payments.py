"""What a shop's own ways of being paid do to the claims of an order."""

from __future__ import annotations

import pytest

from livecommerce.orders.payments.manual import ManualPayments


@pytest.mark.parametrize(
    ("method", "hold_seconds", "confirms_at_once"),
    [("bank_transfer", 259_200, False), ("cash_on_delivery", 0, True)],
)
def test_what_each_way_does_to_the_claims(method: str, hold_seconds: int, confirms_at_once: bool) -> None:
    way = ManualPayments().methods[method]
    assert (way.hold_seconds, way.confirms_at_once) == (hold_seconds, confirms_at_once)
