"""Claims to orders: the arithmetic, pure, and the one transaction that writes it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple, cast

from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from livecommerce.orders import rows
from livecommerce.orders.model import LineState, Order, OrderLine, OrderState
from livecommerce.records.database import Database
from livecommerce.stock.ledger import LedgerClaim
from livecommerce.stock.outcomes import ACTIVE_STATES
from livecommerce.stock.stream_ids import stream_key

OWED = frozenset(("held", "offered", "confirmed"))


def order_id(shop: str, show: str, viewer: str) -> str:
    """One viewer and show, one order: the id follows from them, so that replays meet the same row."""
    return "o-" + hashlib.blake2b(f"{shop}\0{show}\0{viewer}".encode(), digest_size=12).hexdigest()


def latest(changes: Iterable[LedgerClaim]) -> dict[str, LedgerClaim]:
    """The last change of each reservation, in the order in which reservations first appear."""
    found: dict[str, LedgerClaim] = {}
    for change in changes:
        found[change.reservation] = change
    return found


def line_of(shop: str, change: LedgerClaim, claimed_ms: int) -> OrderLine:
    return OrderLine(
        shop=shop,
        reservation=change.reservation,
        order=order_id(shop, change.show, change.viewer),
        sku=change.item,
        number=change.number,
        quantity=change.reserved,
        waiting=change.waiting,
        unit_price_minor=change.unit_price_minor,
        currency=change.currency,
        text=change.text,
        state=cast("LineState", change.state),
        deadline_ms=change.deadline_ms,
        claimed_ms=claimed_ms,
        updated_ms=change.at_ms,
    )


def with_totals(order: Order, lines: Sequence[OrderLine], now_ms: int) -> Order:
    """The order as its lines make it. Lines of another currency cannot be added up and are left out."""
    own = [line for line in lines if line.currency == order.currency]
    states = {line.state for line in lines}
    state: OrderState = "open" if states & set(ACTIVE_STATES) else "confirmed" if "confirmed" in states else "cancelled"
    return replace(
        order,
        state=state,
        total_minor=sum(line.quantity * line.unit_price_minor for line in own if line.state in OWED),
        confirmed_minor=sum(line.quantity * line.unit_price_minor for line in own if line.state == "confirmed"),
        updated_ms=max(order.updated_ms, now_ms),
    )


async def _orders_for(connection: AsyncConnection, shop: str, changes: Iterable[LedgerClaim]) -> dict[str, Order]:
    """Every order these changes touch, by id; new ones are numbered in the order of their first claim."""
    by_show: dict[str, dict[str, LedgerClaim]] = {}
    for change in changes:
        by_show.setdefault(change.show, {}).setdefault(change.viewer, change)
    orders: dict[str, Order] = {}
    for show, viewers in by_show.items():
        known = await rows.find_orders(connection, shop, show, list(viewers))
        number = await rows.last_number(connection, shop, show) if len(known) < len(viewers) else 0
        for viewer, change in viewers.items():
            order = known.get(viewer)
            if order is None:
                number += 1
                order = Order(
                    id=order_id(shop, show, viewer),
                    shop=shop,
                    show=show,
                    viewer=viewer,
                    number=number,
                    currency=change.currency,
                    state="open",
                    total_minor=0,
                    confirmed_minor=0,
                    created_ms=change.at_ms,
                    updated_ms=change.at_ms,
                )
            orders[order.id] = order
    return orders


class Applied(NamedTuple):
    """The position now, how many entries counted, and the orders that they touched, as they are now."""

    position: str
    counted: int
    orders: list[Order]


async def apply(database: Database, shop: str, entries: Sequence[tuple[str, Sequence[LedgerClaim]]]) -> Applied:
    """Writes ledger entries into orders and moves the position, all or nothing.

    Args:
        entries: (stream id, changes), in stream order. Those at or before the position are skipped.
    """
    async with database.write() as connection:
        position = await rows.lock_position(connection, shop)
        fresh = [entry for entry in entries if stream_key(entry[0]) > stream_key(position)]
        if not fresh:
            return Applied(position, 0, [])
        changes = latest(change for _, found in fresh for change in found)
        touched: list[Order] = []
        claimed_ms: dict[str, int] = {}
        for _, found in fresh:
            for change in found:
                claimed_ms.setdefault(change.reservation, change.at_ms)
        if changes:
            orders = await _orders_for(connection, shop, changes.values())
            await rows.put_orders(connection, list(orders.values()))  # before their lines: foreign key
            await rows.put_lines(
                connection,
                [line_of(shop, change, claimed_ms[change.reservation]) for change in changes.values()],
            )
            lines: dict[str, list[OrderLine]] = {}
            for line in await rows.lines_of(connection, list(orders)):
                lines.setdefault(line.order, []).append(line)
            now_ms = max(change.at_ms for change in changes.values())
            touched = [with_totals(order, lines.get(order.id, []), now_ms) for order in orders.values()]
            await rows.put_orders(connection, touched)
        position = fresh[-1][0]
        await rows.move_position(connection, shop, position)
        return Applied(position, len(fresh), touched)
