"""What is no HTTP gets a number and no versions; who hangs up leaves no traceback."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from livecommerce.api.protocol import NumberedRunner
from livecommerce.http.connections import Connections
from tests.site import Site


@pytest.fixture
async def port(site: Site) -> AsyncIterator[int]:
    """The site as the web role serves it."""
    assert site.client.app is not None
    runner = NumberedRunner(site.client.app, Connections(("127.0.0.1",), 50))
    await runner.setup()
    listening = web.TCPSite(runner, "127.0.0.1", 0)
    await listening.start()
    yield runner.addresses[0][1]
    await runner.cleanup()


async def answer(port: int, sent: bytes) -> tuple[bytes, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return head, body


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 50,
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc",
    ],
)
async def test_what_is_no_http_is_refused_by_number(port: int, sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), capture_logs() as logs:
        head, body = await answer(port, sent)
    assert head.startswith(b"HTTP/1.1 400 ") or head.startswith(b"HTTP/1.0 400 ")
    assert json.loads(body)["error"]["number"] == 1045
    assert not any(word in head.lower() for word in (b"aiohttp", b"python"))
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []
    assert [line for line in logs if line["log_level"] != "debug"] == []


async def test_no_answer_says_what_we_are_made_of(port: int) -> None:
    for path in ("/", "/api/me", "/socket.io/?EIO=4&transport=polling", "/static/none.js", "/nowhere"):
        head, _ = await answer(port, f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        assert b"aiohttp" not in head.lower(), path
        assert b"Server: livecommerce" in head, path


async def test_who_hangs_up_leaves_no_traceback(port: int, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), capture_logs() as logs:
        for sent in (
            b"POST /api/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{",
            b"POST /api/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
            b"\r\n5\r\n{",
            b"GET /api/openapi.yaml HTTP/1.1\r\nHost: a\r\n\r\n" * 20,
        ):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            await writer.drain()
            writer.transport.abort()
        assert (await answer(port, b"GET /api/me HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))[0]
        await asyncio.sleep(0.2)
    assert [line for line in logs if line.get("exc_info") or line["log_level"] in ("error", "critical")] == []
    assert [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR] == []
