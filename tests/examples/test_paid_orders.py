"""The poller prints a payment when the money has come, once, also over a restart."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.browser.live_server import LiveServer
from tests.examples.conftest import Run
from tests.examples.visitor import visiting

BAG = {"code": "C03", "names": ["帆布袋"], "price_minor": 250, "supply": {"C03": 5}}
SECONDS_MAX = 20.0


def waited_for(found: Callable[[], Any]) -> Any:
    limit = time.monotonic() + SECONDS_MAX
    while not (what := found()):
        assert time.monotonic() < limit, "nothing came"
        time.sleep(0.1)
    return what


async def paying(server: LiveServer, text: str, known: str = "") -> tuple[str, str]:
    """(order, payment) of a new viewer who says `text`; the money is still to come."""
    async with visiting(server.address, "paid") as viewer:
        assert (await viewer.comment(text))["verdict"] == "order"

    def order() -> list[str]:  # there once the worker has read the ledger
        orders = server.request("GET", "/api/shows/paid/orders", role="owner")["orders"]
        return [one["id"] for one in orders if one["id"] != known]

    (order_id,), payment = waited_for(order), f"pay-{uuid.uuid4()}"
    server.request("POST", f"/api/orders/{order_id}/payments", {"id": payment, "method": "bank_transfer"}, "owner")
    return order_id, payment


async def test_it_prints_a_payment_once(server: LiveServer, run: Run, tmp_path: Path) -> None:
    server.make_show("paid", [BAG])
    server.command("paid", "start")
    order, payment = await paying(server, "C03+2")
    seen = tmp_path / "seen.txt"
    words = (server.address, "paid", "owner", "--seen", str(seen), "--seconds", "0.2")
    with run("paid_orders/poll.py", *words, password=server.passwords["owner"]) as process:
        server.request("POST", f"/api/payments/{payment}/paid", {}, "owner")
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert (told["order"], told["payment"], told["paid_minor"]) == (order, payment, 500)
        assert waited_for(lambda: seen.exists() and seen.read_text("utf-8").split()) == [payment]
    # the next run goes on with the next payment: the first is not printed again
    _, later = await paying(server, "C03+1", order)
    server.request("POST", f"/api/payments/{later}/paid", {}, "owner")
    with run("paid_orders/poll.py", *words, password=server.passwords["owner"]) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["payment"] == later
