"""What an owner met on the first evening: names that are long, pictures of somebody else on air, words for people."""

from __future__ import annotations

import itertools
import json

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.live_server import LiveServer
from tests.browser.visitors import BAG, COAT, DESK, PATIENCE_MS, PHONE, live_show, say, staff, under_code, visitor

pytestmark = pytest.mark.browser

LONG_NAME = "手工編織純羊毛加厚保暖復古格紋雙面穿寬鬆長版針織大衣外套冬季限定特別加大尺碼典藏版"
SIZES = [(320, 568), (360, 640), (390, 844), (820, 1180), (844, 390), (1024, 768), (1366, 768)]


async def wide_parts(page: Page) -> list[str]:
    """What reaches over the right edge of the screen, except in boxes that scroll sideways."""
    found: list[str] = await page.evaluate(
        """() => [...document.querySelectorAll("#app *, dialog *")].filter((one) => {
          const box = one.getBoundingClientRect();
          if (!box.width || box.right <= innerWidth + 1) return false;
          for (let up = one.parentElement; up; up = up.parentElement)
            if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(up).overflowX)
                && up.getBoundingClientRect().right <= innerWidth + 1 && !["BODY", "HTML"].includes(up.tagName)
                && !one.matches("button, a, input")) return false;
          return true;
        }).map((one) => `${one.tagName}.${one.className} ${Math.round(one.getBoundingClientRect().right)}`)"""
    )
    return found


def long_show(server: LiveServer, show: str, code: str, *, live: bool = False) -> None:
    items = [{**under_code(COAT, code), "names": [LONG_NAME], "name_en": "Long wool coat with belt & hood (navy)"}]
    items.append({**under_code(BAG, f"{code}B"), "names": [LONG_NAME]})
    server.make_show(show, items, title="週五夜市・秋冬外套與手工包特別場，滿千免運，最後一次補貨")
    if live:
        server.command(show, "start")


@pytest.mark.parametrize("locale", ["zh-TW", "en"])
async def test_long_names_stay_on_the_shop_page(browser: Browser, server: LiveServer, locale: str) -> None:
    long_show(server, "longshop", "LS")
    async with staff(browser, server, "/studio", "host", locale=locale) as page:
        product = page.locator("li.product", has=page.locator(".code", has_text="LS")).first
        await product.get_by_role("checkbox").check(timeout=PATIENCE_MS)
        for width, height in SIZES:
            await page.set_viewport_size({"width": width, "height": height})
            assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width
            assert await wide_parts(page) == [], width


COVERED = """() => {
  const box = (one) => one.getBoundingClientRect();
  const over = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const cards = [...document.querySelectorAll(".shelf button")].map(box);
  const lineup = box(document.querySelector(".center.big"));
  const hands = [...document.querySelectorAll(".rail, .card, .composer")].map(box);
  return {
    hands: hands.filter((one) => over(one, lineup)).length,
    names: [...document.querySelectorAll(".shelf li")].filter((one) => {
      const card = box(one.querySelector("button"));
      return [...one.querySelectorAll("b")].some((name) => box(name).right > card.right + 1);
    }).length,
    cards: cards.filter((one, index) => cards.some((other, place) => place > index && over(one, other))).length,
  };
}"""


async def test_the_line_up_before_a_show_covers_nothing(browser: Browser, server: LiveServer) -> None:
    long_show(server, "lineup", "LU")
    server.command("lineup", "pin", code="LU")
    async with visitor(browser, server, "/live/lineup", PHONE) as page:
        await page.locator("article.card").wait_for(timeout=PATIENCE_MS)
        for width, height in SIZES:
            await page.set_viewport_size({"width": width, "height": height})
            assert await page.evaluate(COVERED) == {"hands": 0, "names": 0, "cards": 0}, width
            for button in (page.locator(".buy"), page.locator(".round").last, page.locator(".shelf b").first):
                await expect(button).to_be_in_viewport(ratio=0.9)


@pytest.mark.parametrize("locale", ["zh-TW", "en"])
async def test_no_hint_of_the_signal_pushes_the_end_of_the_show_away(
    browser: Browser, server: LiveServer, locale: str
) -> None:
    show = f"hint-{locale.lower()}"
    long_show(server, show, f"H{locale[:1].upper()}", live=True)
    async with staff(browser, server, f"/studio/{show}", "host", locale=locale) as page:
        await page.locator(".btn.end").wait_for(timeout=PATIENCE_MS)
        hints = await page.evaluate(
            """async () => {
              const { live } = await import("/static/shared/staff.js");
              const { report } = await import("/static/studio/stage.js");
              const texts = JSON.parse(document.getElementById("texts").textContent);
              live.state.value = { ...live.state.value, media: { state: "live" } };
              window.hint = (hint) => (report.value = { stream: { hint, kbps: 2500, fps: 30, viewers: 3,
                viewers_lossy: 0, viewers_sound_only: 0, freezes: 0, layers: [] }, worst_viewers: [] });
              return Object.keys(texts).filter((key) => key.startsWith("studio.signal_")).map((key) => key.slice(14));
            }"""
        )
        assert len(hints) > 8
        for width, hint in itertools.product((1024, 1366), hints):
            await page.set_viewport_size({"width": width, "height": 768})
            await page.evaluate("(name) => window.hint(name)", hint)
            await expect(page.locator(".btn.end")).to_be_in_viewport(ratio=1)
            assert await wide_parts(page) == [], (width, hint)
            assert await page.evaluate("document.querySelector('.bar-top h1').offsetWidth") >= 90


async def test_an_encoder_on_air_is_not_cut_off_unasked(browser: Browser, server: LiveServer) -> None:
    live_show(server, "encoder", pinned="bag")
    async with (
        staff(browser, server, "/studio/encoder", "host") as encoder,
        staff(browser, server, "/studio/encoder", "owner") as page,
    ):
        await encoder.get_by_role("button", name="用這台的鏡頭播").click(timeout=PATIENCE_MS)
        await expect(encoder.locator(".signal")).to_contain_text("Mbps", timeout=PATIENCE_MS)
        # What a killed browser leaves behind: it was on air here, and says so to the next page.
        await page.evaluate("localStorage.setItem('lc_on_air', 'encoder')")
        await page.reload()
        await expect(page.locator(".signal")).to_contain_text("Mbps", timeout=PATIENCE_MS)
        await expect(page.get_by_text("觀眾正在等你的畫面")).to_have_count(0)
        await page.get_by_role("button", name="打開鏡頭").click()
        await expect(page.get_by_role("button", name="靜音")).to_have_count(0)
        await page.get_by_role("button", name="用這台的鏡頭播").click()
        sheet = page.get_by_role("dialog")
        await expect(sheet).to_contain_text("斷線", timeout=PATIENCE_MS)
        await sheet.get_by_role("button", name="還沒").click()
        await expect(encoder.get_by_role("button", name="停止送出")).to_be_visible()
        await page.get_by_role("button", name="用這台的鏡頭播").click()
        await sheet.get_by_role("button", name="用這台播").click()
        await expect(page.get_by_role("button", name="停止送出")).to_be_visible(timeout=PATIENCE_MS)


async def test_a_show_does_not_begin_unseen(browser: Browser, server: LiveServer) -> None:
    long_show(server, "unseen", "UN")
    async with staff(browser, server, "/studio/unseen", "host") as page:
        await page.get_by_role("button", name="開播").click(timeout=PATIENCE_MS)
        sheet = page.get_by_role("dialog")
        await expect(sheet.locator("video.mirror")).to_be_visible(timeout=PATIENCE_MS)
        await expect(page.locator(".bar-top")).to_contain_text("還沒開播")
        await sheet.get_by_role("button", name="現在開播").click()
        await expect(page.locator(".btn.end")).to_be_visible(timeout=PATIENCE_MS)


async def test_refused_orders_and_undecided_lines_leave_a_sign(browser: Browser, server: LiveServer) -> None:
    item = {**under_code(COAT, "RF"), "limit_per_viewer": 2}
    server.make_show("refused", [item, under_code(BAG, "RB")])
    server.command("refused", "start")
    server.command("refused", "pin", code="RF")
    async with (
        visitor(browser, server, "/live/refused", PHONE) as viewer,
        staff(browser, server, "/control/refused", "moderator") as control,
        staff(browser, server, "/studio/refused", "host") as studio,
    ):
        await say(viewer, "+1", name="阿凱")
        await expect(viewer.locator(".ribbon")).to_contain_text("顏色", timeout=PATIENCE_MS)
        await say(viewer, "RF 紅色 M +6")
        await say(viewer, "RB+7")
        await say(viewer, "RB+1 RF 黑 L +1 那個藍的呢 兩件")
        for page, row in ((control, ".chat .line"), (studio, ".chat .lines li")):
            await expect(page.locator(row, has_text="+1").first).to_contain_text("規格", timeout=PATIENCE_MS)
            await expect(page.locator(row, has_text="+6")).to_contain_text("沒有成立", timeout=PATIENCE_MS)
            await expect(page.locator(row, has_text="RB+7")).to_contain_text("✓ · 候補 2", timeout=PATIENCE_MS)
        await control.reload()
        await expect(control.locator(".chat .line", has_text="+6")).to_contain_text("沒有成立", timeout=PATIENCE_MS)


async def test_what_was_undecided_at_the_end_is_still_there(browser: Browser, server: LiveServer) -> None:
    live_show(server, "leftover", pinned="coat")
    async with (
        visitor(browser, server, "/live/leftover", PHONE) as viewer,
        staff(browser, server, "/control/leftover", "moderator") as control,
    ):
        await say(viewer, "那個我要兩件", name="阿凱")
        await expect(control.locator(".triage .card")).to_have_count(1, timeout=PATIENCE_MS)
        server.command("leftover", "end")
        await expect(control.locator(".left-over")).to_contain_text("1", timeout=PATIENCE_MS)
        await control.reload()
        await expect(control.locator(".triage .card")).to_have_count(1, timeout=PATIENCE_MS)
        await expect(control.locator(".triage")).not_to_contain_text("都看懂了")


async def test_the_studio_of_an_ended_show_leads_to_orders(browser: Browser, server: LiveServer) -> None:
    live_show(server, "bygone", pinned=None)
    server.command("bygone", "end")
    async with staff(browser, server, "/studio/bygone", "owner") as page:
        await expect(page.get_by_role("heading", name="這場結束了")).to_be_visible(timeout=PATIENCE_MS)
        for words in ("打開鏡頭", "還沒釘選", "還沒有畫面"):
            await expect(page.locator("#app")).not_to_contain_text(words)
        await expect(page.get_by_role("tab", name="OBS")).to_have_count(0)
        await page.locator(".item .face").first.click()
        await expect(page.locator(".editor")).to_have_count(0)
        await page.get_by_role("link", name="看訂單").click()
        await expect(page.get_by_role("dialog")).to_contain_text("訂單", timeout=PATIENCE_MS)


async def test_staff_read_words_and_no_machine_names(browser: Browser, server: LiveServer) -> None:
    item = {**BAG, "code": "MW", "options": [{"axis": "尺寸", "values": [{"value": "36/38", "short": []}]}]}
    server.make_show("machine", [{**item, "supply": {"MW/36%2F38": 4}}])
    server.command("machine", "start")
    server.command("machine", "set_stock", role="owner", sku="MW/36%2F38", available=3)
    server.command("machine", "say", role="owner", text="大家好")
    async with (
        staff(browser, server, "/studio/machine", "host") as studio,
        staff(browser, server, "/control/machine", "moderator") as control,
        visitor(browser, server, "/live/machine", PHONE) as viewer,
    ):
        await studio.locator(".item .face").first.click(timeout=PATIENCE_MS)
        await studio.get_by_role("button", name="減").first.click()
        await expect(studio.locator(".toast")).to_contain_text("MW 36/38 只剩 3 件", timeout=PATIENCE_MS)
        await control.get_by_role("tab", name="紀錄").click(timeout=PATIENCE_MS)
        trail = control.locator(".audit")
        await expect(trail).to_contain_text("設定剩餘件數 MW 36/38", timeout=PATIENCE_MS)
        await expect(trail.get_by_role("button", name="復原")).to_have_count(
            1
        )  # of what was said; pieces are the host's
        await expect(viewer.locator(".line.host")).to_contain_text("我的小店", timeout=PATIENCE_MS)
        assert "owner" not in json.dumps(await viewer.locator(".chat").all_inner_texts())


async def new_product(page: Page, code: str, name: str) -> Locator:
    """The sheet of a new product, filled in but for its options."""
    await page.get_by_role("button", name="新增商品").click(timeout=PATIENCE_MS)
    sheet = page.get_by_role("dialog")
    for label, text in (("編號", code), ("名稱（", name), ("價格", "100")):
        await sheet.get_by_label(label).fill(text)
    return sheet


async def test_option_values_need_the_name_of_their_option(browser: Browser, server: LiveServer) -> None:
    async with staff(browser, server, "/studio", "host") as page:
        sheet = await new_product(page, "E77", "披肩")
        await sheet.locator("[name=values0]").fill("紅, 藍")
        await sheet.get_by_role("button", name="新增").click()
        await expect(sheet.get_by_role("alert")).to_contain_text("紅、藍", timeout=PATIENCE_MS)
        await sheet.locator("[name=axis0]").fill("顏色")
        await sheet.get_by_role("button", name="新增").click()
        await expect(page.locator("li.product", has_text="披肩")).to_contain_text("2", timeout=PATIENCE_MS)


async def test_short_names_are_shown_before_they_are_kept(browser: Browser, server: LiveServer) -> None:
    async with staff(browser, server, "/studio", "host") as page:
        sheet = await new_product(page, "E78", "圍巾")
        await sheet.locator("[name=axis0]").fill("顏色")
        await sheet.locator("[name=values0]").fill("紅色, 黑色, 花")
        await sheet.get_by_role("button", name="新增").click()
        await expect(sheet.locator("[name=values0]")).to_have_value("紅色=紅、黑色=黑、花", timeout=PATIENCE_MS)
        await expect(sheet.get_by_role("status")).to_contain_text("短名稱")
        await sheet.locator("[name=values0]").fill("紅色=紅=大紅、黑色=、花")
        await sheet.get_by_role("button", name="新增").click()
        await expect(page.locator("li.product", has_text="圍巾")).to_be_visible(timeout=PATIENCE_MS)
    products = server.request("GET", "/api/products")["products"]
    kept = next(product for product in products if product["code"] == "E78")
    assert [value["short"] for value in kept["options"][0]["values"]] == [["紅", "大紅"], [], []]


@pytest.mark.parametrize("locale", ["zh-TW", "en"])
async def test_the_desks_of_a_show_stay_within_the_screen(browser: Browser, server: LiveServer, locale: str) -> None:
    show = f"desks-{locale.lower()}"
    long_show(server, show, f"D{locale[:1].upper()}", live=True)
    sizes = [*SIZES, (1600, 900)]
    async with staff(browser, server, f"/control/{show}", "owner", locale=locale) as page:
        await page.locator(".bar-top").wait_for(timeout=PATIENCE_MS)
        await page.get_by_role("tab").last.click()
        for width, height in sizes:
            await page.set_viewport_size({"width": width, "height": height})
            assert await wide_parts(page) == [], width
        await page.goto(f"/studio/{show}")
        await page.locator(".tiles").wait_for(timeout=PATIENCE_MS)
        for width, height in sizes:
            await page.set_viewport_size({"width": width, "height": height})
            middle = await page.evaluate(
                "(({scrollWidth, clientWidth}) => scrollWidth - clientWidth)(document.querySelector('.middle'))"
            )
            assert middle <= 0, "the middle never scrolls sideways"
            assert await wide_parts(page) == [], width


async def test_figures_are_whole(browser: Browser, server: LiveServer) -> None:
    server.make_show("figures", [{**under_code(BAG, "FG"), "price_minor": 12_345}])
    server.command("figures", "start")
    server.command("figures", "pin", code="FG")
    async with (
        visitor(browser, server, "/live/figures", PHONE) as viewer,
        staff(browser, server, "/studio/figures", "host", {**DESK, "width": 1366}) as page,
    ):
        await say(viewer, "+3", name="阿凱")
        figure = page.locator(".tiles .held dd")
        await expect(figure).to_have_text("NT$37,035", timeout=PATIENCE_MS)
        assert await figure.evaluate("(one) => one.scrollWidth - one.clientWidth") <= 0


async def test_taking_money_back_is_not_armed_for_ever(browser: Browser, server: LiveServer) -> None:
    live_show(server, "armed", pinned="bag")
    async with (
        visitor(browser, server, "/live/armed", PHONE) as viewer,
        staff(browser, server, "/studio", "owner") as page,
    ):
        await say(viewer, "+1", name="阿凱")
        await expect(viewer.locator(".ribbon .ticket")).to_be_visible(timeout=PATIENCE_MS)
        await page.goto("/studio?orders=armed")
        order = page.get_by_role("dialog").locator("li", has_text="阿凱")
        await order.get_by_role("button", name="銀行轉帳").click(timeout=PATIENCE_MS)
        await order.get_by_role("button", name="收到 NT$250").click()
        await expect(order).to_contain_text("已收 NT$250 · 銀行轉帳", timeout=PATIENCE_MS)
        await order.get_by_role("button", name="取消付款", exact=True).click()
        await expect(order.get_by_role("button", name="確定取消付款")).to_be_visible()
        await expect(order.get_by_role("button", name="取消付款", exact=True)).to_be_visible(timeout=PATIENCE_MS)
        await order.get_by_role("button", name="取消付款", exact=True).click()
        await order.get_by_role("button", name="確定取消付款").click()
        # the money was in somebody's hands: what it was stays to be seen
        moved = order.locator(".history li")
        await expect(moved).to_have_count(2, timeout=PATIENCE_MS)
        await expect(moved.first).to_contain_text("已收 NT$250（銀行轉帳）")
        await expect(moved.last).to_contain_text("取消收款 NT$250（銀行轉帳）")
