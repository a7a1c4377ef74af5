"""Questions on the pages: asked and voted for by viewers, answered and hidden at the control panel."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.browser.live_server import LiveServer
from tests.browser.visitors import PATIENCE_MS, PHONE, live_show, staff, visitor

pytestmark = pytest.mark.browser


async def test_a_question_is_asked_voted_for_and_answered(browser: Browser, server: LiveServer) -> None:
    live_show(server, "question")
    async with (
        visitor(browser, server, "/live/question", PHONE) as asker,
        visitor(browser, server, "/live/question", PHONE, locale="en") as other,
        staff(browser, server, "/control/question", "host") as host,
    ):
        await asker.locator(".round", has_text="提問").click()
        field = asker.get_by_placeholder("想問主播什麼？")
        await field.fill("有大號嗎？")
        await field.press("Enter")
        await expect(asker.locator(".questions")).to_contain_text("有大號嗎？", timeout=PATIENCE_MS)
        await other.locator(".round", has_text="Ask").click()
        await other.locator(".questions button").click()
        await expect(other.locator(".questions button[aria-pressed=true]")).to_contain_text("1", timeout=PATIENCE_MS)
        await expect(asker.locator(".questions button")).to_contain_text("1", timeout=PATIENCE_MS)
        await other.reload()
        await other.locator(".round", has_text="Ask").click()
        await expect(other.locator(".questions button[aria-pressed=true]")).to_be_visible(timeout=PATIENCE_MS)
        await host.locator("#side-question").click()
        await host.get_by_role("button", name="回答了").click()
        await expect(asker.locator(".questions")).to_contain_text("已回答", timeout=PATIENCE_MS)
        await host.locator("#side-audit").click()
        await expect(host.locator(".audit")).to_contain_text("回答問題", timeout=PATIENCE_MS)
        await host.locator("#side-question").click()
        await host.locator(".questions").get_by_role("button", name="隱藏").click()
        await expect(asker.locator(".questions li")).to_have_count(0, timeout=PATIENCE_MS)
