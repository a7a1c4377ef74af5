"""A real server, a real Chromium: what the browser tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from tests.browser.chromium import FLAGS, chromium_path
from tests.browser.live_server import LiveServer


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One server for all browser tests (a start takes seconds); each test has a show and products of its own."""
    live = LiveServer(Path(tmp_path_factory.mktemp("live")) / "data")
    live.start()
    yield live
    live.stop()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))
        yield chromium
        await chromium.close()
