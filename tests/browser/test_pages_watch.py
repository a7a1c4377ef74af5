"""A viewer's page: what is chosen, claimed, cut off and come back to."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, expect

from tests.browser.live_server import LiveServer
from tests.browser.visitors import PATIENCE_MS, PHONE, live_show, say, visitor

pytestmark = pytest.mark.browser


async def test_the_button_asks_for_options_then_claims_them(browser: Browser, server: LiveServer) -> None:
    live_show(server, "options")
    async with visitor(browser, server, "/live/options", PHONE) as page:
        card = page.locator("article.card")
        await expect(card).to_contain_text("剩 10 件", timeout=PATIENCE_MS)
        await page.locator(".buy").click()
        await expect(card).to_contain_text("先選顏色、尺寸")
        await card.get_by_role("button", name="黑色").click()
        await card.get_by_role("button", name="L", exact=True).click()
        await expect(card).to_contain_text("剩 1 件")
        await page.locator(".buy").click()
        await expect(page.locator(".ribbon .ticket")).to_contain_text("針織外套 黑色 L", timeout=PATIENCE_MS)
        # The last of this kind is gone: the button now offers the waiting list.
        await page.keyboard.press("Escape")
        await expect(page.locator(".buy")).to_have_text("再候補")  # one is held already
        await expect(card).to_contain_text("售完")


async def test_a_comment_without_options_is_asked_for_the_rest(browser: Browser, server: LiveServer) -> None:
    live_show(server, "need")
    async with visitor(browser, server, "/live/need", PHONE) as page:
        await say(page, "紅+2")
        ribbon = page.locator(".ribbon")
        await expect(ribbon).to_contain_text("針織外套 × 2", timeout=PATIENCE_MS)
        await ribbon.get_by_role("button", name="M", exact=True).click()
        await expect(ribbon.locator(".ticket")).to_contain_text("針織外套 紅色 M × 2", timeout=PATIENCE_MS)


async def test_name_and_tickets_survive_a_reload_and_a_second_tab(browser: Browser, server: LiveServer) -> None:
    live_show(server, "again", pinned="bag")
    async with visitor(browser, server, "/live/again", PHONE) as page:
        await say(page, "+1", name="阿凱")
        await expect(page.locator(".ribbon .ticket")).to_be_visible(timeout=PATIENCE_MS)
        await page.reload()
        await say(page, "又來了")
        await expect(page.locator(".lines")).to_contain_text("阿凱 又來了", timeout=PATIENCE_MS)
        second = await page.context.new_page()
        await second.goto("/live/again")
        await second.locator(".round").nth(1).click()
        await expect(second.get_by_role("dialog")).to_contain_text("帆布包", timeout=PATIENCE_MS)
        # Cancelled in one tab, gone in the other.
        await second.get_by_role("button", name="取消").click()
        await second.get_by_role("button", name="確定取消").click()
        await expect(second.get_by_role("dialog")).to_contain_text("已取消", timeout=PATIENCE_MS)
        await expect(page.locator(".badge")).to_have_count(0, timeout=PATIENCE_MS)


async def test_a_cut_line_is_said_and_the_comment_arrives_once(browser: Browser, server: LiveServer) -> None:
    live_show(server, "cut", pinned="bag")
    async with (
        visitor(browser, server, "/live/cut", PHONE) as page,
        visitor(browser, server, "/live/cut", PHONE) as other,
    ):
        await say(page, "斷線前")
        await expect(other.locator(".lines")).to_contain_text("斷線前", timeout=PATIENCE_MS)
        cut = await page.context.new_cdp_session(page)
        await cut.send("Network.enable")
        await cut.send(
            "Network.emulateNetworkConditions",
            {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1},
        )
        await page.evaluate("dispatchEvent(new Event('offline'))")
        field = page.locator(".entry input")
        await field.fill("斷線中 +1")
        await field.press("Enter")
        await expect(page.locator(".line.sending, .line.failed")).to_have_count(1)
        await cut.send(
            "Network.emulateNetworkConditions",
            {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1},
        )
        await page.evaluate("dispatchEvent(new Event('online'))")
        await expect(other.locator(".lines li", has_text="斷線中")).to_have_count(1, timeout=PATIENCE_MS)
        await expect(page.locator(".line.sending, .line.failed")).to_have_count(0, timeout=PATIENCE_MS)


async def test_too_long_is_not_typed_and_a_blocked_word_is_told(browser: Browser, server: LiveServer) -> None:
    live_show(server, "limits", pinned=None)
    server.command("limits", "words", add=["飆股"])
    async with visitor(browser, server, "/live/limits", PHONE) as page:
        await say(page, "哈" * 250)
        await expect(page.locator(".lines")).to_contain_text(re.compile("^小美 哈{200}$"), timeout=PATIENCE_MS)
        await say(page, "加賴領飆股")
        failed = page.locator(".line.failed")
        await expect(failed).to_contain_text("擋下", timeout=PATIENCE_MS)
        await failed.get_by_role("button", name="不送了").click()
        await expect(failed).to_have_count(0)


async def test_an_ended_show_says_so_and_keeps_the_tickets(browser: Browser, server: LiveServer) -> None:
    live_show(server, "over", pinned="bag")
    async with visitor(browser, server, "/live/over", PHONE) as page:
        await say(page, "+1")
        await expect(page.locator(".ribbon .ticket")).to_be_visible(timeout=PATIENCE_MS)
        server.command("over", "end")
        await expect(page.get_by_text("直播結束了")).to_be_visible(timeout=PATIENCE_MS)
        await page.get_by_role("button", name="我的號碼牌").click()
        await expect(page.get_by_role("dialog")).to_contain_text("帆布包")


async def test_an_order_from_the_list_of_products_shows_its_answer(browser: Browser, server: LiveServer) -> None:
    """The answer came behind the list, where "sold out" read as lost."""
    goods = live_show(server, "fromlist", pinned="coat")
    async with visitor(browser, server, "/live/fromlist", PHONE) as page:
        await page.locator(".round").first.click()
        row = page.get_by_role("dialog").locator(".product", has_text=goods.bag)
        await row.get_by_role("button").click()
        await expect(page.locator(".ribbon .ticket")).to_be_visible(timeout=PATIENCE_MS)
        await expect(page.locator(".product")).to_have_count(0)
