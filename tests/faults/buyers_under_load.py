"""Viewers who comment while processes die: each sends a comment again, with the same id, until it is answered."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import uuid
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import socketio
from socketio.exceptions import SocketIOError

ANSWER_SECONDS = 4.0  # then the same comment is sent again
COMMENT_SECONDS_MAX = 45.0  # the longest a comment may stay unanswered through any fault of this test
PAUSE_SECONDS = (0.9, 1.6)  # below the eight comments in ten seconds that one viewer may send
CONNECT_SECONDS = 10


@dataclass
class Acknowledged:
    """What the server has promised: this must be there in the end."""

    chat: list[str] = field(default_factory=list)  # comment ids
    reserved: dict[str, int] = field(default_factory=dict)  # reservation → quantity
    answers: dict[str, Any] = field(default_factory=dict)  # comment id → answer
    refused: list[Any] = field(default_factory=list)

    def note(self, comment: str, answer: dict[str, Any]) -> None:
        self.answers[comment] = answer
        if not answer.get("ok"):
            self.refused.append(answer)
            return
        self.chat.append(comment)
        for line in answer.get("lines", []):
            if line.get("reservation") and line.get("reserved"):
                self.reserved[line["reservation"]] = line["reserved"]


class Viewer:
    """One page: a cookie of its own, a socket that comes back by itself."""

    def __init__(self, address: str, show: str, name: str) -> None:
        self.address = address
        self.show = show
        self.name = name
        self.sent_again = 0
        self._http: aiohttp.ClientSession | None = None
        self._socket: socketio.AsyncClient | None = None

    async def open(self) -> None:
        self._http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        async with self._http.get(f"{self.address}/live/{self.show}") as page:
            page.raise_for_status()
        await self._connect()

    async def _connect(self) -> None:
        assert self._http is not None
        await self._disconnect()
        self._socket = socketio.AsyncClient(serializer="msgpack", http_session=self._http, reconnection=False)
        await self._socket.connect(
            self.address,
            transports=["websocket"],
            auth={"show": self.show, "as": "viewer", "name": self.name},
            wait_timeout=CONNECT_SECONDS,
        )

    async def _disconnect(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(Exception):  # it may be half dead in any way; a new one follows
                await asyncio.wait_for(self._socket.disconnect(), 2)

    async def say(self, text: str) -> tuple[str, dict[str, Any]]:
        """Sends until answered. Returns (comment id, answer).

        Raises:
            TimeoutError: unanswered for COMMENT_SECONDS_MAX.
        """
        comment = str(uuid.uuid4())
        async with asyncio.timeout(COMMENT_SECONDS_MAX):
            for attempt in itertools.count():
                self.sent_again += attempt > 0
                try:
                    if self._socket is None or not self._socket.connected:
                        await self._connect()
                    assert self._socket is not None
                    answer = await self._socket.call("comment", {"id": comment, "text": text}, timeout=ANSWER_SECONDS)
                except (TimeoutError, SocketIOError, aiohttp.ClientError, OSError):
                    await asyncio.sleep(0.2)
                    continue
                wait_ms = answer.get("error", {}).get("retry_after_ms") if not answer.get("ok") else None
                if wait_ms is None:
                    return comment, answer
                await asyncio.sleep(wait_ms / 1000)
        raise AssertionError("unreachable: the timeout ends the loop")

    async def close(self) -> None:
        await self._disconnect()
        if self._http is not None:
            await self._http.close()


class Crowd:
    """Viewers who talk until told to stop; `acknowledged` grows with every answer."""

    def __init__(self, address: str, show: str, count: int, seed: int) -> None:
        self.viewers = [Viewer(address, show, f"客人{number}") for number in range(count)]
        self.acknowledged = Acknowledged()
        self._stop = asyncio.Event()
        self._seed = seed
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        await asyncio.gather(*(viewer.open() for viewer in self.viewers))
        self._tasks = [
            asyncio.create_task(self._talk(viewer, random.Random(self._seed + number)))
            for number, viewer in enumerate(self.viewers)
        ]

    async def _talk(self, viewer: Viewer, chance: random.Random) -> None:
        while not self._stop.is_set():
            text = chance.choice(["A01+1", "A01+1", "a01 +2", "B02+1", "好看！", "主播加油"])
            self.acknowledged.note(*await viewer.say(text))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), chance.uniform(*PAUSE_SECONDS))

    async def answered(self, more: int, seconds: float = 60.0) -> None:
        """Until `more` further comments were answered: the load runs through."""
        target = len(self.acknowledged.answers) + more
        async with asyncio.timeout(seconds):
            while len(self.acknowledged.answers) < target:
                for task in self._tasks:
                    if task.done():
                        task.result()
                await asyncio.sleep(0.05)

    async def close(self) -> None:
        self._stop.set()
        try:
            await asyncio.gather(*self._tasks)
        finally:
            await asyncio.gather(*(viewer.close() for viewer in self.viewers))
