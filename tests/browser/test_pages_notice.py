"""The notice: written at the control panel, read above the chat, taken down in the studio."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.browser.live_server import LiveServer
from tests.browser.visitors import PATIENCE_MS, PHONE, live_show, staff, visitor

pytestmark = pytest.mark.browser


async def test_a_notice_is_put_up_by_key_and_taken_down_in_the_studio(browser: Browser, server: LiveServer) -> None:
    live_show(server, "notice")
    async with (
        visitor(browser, server, "/live/notice", PHONE) as viewer,
        staff(browser, server, "/control/notice", "host") as host,
    ):
        button = host.get_by_role("banner").get_by_role("button", name="公告")
        await expect(button).to_be_visible(timeout=PATIENCE_MS)
        await host.keyboard.press("n")
        await host.locator("textarea").fill("滿千免運")
        await host.locator("form").get_by_role("button", name="公告").click()
        await expect(viewer.locator(".banner.notice")).to_have_text("滿千免運", timeout=PATIENCE_MS)
        await expect(host.locator("textarea")).to_have_count(0)
        await viewer.reload()
        await expect(viewer.locator(".banner.notice")).to_have_text("滿千免運", timeout=PATIENCE_MS)
        await host.locator("#side-audit").click()
        await expect(host.locator(".audit")).to_contain_text("公告", timeout=PATIENCE_MS)
        await host.keyboard.press("?")
        await expect(host.locator(".help")).to_contain_text("寫公告")
        await host.goto(host.url.replace("/control/", "/studio/"))
        await host.locator("#tool-notice").click()
        await host.get_by_role("button", name="撤下").click()
        await expect(viewer.locator(".banner.notice")).to_have_count(0, timeout=PATIENCE_MS)
