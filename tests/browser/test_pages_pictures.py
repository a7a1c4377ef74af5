"""Products without a picture, and with one that does not come: their code is drawn, no page shows a broken image."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.browser.live_server import LiveServer
from tests.browser.visitors import PATIENCE_MS, PHONE, staff, visitor

pytestmark = pytest.mark.browser

BROKEN = "[...document.images].filter((one) => one.complete && one.naturalWidth === 0).length"


async def test_no_page_shows_a_broken_image(browser: Browser, server: LiveServer) -> None:
    gone = f"/pictures/{'0' * 64}.webp"
    items = [
        {"code": "P01", "names": ["沒有圖"], "price_minor": 100, "supply": 3},
        {"code": "P02", "names": ["圖不見了"], "price_minor": 100, "supply": 3, "picture": gone},
    ]
    server.make_show("pictures", items)
    server.command("pictures", "start")
    server.command("pictures", "pin", code="P02")
    async with visitor(browser, server, "/live/pictures", PHONE) as page:
        await expect(page.locator(".card .pic.blank")).to_have_text("P02", timeout=PATIENCE_MS)
        assert await page.evaluate(BROKEN) == 0
    for path in ("/studio", "/studio/pictures"):
        async with staff(browser, server, path, "host") as page:
            await expect(page.locator(".pic.blank", has_text="P01").first).to_be_visible(timeout=PATIENCE_MS)
            await page.get_by_text("圖不見了").first.scroll_into_view_if_needed()  # far below it is not asked for
            await expect(page.locator(".pic.blank", has_text="P02").first).to_be_visible(timeout=PATIENCE_MS)
            assert await page.evaluate(BROKEN) == 0
