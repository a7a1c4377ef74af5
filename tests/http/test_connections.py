"""Connections that bring no request, on real sockets: what one network may have of them, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import structlog
from aiohttp import web

from livecommerce.api.protocol import NumberedRunner
from livecommerce.http import connections as module
from livecommerce.http.connections import CLOSED, Connections
from livecommerce.ops.descriptors import Descriptors
from livecommerce.ops.log_limit import forget_seldom

PROXY, STRANGER, HONEST = "127.0.0.1", "127.0.1.1", "127.0.1.2"
LIMIT, PERCENT = 640, 10  # 64 connections of one network, 32 of them silent; 320 silent ones in all
REQUEST = b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"
Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Door:
    """A port that is served as the web role serves its own, and the ends of those who came."""

    def __init__(self, descriptors: Descriptors, connections: Connections) -> None:
        self.descriptors, self.connections = descriptors, connections
        self.port = 0
        self.opened: list[asyncio.StreamWriter] = []

    async def come(self, host: str, sent: bytes = b"") -> Ends:
        reader, writer = await asyncio.open_connection(PROXY, self.port, local_addr=(host, 0))
        self.opened.append(writer)
        writer.write(sent)
        return reader, writer

    async def crowd(self, host: str, count: int, sent: bytes = b"") -> list[Ends]:
        return [await self.come(host, sent) for _ in range(count)]

    async def serves(self, host: str) -> bool:
        reader, _ = await self.come(host, REQUEST)
        return await answers(reader)

    async def settled(self, count: int) -> None:
        """Until the server has so many connections: it learns of ends a moment later."""
        while len(self.connections._networks) != count:
            await asyncio.sleep(0.01)


async def answers(reader: asyncio.StreamReader) -> bool:
    """Whether a whole answer comes; False where the line is cut."""
    try:
        return (await reader.readuntil(b"served")).startswith(b"HTTP/1.1 200")
    except (asyncio.IncompleteReadError, ConnectionError):
        return False


async def is_cut(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read(1) == b""
    except ConnectionError:
        return True


async def cut_of(ends: list[Ends], count: int) -> list[bool]:
    """Of each, whether it was closed, once so many are."""
    reading = [asyncio.create_task(is_cut(reader)) for reader, _ in ends]
    while sum(task.done() for task in reading) < count:
        await asyncio.wait([task for task in reading if not task.done()], return_when=asyncio.FIRST_COMPLETED)
    found = [task.done() for task in reading]
    for task in reading:
        task.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    return found


async def serve_slowly(request: web.Request) -> web.Response:
    return web.Response(text=f"{await request.text()}served")


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    descriptors = Descriptors()
    descriptors.limit, descriptors._due = LIMIT, float("inf")
    connections = Connections((PROXY,), PERCENT, descriptors)
    found = Door(descriptors, connections)
    app = web.Application()
    app.router.add_route("*", "/slow", serve_slowly)
    runner = NumberedRunner(app, connections, keepalive_timeout=75.0)
    await runner.setup()
    await web.TCPSite(runner, PROXY, 0).start()
    found.port = runner.addresses[0][1]
    yield found
    for writer in found.opened:
        writer.transport.abort()
    await found.settled(0)
    assert not connections._silent
    assert not connections._of_network._taken
    assert not connections._silent_of._taken
    assert descriptors.opened == 0
    await runner.cleanup()


async def test_silent_ones_of_one_network_are_few_and_the_next_network_is_served(door: Door) -> None:
    ends = await door.crowd(STRANGER, 50)
    assert await cut_of(ends, 18) == [False] * 32 + [True] * 18
    assert len(door.connections._networks) == 32
    assert await door.serves(HONEST)


async def test_all_connections_of_one_network_are_counted_until_they_end(door: Door) -> None:
    ends = [await door.come(STRANGER, REQUEST) for _ in range(64)]
    assert all([await answers(reader) for reader, _ in ends])
    assert not await door.serves(STRANGER)
    assert await door.serves(HONEST)
    ends[0][1].close()
    await door.settled(64)
    assert await door.serves(STRANGER)


async def test_a_trusted_proxy_is_no_stranger_and_its_silent_ones_are_bounded(door: Door) -> None:
    closed = CLOSED.labels("silent")._value.get()
    ends = await door.crowd(PROXY, 330)
    assert await cut_of(ends, 10) == [True] * 10 + [False] * 320, "the oldest gave way"
    await door.settled(320)
    assert CLOSED.labels("silent")._value.get() == closed + 10
    assert await door.serves(HONEST)
    assert await door.serves(PROXY)


async def test_a_head_has_its_time_from_accept_however_it_drips(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEAD_SECONDS_MAX", 0.5)
    monkeypatch.setattr(module, "SWEEP_SECONDS", 0.05)
    kept, again = await door.come(HONEST, REQUEST), await door.come(HONEST, REQUEST)
    assert await answers(kept[0])
    assert await answers(again[0])
    body = await door.come(HONEST, b"POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab")
    late = [await door.come(STRANGER), await door.come(STRANGER, REQUEST[:20]), await door.come(PROXY, REQUEST[:9])]
    drip = await door.come(STRANGER, b"GET /slow HTTP/1.1\r\nHost: a\r\nX-Long: ")
    again[1].write(REQUEST[:20])  # part of the next one, after an idle time that has its own rule

    async def dripping() -> None:
        while True:
            drip[1].write(b"a")
            await asyncio.sleep(0.05)

    drops = asyncio.create_task(dripping())
    assert all(await asyncio.gather(*(is_cut(reader) for reader, _ in [*late, drip, again])))
    drops.cancel()
    # Longer ago than all of these: an idle connection, and a body on its way, whose own limit is another.
    kept[1].write(REQUEST)
    assert await answers(kept[0])
    body[1].write(b"cde")
    assert await answers(body[0])


async def test_the_last_descriptors_are_not_for_this_port(door: Door) -> None:
    before = CLOSED.labels("full")._value.get()
    door.descriptors.opened = LIMIT - 20
    assert not await door.serves(HONEST)
    assert not await door.serves(PROXY)
    assert CLOSED.labels("full")._value.get() == before + 2
    door.descriptors.opened = 0
    assert await door.serves(HONEST)


async def test_one_line_is_logged_however_many_are_closed(door: Door) -> None:
    forget_seldom("connections silent")
    with structlog.testing.capture_logs() as logs:
        await cut_of(await door.crowd(STRANGER, 60), 28)
    told = [line for line in logs if line["event"] == "connections are closed at accept"]
    assert len(told) == 1
    assert (told[0]["why"], told[0]["network"], told[0]["silent_of_network"]) == ("silent", STRANGER, 32)
