"""An ordinary rush: everybody comes in the same moment, each is served or told by number, and the shop goes on working.

A real server on its own store; each viewer has a loopback address of its own, as no proxy stands before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.browser.live_server import LiveServer, on_air

SHOW = "rush"
JOINS, PAGES, MADE_UP = 150, 600, 300
STAFF_ASKS = 10
OFFER = {"Content-Type": "application/sdp"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    with on_air(LiveServer(tmp_path / "data"), SHOW) as live:
        yield live


async def asked(host: str, method: str, address: str, **more: Any) -> tuple[int, int]:
    """(status, number of the refusal, 0 without one) of one request from this loopback address."""
    connector = aiohttp.TCPConnector(local_addr=(host, 0))
    timeout = aiohttp.ClientTimeout(total=120)
    async with (
        aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
        session.request(method, address, **more) as answer,
    ):
        told = await answer.json() if answer.status >= 400 and "json" in answer.content_type else {}
        await answer.read()
        return answer.status, told.get("error", {}).get("number", 0)


async def test_all_who_come_at_once_are_served_or_told_by_number(server: LiveServer) -> None:
    at = server.address
    joins = [asked(f"127.0.1.{n + 1}", "POST", f"{at}/whep/{SHOW}", data="v=0", headers=OFFER) for n in range(JOINS)]
    pages = [asked(f"127.0.{2 + n // 200}.{n % 200 + 1}", "GET", f"{at}/live/{SHOW}") for n in range(PAGES)]
    made_up = [asked("127.0.9.1", "GET", f"{at}/live/made-up-{n}") for n in range(MADE_UP)]

    cookie = {"Cookie": server._cookie("host")}
    ways = (f"{at}/api/shows/{SHOW}/snapshot", f"{at}/api/me")
    staff = [asked("127.0.0.1", "GET", way, headers=cookie) for way in ways for _ in range(STAFF_ASKS)]
    answers = await asyncio.gather(*joins, *pages, *made_up, *staff)
    assert set(answers[-len(staff) :]) == {(200, 0)}
    told = {answer for answer in answers[:JOINS] if answer[0] >= 400}
    assert all(status < 500 and number for status, number in told), told
    assert set(answers[JOINS : JOINS + PAGES]) == {(200, 0)}
    assert {status for status, _ in answers[JOINS + PAGES : -len(staff)]} <= {404, 429}
