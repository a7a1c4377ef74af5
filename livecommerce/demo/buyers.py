"""The demo's buyers: each a Socket.IO client with a cookie of its own, who chats and orders as the script says."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from typing import Any

import aiohttp
import socketio

from livecommerce.demo.catalogue import PRODUCTS, SHOW_ID
from livecommerce.demo.script import NAMES, bot_turns, remark

log = logging.getLogger(__name__)

BY_CODE = {product.code: product for product in PRODUCTS}
ANSWER_SECONDS_MAX = 10.0
RECONNECT_SECONDS = 2.0


class Buyer:
    """One viewer. `pin` follows what the page would show; `say` sends a comment and returns its answer."""

    def __init__(self, base_url: str, name: str, show: str = SHOW_ID) -> None:
        self.name = name
        self.pin: dict[str, Any] | None = None
        self._base_url = base_url
        self._show = show
        self._session: aiohttp.ClientSession | None = None
        self._socket: socketio.AsyncClient | None = None

    async def connect(self) -> None:
        """Opens the watch page for its cookie, then the socket.

        Raises:
            aiohttp.ClientError, socketio.exceptions.ConnectionError: the server is not there (yet).
        """
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        async with self._session.get(f"{self._base_url}/live/{self._show}") as page:
            page.raise_for_status()
        self._socket = socketio.AsyncClient(
            serializer="msgpack", http_session=self._session, reconnection_delay=1, reconnection_delay_max=5
        )
        self._socket.on("snapshot", self._on_snapshot)
        self._socket.on("frame", self._on_frame)
        await self._socket.connect(
            self._base_url,
            transports=["websocket"],
            auth={"show": self._show, "as": "viewer", "name": self.name},
            wait_timeout=10,
        )

    async def _on_snapshot(self, state: dict[str, Any]) -> None:
        self.pin = state.get("pin")

    async def _on_frame(self, frame: dict[str, Any]) -> None:
        for event in frame["ev"]:
            if event["t"] == "pin":
                self.pin = event

    async def say(self, text: str) -> dict[str, Any]:
        """Sends a comment; the answer is the server's ack, or {"ok": False} where none came in time."""
        assert self._socket is not None, "connect first"
        comment: dict[str, Any] = {"id": str(uuid.uuid4()), "text": text}
        if self.pin and self.pin.get("pin"):
            comment["pin"] = self.pin["pin"]
        try:
            return dict(await self._socket.call("comment", comment, timeout=ANSWER_SECONDS_MAX))
        except (TimeoutError, socketio.exceptions.SocketIOError) as error:
            return {"ok": False, "error": {"code": "no_answer", "reason": str(error)}}

    async def close(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(Exception):  # a socket that is already gone cannot be closed twice
                await self._socket.disconnect()
        if self._session is not None:
            await self._session.close()


async def _connect_all(base_url: str, stop: asyncio.Event) -> list[Buyer]:
    buyers: list[Buyer] = []
    for name in NAMES:
        while not stop.is_set():
            buyer = Buyer(base_url, name)
            try:
                await buyer.connect()
            except (aiohttp.ClientError, socketio.exceptions.SocketIOError, OSError) as error:
                await buyer.close()
                log.info("demo buyer %s waits for the server: %s", name, error)
                await asyncio.sleep(RECONNECT_SECONDS)
                continue
            buyers.append(buyer)
            break
    return buyers


async def run_buyers(base_url: str, stop: asyncio.Event, *, seed: int = 1, comments_per_second: float = 0.7) -> None:
    """Lets all buyers chat and order until `stop`."""
    buyers = await _connect_all(base_url, stop)
    try:
        for bot, pause_seconds, chance in bot_turns(seed, len(NAMES), comments_per_second):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause_seconds)
            if stop.is_set():
                return
            buyer = buyers[bot]
            pinned = BY_CODE.get((buyer.pin or {}).get("code") or "")
            answer = await buyer.say(remark(chance, pinned, PRODUCTS))
            if not answer.get("ok"):
                log.debug("demo buyer %s was refused: %s", buyer.name, answer.get("error"))
    finally:
        await asyncio.gather(*(buyer.close() for buyer in buyers))
