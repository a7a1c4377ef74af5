"""Every page passes the accessibility rules (WCAG 2.2 A and AA) of axe-core, on a phone and on a desk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.browser.live_server import LiveServer
from tests.browser.visitors import DESK, PATIENCE_MS, PHONE, live_show, say, staff, visitor

pytestmark = pytest.mark.browser

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


async def violations(page: Page) -> list[str]:
    """What axe finds wrong, one line a node, so that a failure says where."""
    await page.wait_for_timeout(400)  # colours that fade are looked at when they have arrived
    await page.evaluate(AXE)
    found: dict[str, Any] = await page.evaluate(
        "(tags) => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})", RULES
    )
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found["violations"] for node in rule["nodes"]]


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_watch_with_card_chat_ticket_and_sheets(
    browser: Browser, server: LiveServer, size: dict[str, int]
) -> None:
    show = f"access-{size['width']}"
    live_show(server, show, pinned="bag")
    async with visitor(browser, server, f"/live/{show}", size) as page:
        await say(page, "+1")
        await page.locator(".ribbon .ticket").wait_for(timeout=PATIENCE_MS)
        assert await violations(page) == []
        for button in (0, 1):
            await page.locator(".round").nth(button).click()
            await page.locator("dialog[open]").wait_for()
            assert await violations(page) == []
            await page.keyboard.press("Escape")
        await page.locator(".round").nth(1).click()
        await page.locator("dialog[open]").get_by_role("button", name="取消").click()
        await page.get_by_role("button", name="確定取消").click()
        await page.locator(".ticket.gone").wait_for(timeout=PATIENCE_MS)
        await page.locator(".toast").wait_for(state="detached")
        assert await violations(page) == []  # a ticket that is over is read too


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_studio_with_an_open_product(browser: Browser, server: LiveServer, size: dict[str, int]) -> None:
    show = f"studio-{size['width']}"
    live_show(server, show)
    async with staff(browser, server, f"/studio/{show}", "owner", size) as page:
        await page.locator(".columns").wait_for()
        if size is PHONE:
            await page.locator(".tabbar button").first.click()
        await page.locator(".item .face").first.click()
        assert await violations(page) == []


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_control_with_a_comment_that_waits(browser: Browser, server: LiveServer, size: dict[str, int]) -> None:
    show = f"control-{size['width']}"
    goods = live_show(server, show)
    async with (
        visitor(browser, server, f"/live/{show}", PHONE) as viewer,
        staff(browser, server, f"/control/{show}", "moderator", size) as page,
    ):
        await say(viewer, goods.coat)
        await page.locator("li.line").first.wait_for()
        assert await violations(page) == []
        if size is PHONE:
            await page.locator(".tabbar button").nth(1).click()
        await page.locator(".card.open").wait_for()
        assert await violations(page) == []


@pytest.mark.parametrize("path", ["/login", "/live/no-such-show"], ids=["login", "not found"])
async def test_login_and_error_page(browser: Browser, server: LiveServer, path: str) -> None:
    context = await browser.new_context(viewport=PHONE, locale="zh-TW", base_url=server.address)  # type: ignore[arg-type]
    page = await context.new_page()
    answer = await page.goto(path)
    assert answer is not None
    assert answer.status == (200 if path == "/login" else 404)
    await page.locator("h1").wait_for()
    assert await violations(page) == []
    await context.close()


async def test_the_shop_desk_with_a_chosen_product(browser: Browser, server: LiveServer) -> None:
    live_show(server, "access-shop")
    async with staff(browser, server, "/", "owner") as page:
        await page.locator(".face").first.click()
        assert await violations(page) == []
        for button in ("訂單", "新增商品"):
            await page.get_by_role("button", name=button).first.click()
            await page.locator("dialog[open]").wait_for()
            assert await violations(page) == []
            await page.keyboard.press("Escape")
