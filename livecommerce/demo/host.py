"""The demo's host at the desk: starts the show, changes the pinned product and fills stock up, by the public API."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import uuid
from typing import Any

import aiohttp

from livecommerce.demo.catalogue import PRODUCTS, SHOW_ID, DemoProduct

log = logging.getLogger(__name__)

PIN_SECONDS = 25.0
RETRY_SECONDS = 2.0
# Below this share of its first supply a sku is filled up, so that the show never runs dry for good.
RESTOCK_SHARE = 0.1


class Desk:
    """A staff session on the HTTP API."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str) -> None:
        self._session = session
        self._base_url = base_url

    async def request(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """One API call; returns the JSON answer.

        Raises:
            aiohttp.ClientResponseError: the server refused; the message carries its numbered reason.
        """
        headers = {"Origin": self._base_url}
        async with self._session.request(method, self._base_url + path, json=body, headers=headers) as answer:
            told: dict[str, Any] = await answer.json() if answer.content_type == "application/json" else {}
            if answer.status >= 400:
                raise aiohttp.ClientResponseError(
                    answer.request_info, answer.history, status=answer.status, message=str(told.get("error"))
                )
            return told

    async def command(self, do: str, **fields: Any) -> dict[str, Any]:
        return await self.request(
            "POST", f"/api/shows/{SHOW_ID}/commands", {"id": str(uuid.uuid4()), "do": do, **fields}
        )

    async def snapshot(self) -> dict[str, Any]:
        return await self.request("GET", f"/api/shows/{SHOW_ID}/snapshot")


async def _refill(desk: Desk, product: DemoProduct) -> None:
    """Fills up what of `product` is nearly gone: only available counts, held things may come back by themselves."""
    stock = (await desk.snapshot())["stock"]
    for sku in product.skus():
        available = stock.get(sku, [product.supply_each])[0]
        if available < product.supply_each * RESTOCK_SHARE:
            await desk.command("restock", sku=sku, quantity=product.supply_each)


async def run_desk(desk: Desk, stop: asyncio.Event) -> None:
    """Pins one product after the other until `stop`; what sold out while it was pinned is filled up afterwards."""
    previous: DemoProduct | None = None
    for product in itertools.cycle(PRODUCTS):
        try:
            await desk.command("pin", code=product.code)
            if previous is not None:
                await _refill(desk, previous)
            previous = product
            wait_seconds = PIN_SECONDS
        except (aiohttp.ClientError, OSError) as error:
            log.info("demo host waits: %s", error)
            wait_seconds = RETRY_SECONDS
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), wait_seconds)
        if stop.is_set():
            return
