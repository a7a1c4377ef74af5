"""What of a line stays when it is written again."""

from __future__ import annotations

from msgspec.structs import replace

from livecommerce.accounts.rows import Shop, ShopRepository
from livecommerce.orders import rows
from livecommerce.orders.model import Order, OrderLine
from livecommerce.records.database import Database
from tests.orders.conftest import SHOP

LINE = OrderLine(SHOP, "A01#1", "order-1", "A01", 1, 2, 0, 25_000, "TWD", "+2", "held", 9_000, 1_000, 1_000)


def order(number: int) -> Order:
    return Order(f"order-{number}", SHOP, "demo", f"viewer-{number}", number, "TWD", "held", 0, 0, 1_000, 1_000)


async def test_a_known_line_keeps_its_order_and_the_time_it_was_claimed(database: Database) -> None:
    later = replace(LINE, order="order-2", quantity=1, claimed_ms=5_000, updated_ms=5_000)
    await ShopRepository(database).put(Shop(id=SHOP, name="玲玲的小舖"))
    async with database.write() as connection:
        for number in (1, 2):
            await rows.put_orders(connection, [order(number)])
        await rows.put_lines(connection, [LINE])
        await rows.put_lines(connection, [later])
        (kept,) = await rows.lines_of(connection, ["order-1"])
        assert await rows.lines_of(connection, ["order-2"]) == []
    assert kept == replace(LINE, quantity=1, updated_ms=5_000)
