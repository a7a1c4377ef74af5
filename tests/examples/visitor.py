"""A viewer with the stock Socket.IO client, as a page would be."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import socketio

HEARD_SECONDS_MAX = 30.0


class Visitor:
    def __init__(self) -> None:
        self.socket = socketio.AsyncClient(reconnection=False)
        self._events: list[dict[str, Any]] = []
        self._more = asyncio.Event()

    def hear(self, frame: dict[str, Any]) -> None:
        self._events += frame["ev"]
        self._more.set()

    async def comment(self, text: str) -> dict[str, Any]:
        answer = await self.socket.call("comment", {"id": str(uuid.uuid4()), "text": text})
        return dict(answer)

    async def heard(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first event that is wanted, also of those before."""
        async with asyncio.timeout(HEARD_SECONDS_MAX):
            while True:
                self._more.clear()
                found = next((event for event in self._events if wanted(event)), None)
                if found is not None:
                    return found
                await self._more.wait()


@asynccontextmanager
async def visiting(server: str, show: str) -> AsyncIterator[Visitor]:
    """Opens the watch page, which gives the cookie, then the socket."""
    visitor = Visitor()
    async with aiohttp.ClientSession() as web:
        async with web.get(f"{server}/live/{show}", raise_for_status=True) as page:
            cookie = f"lc_viewer={page.cookies['lc_viewer'].value}"
        visitor.socket.on("frame", visitor.hear)
        await visitor.socket.connect(
            server,
            auth={"show": show, "as": "viewer"},
            transports=["websocket"],
            headers={"Cookie": cookie, "Origin": server},
        )
        yield visitor
        await visitor.socket.disconnect()
