"""Orders, their lines and payments. Rows are written by the projection of the stock ledger and by payments only.

The projection works inside one `write()` transaction that also moves `ledger_position`, so an entry counts exactly
once however often it is read. `lock_position` makes two projectors of one shop take turns.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from livecommerce.records import tables
from livecommerce.records.database import Database
from livecommerce.records.rows import as_struct, as_values, now_ms, upsert
from livecommerce.records.structs import Order, OrderLine, Payment

ORDERS_PAGE_MAX = 500  # orders in one page of a list; exports go page by page
LINES_PER_ORDER_MAX = 2000  # claims of one viewer in one show, cancelled ones included
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


async def find_order(connection: AsyncConnection, shop: str, show: str, viewer: str) -> Order | None:
    """The order of a viewer in a show, without lines."""
    table = tables.orders
    statement = select(table).where(table.c.shop == shop, table.c.show == show, table.c.viewer == viewer)
    row = (await connection.execute(statement)).first()
    return as_struct(row, Order) if row else None


async def next_number(connection: AsyncConnection, shop: str, show: str) -> int:
    """The next order number of a show, from 1, in the order of first claims."""
    table = tables.orders
    last = select(func.max(table.c.number)).where(table.c.shop == shop, table.c.show == show)
    return ((await connection.execute(last)).scalar() or 0) + 1


async def put_order(connection: AsyncConnection, order: Order) -> None:
    values = as_values(order, without=["lines", "payments"])
    await upsert(connection, tables.orders, values, ["id"], keep=["number", "created_ms"])


async def find_line(connection: AsyncConnection, shop: str, reservation: str) -> OrderLine | None:
    table = tables.order_lines
    statement = select(table).where(table.c.shop == shop, table.c.reservation == reservation)
    row = (await connection.execute(statement)).first()
    return as_struct(row, OrderLine) if row else None


async def put_line(connection: AsyncConnection, line: OrderLine) -> None:
    await upsert(connection, tables.order_lines, as_values(line), ["shop", "reservation"])


async def lines_of(connection: AsyncConnection, orders: Sequence[str]) -> list[OrderLine]:
    table = tables.order_lines
    statement = select(table).where(table.c.order.in_(orders)).order_by(table.c.claimed_ms, table.c.reservation)
    rows = await connection.execute(statement.limit(LINES_PER_ORDER_MAX * max(1, len(orders))))
    return [as_struct(row, OrderLine) for row in rows]


async def payments_of(connection: AsyncConnection, orders: Sequence[str]) -> list[Payment]:
    table = tables.payments
    statement = select(table).where(table.c.order.in_(orders)).order_by(table.c.created_ms, table.c.id)
    return [as_struct(row, Payment) for row in await connection.execute(statement)]


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
