"""One address that connects and sends nothing, or half a head: everybody else is served, and it is cut in the end.

A real server with few open files; each network has a loopback address of its own, as no proxy stands before it.
"""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.browser.live_server import LiveServer, on_air
from tests.faults.test_processes import running
from tests.faults.test_stores_away import metric

LIMIT, SILENT = 1_024, 1_100
SHOW, STRANGER, HONEST = "silence", "127.0.3.1", "127.0.3.2"


class Narrow(LiveServer):
    """A server whose processes may have few open files."""

    def _command(self, *words: str) -> list[str]:
        command = [sys.executable, "-m", "livecommerce", *words]
        return ["bash", "-c", f"ulimit -n {LIMIT}; exec {shlex.join(command)}"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    with on_air(Narrow(tmp_path / "data"), SHOW) as live:
        yield live


async def silence(port: int, sent: bytes) -> list[asyncio.StreamWriter]:
    held = []
    for _ in range(SILENT):
        _, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(STRANGER, 0))
        writer.write(sent)
        held.append(writer)
    return held


async def visit(server: LiveServer) -> None:
    """A page and a socket, of somebody who comes from elsewhere."""
    connector = aiohttp.TCPConnector(local_addr=(HONEST, 0))
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.get(f"{server.address}/live/{SHOW}") as page:
            assert page.status == 200
        async with session.ws_connect(f"{server.address}/socket.io/?EIO=4&transport=websocket") as socket:
            assert (await socket.receive()).type == aiohttp.WSMsgType.TEXT


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "sent", [b"", pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nX-Half: ", marks=pytest.mark.nightly)]
)
async def test_silent_connections_of_one_address_turn_nobody_else_away(server: LiveServer, sent: bytes) -> None:
    held = await silence(running(server)["http_port"], sent)
    try:
        await visit(server)
        await visit(server)
        assert metric(server, "livecommerce_ready") == 1
        closed = 'livecommerce_http_connections_closed_total{why="silent"}'
        assert metric(server, closed) > SILENT // 2
        assert metric(server, "livecommerce_descriptors_open") < LIMIT // 2
        late = 'livecommerce_http_connections_closed_total{why="late"}'
        while metric(server, late) + metric(server, closed) < SILENT:  # ends by itself: a head has 20 s
            await asyncio.sleep(0.5)
    finally:
        for writer in held:
            writer.transport.abort()
    assert server.log.read_text("utf-8").count("connections are closed at accept") == 1
