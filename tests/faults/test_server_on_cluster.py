"""The whole server on a cluster: logins, a show, a sale, and its order in the books."""

from __future__ import annotations

import asyncio
from pathlib import Path

from livecommerce.staff import FIRST_SHOP
from livecommerce.stock.operations import Line, Reserve
from livecommerce.stock.outcomes import Outcome
from tests.browser.live_server import LiveServer
from tests.stock.cluster import Cluster
from tests.stock.servers import engine_on

BAG = {"code": "A01", "names": ["帆布包"], "price_minor": 250, "supply": {"A01": 5}}


async def test_a_show_is_set_up_sold_from_and_booked(tmp_path: Path) -> None:
    cluster = Cluster("valkey", tmp_path)
    url = f"redis://127.0.0.1:{cluster.ports[0]}"
    server = LiveServer(tmp_path / "data", redis__url=url)
    engine = engine_on(url)
    try:
        await cluster.start()
        await asyncio.to_thread(server.start)
        server.make_show("spread", [BAG])
        assert server.command("spread", "start")["outcome"]["stage"] == "live"
        assert server.command("spread", "pin", code="A01")["outcome"]["code"] == "A01"
        answer = await engine.submit(
            Reserve("comment-1", FIRST_SHOP, "spread", "anna", (Line("A01", 2, 250, "TWD", "A01 帆布包"),))
        )
        assert answer.outcome is Outcome.RESERVED
        snapshot = server.request("GET", "/api/shows/spread/snapshot")
        assert (snapshot["pin"]["code"], snapshot["stock"]) == ("A01", {"A01": [3, 2, 0, 0, 5]})

        def orders() -> bool:
            return len(server.request("GET", "/api/shows/spread/orders")["orders"]) == 1

        await cluster.until("an order in the books", orders)
    finally:
        await engine.close()
        await asyncio.to_thread(server.stop)
        cluster.stop()
