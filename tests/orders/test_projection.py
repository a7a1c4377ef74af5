"""The arithmetic of orders: which change counts, what an order adds up to, how positions compare. No store."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from livecommerce.orders.model import Order
from livecommerce.orders.projection import latest, line_of, order_id, with_totals
from livecommerce.stock.ledger import LedgerClaim

ORDER = Order("o-1", "shop", "demo", "vera", 1, "TWD", "open", 0, 0, created_ms=1, updated_ms=5)


def claim(number: int = 1, **changes: Any) -> LedgerClaim:
    values: dict[str, Any] = {
        "show": "demo", "viewer": "vera", "reservation": f"A01#{number}", "item": "A01", "number": number,
        "reserved": 2, "waiting": 0, "unit_price_minor": 100, "currency": "TWD", "text": "紅 M", "state": "held",
        "deadline_ms": 900, "at_ms": 10, "id": "comment-0001", "by": "comment-0001", "cause": "reserve", "quantity": 2,
        "source": "comment",
        **changes,
    }  # fmt: skip
    return LedgerClaim(**values)


def test_the_last_change_of_a_claim_counts_in_the_place_of_its_first() -> None:
    first, second, changed = claim(1), claim(2), claim(1, state="confirmed")
    assert list(latest([first, second, changed]).values()) == [changed, second]


def test_an_order_is_named_by_shop_show_and_viewer() -> None:
    names = {order_id(*parts) for parts in (("s", "d", "v"), ("s", "d", "w"), ("s", "e", "v"), ("t", "d", "v"))}
    assert len(names) == 4
    assert order_id("s", "d", "v") == order_id("s", "d", "v")
    assert order_id("s", "dv", "x") != order_id("sd", "v", "x")


def test_a_line_is_the_claim_as_stock_told_it_last() -> None:
    line = line_of("shop", claim(3, waiting=1, state="offered", at_ms=70), claimed_ms=20)
    assert (line.order, line.reservation, line.sku) == (order_id("shop", "demo", "vera"), "A01#3", "A01")
    assert (line.quantity, line.waiting, line.state) == (2, 1, "offered")
    assert (line.claimed_ms, line.updated_ms) == (20, 70)


@pytest.mark.parametrize(
    ("states", "state", "total", "confirmed"),
    [
        ((), "cancelled", 0, 0),
        (("held",), "open", 200, 0),
        (("offered",), "open", 200, 0),
        (("waiting",), "open", 0, 0),
        (("confirmed",), "confirmed", 200, 200),
        (("held", "confirmed"), "open", 400, 200),
        (("waiting", "confirmed"), "open", 200, 200),
        (("cancelled", "expired", "released"), "cancelled", 0, 0),
        (("cancelled", "confirmed"), "confirmed", 200, 200),
    ],
)
def test_an_order_is_what_its_lines_are(states: tuple[str, ...], state: str, total: int, confirmed: int) -> None:
    lines = [line_of("shop", claim(number, state=name), 1) for number, name in enumerate(states, 1)]
    order = with_totals(ORDER, lines, 7)
    assert (order.state, order.total_minor, order.confirmed_minor, order.updated_ms) == (state, total, confirmed, 7)


def test_money_of_another_currency_is_not_added_up() -> None:
    lines = [line_of("shop", claim(1), 1), line_of("shop", claim(2, currency="USD", state="confirmed"), 1)]
    order = with_totals(ORDER, lines, 7)
    assert (order.state, order.total_minor, order.confirmed_minor) == ("open", 200, 0)


def test_an_older_change_does_not_turn_the_clock_back() -> None:
    assert with_totals(replace(ORDER, updated_ms=50), [], 7).updated_ms == 50
