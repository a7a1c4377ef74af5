"""What a shop's own ways of being paid say about the claims of an order."""

from __future__ import annotations

import pytest

from livecommerce.orders.errors import PaymentRefused
from livecommerce.orders.payments.manual import ManualPayments


@pytest.mark.parametrize(
    ("method", "hold_seconds", "confirms_at_once"),
    [("bank_transfer", 259_200, False), ("cash_on_delivery", 0, True)],
)
def test_the_terms_of_each_way(method: str, hold_seconds: int, confirms_at_once: bool) -> None:
    terms = ManualPayments().terms(method)
    assert (terms.hold_seconds, terms.confirms_at_once) == (hold_seconds, confirms_at_once)
    assert set(terms.instructions) == {"zh-TW", "en"}


def test_a_way_that_is_none_names_those_there_are() -> None:
    with pytest.raises(PaymentRefused, match="bank_transfer, cash_on_delivery"):
        ManualPayments().terms("shells")
