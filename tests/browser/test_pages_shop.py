"""The shop's desk: a show made from the catalogue, and its orders paid."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, Route, expect

from tests.browser.live_server import LiveServer
from tests.browser.visitors import PATIENCE_MS, PHONE, become, live_show, say, staff, visitor

pytestmark = pytest.mark.browser


async def test_a_wrong_password_is_told_and_the_right_one_leads_on(browser: Browser, server: LiveServer) -> None:
    context = await browser.new_context(viewport=PHONE, locale="zh-TW", base_url=server.address)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto("/studio")
    await expect(page).to_have_url(re.compile(r"/login\?next=/studio$"), timeout=PATIENCE_MS)
    for password in ("not the password", server.passwords["owner"]):
        await page.get_by_label("帳號").fill("owner")
        await page.get_by_label("密碼").fill(password)
        await page.get_by_role("button", name="登入").click()
        if password != server.passwords["owner"]:
            await expect(page.get_by_role("alert")).to_have_text("帳號或密碼不對。", timeout=PATIENCE_MS)
    await expect(page.get_by_role("heading", name="直播場次")).to_be_visible(timeout=PATIENCE_MS)
    await context.close()


async def test_a_show_is_made_from_the_catalogue(browser: Browser, server: LiveServer) -> None:
    goods = live_show(server, "catalogue")
    async with staff(browser, server, "/studio", "host") as page:
        await page.get_by_label("這場的名字").fill("週六茶與點心")
        product = page.locator("li.product", has_text=goods.bag)
        await product.get_by_role("checkbox").check()
        await product.get_by_label("價格").fill("199")
        await product.get_by_label("件數").fill("7")
        await page.get_by_role("button", name="建立直播").click()
        await expect(page).to_have_url(re.compile(r"/studio/[a-z0-9-]+$"), timeout=PATIENCE_MS)
        await expect(page.locator(".item")).to_contain_text("NT$199", timeout=PATIENCE_MS)
        await expect(page.locator("header")).to_contain_text("還沒開播")


async def test_a_new_product_is_warned_about_before_it_is_kept(browser: Browser, server: LiveServer) -> None:
    async with staff(browser, server, "/studio", "host") as page:
        await page.get_by_role("button", name="新增商品").click()
        sheet = page.get_by_role("dialog")
        await sheet.get_by_label("編號").fill("12")
        await sheet.get_by_label("名稱（").fill("襪子, 羊毛襪")
        await sheet.get_by_label("價格").fill("100")
        await sheet.get_by_role("button", name="新增").click()
        await expect(sheet.get_by_role("alert")).to_contain_text("可能會讀錯", timeout=PATIENCE_MS)
        await sheet.get_by_role("button", name="還是要新增").click()
        await expect(page.locator("li.product", has_text="襪子")).to_be_visible(timeout=PATIENCE_MS)


async def test_the_shops_own_words_count_in_the_running_show(browser: Browser, server: LiveServer) -> None:
    goods = live_show(server, "words")
    async with (
        staff(browser, server, "/studio", "owner") as page,
        visitor(browser, server, "/live/words", PHONE) as viewer,
    ):
        await page.get_by_role("button", name="留言用語").click()
        sheet = page.get_by_role("dialog")
        await sheet.get_by_label("下單的詞").fill("喊包")
        await sheet.get_by_label("別名", exact=True).fill("小方包")
        await sheet.get_by_label("是哪個商品").select_option(goods.bag)
        await sheet.get_by_role("button", name="加別名").click()
        await sheet.get_by_role("button", name="儲存").click()
        await expect(page.locator(".toast", has_text="留言用語存好了")).to_be_visible(timeout=PATIENCE_MS)
        await say(viewer, "喊包 小方包", name="阿凱")
        await expect(viewer.locator(".ribbon .ticket")).to_be_visible(timeout=PATIENCE_MS)
        await sheet.get_by_role("button", name="拿掉別名 小方包").click()
        await sheet.get_by_label("下單的詞").fill("")
        await sheet.get_by_role("button", name="儲存").click()
        await expect(sheet.get_by_text("小方包")).to_have_count(0)


async def test_a_word_that_would_be_misread_is_refused_in_words(browser: Browser, server: LiveServer) -> None:
    context = await browser.new_context(viewport=PHONE, locale="zh-TW", base_url=server.address)  # type: ignore[arg-type]
    page = await context.new_page()
    await become(page, server, "owner")
    await page.goto("/studio")
    await page.get_by_role("button", name="留言用語").click()
    sheet = page.get_by_role("dialog")
    await sheet.get_by_label("下單的詞").fill("不要")
    await sheet.get_by_role("button", name="儲存").click()
    await expect(sheet.get_by_role("alert")).to_have_text(
        "不要：這個詞已經有意思了：是編號、品名、規格，或文法裡的詞。", timeout=PATIENCE_MS
    )
    await context.close()


async def test_an_order_is_paid_and_the_buyer_sees_it(browser: Browser, server: LiveServer) -> None:
    live_show(server, "orders", pinned="bag")
    async with (
        visitor(browser, server, "/live/orders", PHONE) as viewer,
        staff(browser, server, "/studio", "owner") as page,
    ):
        await say(viewer, "+2", name="阿凱")
        await expect(viewer.locator(".ribbon .ticket")).to_be_visible(timeout=PATIENCE_MS)
        await page.reload()
        show = page.locator("li.show", has=page.locator("a[href='/live/orders']"))
        await show.get_by_role("button", name="訂單").click()
        order = page.get_by_role("dialog").locator("li", has_text="阿凱")
        await expect(order).to_contain_text("NT$500", timeout=PATIENCE_MS)
        await order.get_by_role("button", name="銀行轉帳").click()
        await expect(order).to_contain_text("請在 3 天內轉帳", timeout=PATIENCE_MS)
        await order.get_by_role("button", name="收到 NT$500").click()
        await expect(order).to_contain_text("已收 NT$500", timeout=PATIENCE_MS)
        await viewer.locator(".round").nth(1).click()
        await expect(viewer.get_by_role("dialog")).to_contain_text("訂單成立", timeout=PATIENCE_MS)


async def test_an_order_of_a_later_page_stays_in_sight_after_a_press(browser: Browser, server: LiveServer) -> None:
    live_show(server, "pages", pinned="bag")
    async with (
        visitor(browser, server, "/live/pages", PHONE) as first,
        visitor(browser, server, "/live/pages", PHONE) as second,
        staff(browser, server, "/studio", "owner") as page,
    ):
        for viewer, name in ((first, "阿凱"), (second, "小雯")):
            await say(viewer, "+2", name=name)
            await expect(viewer.locator(".ribbon .ticket")).to_be_visible(timeout=PATIENCE_MS)

        async def one_a_page(route: Route) -> None:
            await route.continue_(url=f"{route.request.url}&limit=1")

        await page.route("**/api/shows/pages/orders?after=*", one_a_page)
        await page.reload()
        await (
            page.locator("li.show", has=page.locator("a[href='/live/pages']"))
            .get_by_role("button", name="訂單")
            .click()
        )
        orders = page.get_by_role("dialog").locator("ul.orders > li")
        await expect(orders).to_have_count(1, timeout=PATIENCE_MS)
        await page.get_by_role("dialog").get_by_role("button", name="更多").click()
        await expect(orders).to_have_count(2, timeout=PATIENCE_MS)
        await orders.nth(1).get_by_role("button", name="銀行轉帳").click()
        await expect(orders.nth(1)).to_contain_text("請在 3 天內轉帳", timeout=PATIENCE_MS)
        await orders.nth(1).get_by_role("button", name="收到 NT$500").click()
        await expect(orders.nth(1)).to_contain_text("已收 NT$500", timeout=PATIENCE_MS)
        await expect(orders).to_have_count(2)
