"""Orders, their lines and payments. Rows are written by the projection of the stock ledger and by payments only.

The projection works inside one `write()` transaction that also moves `ledger_position`, so an entry counts exactly
once however often it is read. `lock_position` makes two projectors of one shop take turns.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace
from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from livecommerce.orders import tables
from livecommerce.orders.model import Order, OrderLine, Payment
from livecommerce.records.database import Database
from livecommerce.records.rows import as_struct, as_values, chunks, now_ms, upsert, upsert_many

ORDERS_PAGE_MAX = 500  # orders in one page of a list; exports go page by page
LINES_MAX = 200_000  # of one page of orders: 400 claims each, cancelled ones included
FIRST_POSITION = "0-0"


async def lock_position(connection: AsyncConnection, shop: str) -> str:
    """The stream id up to which the shop's ledger is in SQL; holds the row until the transaction ends."""
    table = tables.ledger_position
    statement = select(table.c.position).where(table.c.shop == shop).with_for_update()
    position: str | None = (await connection.execute(statement)).scalar()
    if position is None:
        values = {"shop": shop, "position": FIRST_POSITION, "updated_ms": now_ms()}
        await upsert(connection, table, values, ["shop"], keep=["position"])
        position = (await connection.execute(statement)).scalar_one()
    return str(position)


async def move_position(connection: AsyncConnection, shop: str, position: str) -> None:
    await upsert(
        connection,
        tables.ledger_position,
        {"shop": shop, "position": position, "updated_ms": now_ms()},
        ["shop"],
    )


async def find_orders(connection: AsyncConnection, shop: str, show: str, viewers: Sequence[str]) -> dict[str, Order]:
    """Orders of these viewers in a show, by viewer, without lines."""
    table = tables.orders
    found: dict[str, Order] = {}
    for chunk in chunks(viewers):
        statement = select(table).where(table.c.shop == shop, table.c.show == show, table.c.viewer.in_(chunk))
        for row in await connection.execute(statement):
            found[row.viewer] = as_struct(row, Order)
    return found


async def last_number(connection: AsyncConnection, shop: str, show: str) -> int:
    """The highest order number of a show, 0 before the first."""
    table = tables.orders
    last = select(func.max(table.c.number)).where(table.c.shop == shop, table.c.show == show)
    return (await connection.execute(last)).scalar() or 0


async def put_orders(connection: AsyncConnection, orders: Sequence[Order]) -> None:
    """Inserts or updates orders; number and creation time of a known one stay."""
    values = [as_values(order, without=["lines", "payments"]) for order in orders]
    await upsert_many(connection, tables.orders, values, ["id"], keep=["number", "created_ms"])


async def put_lines(connection: AsyncConnection, lines: Sequence[OrderLine]) -> None:
    """Inserts or updates lines; a known one keeps its order and the time it was claimed."""
    values = [as_values(line) for line in lines]
    await upsert_many(connection, tables.order_lines, values, ["shop", "reservation"], keep=["order", "claimed_ms"])


async def lines_of(connection: AsyncConnection, orders: Sequence[str]) -> list[OrderLine]:
    """The lines of these orders, in the order of claiming."""
    table = tables.order_lines
    found: list[OrderLine] = []
    for chunk in chunks(orders):
        statement = select(table).where(table.c.order.in_(chunk)).order_by(table.c.claimed_ms, table.c.reservation)
        found += [as_struct(row, OrderLine) for row in await connection.execute(statement.limit(LINES_MAX))]
    return found


async def payments_of(connection: AsyncConnection, orders: Sequence[str]) -> list[Payment]:
    table = tables.payments
    statement = select(table).where(table.c.order.in_(orders)).order_by(table.c.created_ms, table.c.id)
    return [as_struct(row, Payment) for row in await connection.execute(statement)]


async def lock_order(connection: AsyncConnection, order: str) -> None:
    """Holds the order's row until the transaction ends, so that what is decided about its payments is decided once."""
    await connection.execute(select(tables.orders.c.id).where(tables.orders.c.id == order).with_for_update())


async def put_payment(connection: AsyncConnection, payment: Payment) -> None:
    await upsert(connection, tables.payments, as_values(payment), ["id"], keep=["created_ms"])


async def find_payment(connection: AsyncConnection, payment: str) -> Payment | None:
    row = (await connection.execute(select(tables.payments).where(tables.payments.c.id == payment))).first()
    return as_struct(row, Payment) if row else None


class OrderRepository:
    """Looking at orders. Changes go through the functions above, inside the projection's or a payment's transaction."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def of_show(self, shop: str, show: str, *, after: int = 0, limit: int = ORDERS_PAGE_MAX) -> list[Order]:
        """Orders of a show by number, from `after` (exclusive), with lines and payments."""
        table = tables.orders
        statement = (
            select(table)
            .where(table.c.shop == shop, table.c.show == show, table.c.number > after)
            .order_by(table.c.number)
            .limit(min(limit, ORDERS_PAGE_MAX))
        )
        async with self.database.read() as connection:
            orders = [as_struct(row, Order) for row in await connection.execute(statement)]
            return await self._complete(connection, orders)

    async def customers(self, shop: str, limit: int) -> dict[str, str]:
        """{viewer: the first show in which they bought}, of the latest `limit` orders with a part sold."""
        table = tables.orders
        is_sold = or_(table.c.state == "confirmed", table.c.confirmed_minor > 0)
        statement = select(table.c.viewer, table.c.show).where(table.c.shop == shop, is_sold)
        async with self.database.read() as connection:
            # The oldest comes last, and stays.
            latest = await connection.execute(statement.order_by(table.c.created_ms.desc()).limit(limit))
            return {row.viewer: row.show for row in latest}

    async def get(self, shop: str, order: str) -> Order | None:
        table = tables.orders
        async with self.database.read() as connection:
            statement = select(table).where(table.c.shop == shop, table.c.id == order)
            row = (await connection.execute(statement)).first()
            if row is None:
                return None
            return (await self._complete(connection, [as_struct(row, Order)]))[0]

    async def _complete(self, connection: AsyncConnection, orders: Sequence[Order]) -> list[Order]:
        lines: dict[str, list[OrderLine]] = {}
        payments: dict[str, list[Payment]] = {}
        ids = [order.id for order in orders]
        for line in await lines_of(connection, ids):
            lines.setdefault(line.order, []).append(line)
        for payment in await payments_of(connection, ids):
            payments.setdefault(payment.order, []).append(payment)
        return [complete(order, lines.get(order.id, []), payments.get(order.id, [])) for order in orders]

    async def position(self, shop: str) -> str:
        """The stream id up to which this shop's ledger is in SQL."""
        table = tables.ledger_position
        async with self.database.read() as connection:
            found = (await connection.execute(select(table.c.position).where(table.c.shop == shop))).scalar()
        return found or FIRST_POSITION


def complete(order: Order, lines: Sequence[OrderLine], payments: Sequence[Payment]) -> Order:
    return replace(order, lines=tuple(lines), payments=tuple(payments))
