"""Turns that nobody may miss: an offer after waiting is seen, heard, read aloud, and ends where one can see it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Dialog, Page, WebSocketRoute, expect

from tests.browser.live_server import LiveServer
from tests.browser.visitors import PATIENCE_MS, PHONE, live_show, say, staff, visitor

pytestmark = pytest.mark.browser

PIECES = 5  # of a show's own bag
KEEP_BUZZES = "window.buzzes = []; navigator.vibrate = (pattern) => window.buzzes.push(pattern); 0"


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server whose offers stand for a few seconds."""
    live = LiveServer(Path(tmp_path_factory.mktemp("hasty")) / "data", **{"stock__offer_seconds": "10"})
    live.start()
    yield live
    live.stop()


async def waits(page: Page) -> None:
    """Joins the line of what is sold out."""
    await expect(page.locator(".buy")).to_have_text("排候補", timeout=PATIENCE_MS)
    await say(page, "+1")
    await expect(page.locator(".ribbon .ticket")).to_contain_text("候補", timeout=PATIENCE_MS)


async def everything(page: Page) -> None:
    await say(page, f"+{PIECES}", name="大戶")
    await expect(page.locator(".ribbon .ticket")).to_be_visible(timeout=PATIENCE_MS)


async def test_an_offer_is_seen_heard_and_taken_by_one_tap(browser: Browser, server: LiveServer) -> None:
    live_show(server, "turn", pinned="bag")
    async with (
        visitor(browser, server, "/live/turn", PHONE) as first,
        visitor(browser, server, "/live/turn", PHONE) as second,
    ):
        await everything(first)
        await waits(second)
        await second.evaluate(KEEP_BUZZES)
        await second.locator(".sound").click()  # who wants to hear the show hears this too
        await say(first, "取消")
        offer = second.get_by_role("region", name="輪到你了")
        await expect(offer).to_contain_text("帆布包 × 1", timeout=PATIENCE_MS)
        await expect(offer.get_by_role("timer")).to_be_visible()
        await expect(offer.locator("[aria-live=assertive]")).to_contain_text("輪到你了")
        assert await second.evaluate("window.buzzes.length") == 1
        await expect(second.locator("body")).to_have_attribute("data-rung", "1")  # begun, not awaited
        await second.wait_for_function("document.title.includes('輪到你了')", timeout=PATIENCE_MS)
        await second.reload()
        await expect(offer).to_contain_text("帆布包 × 1", timeout=PATIENCE_MS)
        await offer.get_by_role("button", name="我要").click()
        await expect(offer).to_have_count(0, timeout=PATIENCE_MS)
        await second.locator(".round").nth(1).click()
        await expect(second.get_by_role("dialog")).to_contain_text("保留中 1 件", timeout=PATIENCE_MS)
        await second.wait_for_function("!document.title.includes('輪到你了')", timeout=PATIENCE_MS)


async def test_who_mutes_the_show_is_not_rung_but_buzzed_and_plus_one_takes_it(
    browser: Browser, server: LiveServer
) -> None:
    live_show(server, "word", pinned="bag")
    async with (
        visitor(browser, server, "/live/word", PHONE) as first,
        visitor(browser, server, "/live/word", PHONE) as second,
    ):
        await everything(first)
        await waits(second)
        await second.evaluate(KEEP_BUZZES)
        await say(first, "取消")
        offer = second.get_by_role("region", name="輪到你了")
        await expect(offer).to_be_visible(timeout=PATIENCE_MS)
        assert await second.evaluate("window.buzzes.length") == 1
        assert await second.evaluate("document.body.dataset.rung") is None
        await say(second, "+1")
        await expect(offer).to_have_count(0, timeout=PATIENCE_MS)
        await expect(second.locator(".ribbon .ticket")).to_contain_text("為你保留到", timeout=PATIENCE_MS)
        await expect(first.locator("article.card")).to_contain_text("剩 4 件", timeout=PATIENCE_MS)


async def test_an_offer_let_go_goes_on_and_one_that_lapses_says_so(browser: Browser, hasty: LiveServer) -> None:
    live_show(hasty, "lapse", pinned="bag")
    async with (
        visitor(browser, hasty, "/live/lapse", PHONE) as first,
        visitor(browser, hasty, "/live/lapse", PHONE) as second,
        visitor(browser, hasty, "/live/lapse", PHONE) as third,
    ):
        await everything(first)
        await waits(second)
        await waits(third)
        await say(first, f"-{PIECES - 1}")
        await say(first, "取消")
        offer = second.get_by_role("region", name="輪到你了")
        await offer.get_by_role("button", name="不要了").click(timeout=PATIENCE_MS)
        await offer.get_by_role("button", name="確定不要？").click()
        await expect(offer).to_have_count(0, timeout=PATIENCE_MS)
        await expect(third.get_by_role("region", name="輪到你了")).to_be_visible(timeout=PATIENCE_MS)
        await expect(third.get_by_role("alert")).to_contain_text("時間到了", timeout=PATIENCE_MS)


async def test_a_hold_that_ends_while_nobody_looks_is_said(browser: Browser, server: LiveServer) -> None:
    live_show(server, "lapsing", pinned="bag", hold_seconds=10)
    async with visitor(browser, server, "/live/lapsing", PHONE) as page:
        await say(page, "+1", name="阿花")
        ribbon = page.locator(".ribbon")
        await expect(ribbon).to_contain_text("1", timeout=PATIENCE_MS)
        await expect(ribbon).to_contain_text("保留時間到了", timeout=PATIENCE_MS)
        await expect(ribbon).to_contain_text("帆布包")


async def test_orders_by_the_button_are_in_control_and_stay_after_a_reload(
    browser: Browser, server: LiveServer
) -> None:
    live_show(server, "pressed", pinned="bag")
    async with (
        visitor(browser, server, "/live/pressed", PHONE) as viewer,
        staff(browser, server, "/control/pressed", "moderator") as control,
    ):
        await viewer.locator(".buy").click(timeout=PATIENCE_MS)
        await viewer.locator("form.name .input").fill("小美")
        await viewer.locator("form.name button[type=submit]").click()
        line = control.locator("li.line.claim")
        await expect(line).to_contain_text("按鈕下單", timeout=PATIENCE_MS)
        await expect(line).to_contain_text("第 1 號")
        await control.reload()
        await expect(line).to_contain_text("第 1 號", timeout=PATIENCE_MS)
        await expect(viewer.locator(".lines li.claim")).to_have_count(1)
        await viewer.reload()
        await expect(viewer.locator(".lines li.claim")).to_contain_text("第 1 號", timeout=PATIENCE_MS)
        await viewer.locator(".buy").click()
        await expect(viewer.locator(".lines li.claim")).to_have_count(2, timeout=PATIENCE_MS)
        await expect(line).to_have_count(2, timeout=PATIENCE_MS)


async def test_a_question_is_answered_and_never_sold_and_accepting_can_be_undone(
    browser: Browser, server: LiveServer
) -> None:
    goods = live_show(server, "decide", pinned="bag")
    async with (
        visitor(browser, server, "/live/decide", PHONE) as viewer,
        staff(browser, server, "/control/decide", "moderator") as control,
    ):
        await say(viewer, "這個有現貨嗎？", name="阿問")
        card = control.locator(".triage .card.open")
        await expect(card).to_contain_text("這個有現貨嗎", timeout=PATIENCE_MS)
        await expect(card.get_by_role("button", name="接受")).to_have_count(0)
        await control.keyboard.press("a")
        sheet = control.get_by_role("dialog")
        await sheet.get_by_role("textbox").fill("@阿問 有的")
        await sheet.get_by_role("button", name="送出回答").click()
        await expect(viewer.locator(".lines")).to_contain_text("@阿問 有的", timeout=PATIENCE_MS)
        await expect(card).to_have_count(0, timeout=PATIENCE_MS)
        assert server.request("GET", "/api/shows/decide/snapshot")["stock"][goods.bag][1] == 0, "nothing was sold"

        await say(viewer, f"{goods.coat} 黑 M")
        await expect(card).to_contain_text("黑 M", timeout=PATIENCE_MS)
        await control.keyboard.press("x")
        await expect(card).to_have_count(0, timeout=PATIENCE_MS)
        await control.keyboard.press("z")  # the last thing done, and that one alone
        await expect(control.locator(".toast", has_text="已復原：不是下單")).to_be_visible(timeout=PATIENCE_MS)
        await expect(card).to_contain_text("黑 M", timeout=PATIENCE_MS)
        for _ in range(2):
            if await card.get_by_role("button", name="接受").is_disabled():
                await control.keyboard.press("1")
        await control.keyboard.press("a")
        await expect(viewer.locator(".badge")).to_have_text("1", timeout=PATIENCE_MS)
        await control.locator(".toast", has_text="的下單已接受").get_by_role("button", name="復原").click()
        await expect(viewer.locator(".badge")).to_have_count(0, timeout=PATIENCE_MS)
        await expect(card).to_contain_text("黑 M", timeout=PATIENCE_MS)
        # Its author orders it after all: nobody has to decide any more.
        await say(viewer, f"{goods.coat}黑M+1")
        await expect(card).to_have_count(0, timeout=PATIENCE_MS)


async def test_what_waits_too_long_folds_away_behind_its_number(browser: Browser, server: LiveServer) -> None:
    live_show(server, "ages", pinned="bag")
    async with (
        visitor(browser, server, "/live/ages", PHONE) as viewer,
        staff(browser, server, "/control/ages", "moderator") as control,
    ):
        await say(viewer, "這個有現貨嗎？", name="阿問")
        await expect(control.locator(".triage .card")).to_have_count(1, timeout=PATIENCE_MS)
        await control.evaluate("""async () => {
          const { live } = await import("/static/shared/staff.js");
          const triage = live.state.value.triage.map((one) => ({ ...one, at: one.at - 3600_000 }));
          live.state.value = { ...live.state.value, triage };
        }""")
        await expect(control.locator(".triage .card")).to_have_count(0)
        await control.get_by_role("button", name="還有 1 則超過 10 分鐘").click()
        await expect(control.locator(".triage .card")).to_have_count(1)


async def test_a_reload_on_air_asks_first_and_goes_on_at_once_and_the_end_puts_out_the_camera(
    browser: Browser, server: LiveServer
) -> None:
    live_show(server, "onair", pinned="bag")
    async with (
        staff(browser, server, "/studio/onair", "host") as host,
        visitor(browser, server, "/live/onair", PHONE) as viewer,
    ):
        await host.get_by_role("button", name="用這台的鏡頭").click(timeout=PATIENCE_MS)
        await expect(host.locator(".signal")).to_contain_text("Mbps", timeout=PATIENCE_MS)
        asked: list[str] = []

        async def leave(dialog: Dialog) -> None:
            asked.append(dialog.type)
            await dialog.accept()

        host.on("dialog", leave)
        await host.reload()
        assert asked == ["beforeunload"]
        await expect(host.get_by_role("alert")).to_contain_text("觀眾正在等你的畫面", timeout=PATIENCE_MS)
        await host.get_by_role("button", name="繼續直播").click()
        await expect(host.get_by_role("button", name="停止送出")).to_be_visible(timeout=PATIENCE_MS)
        await expect(host.locator(".signal")).to_contain_text("Mbps", timeout=PATIENCE_MS)
        await host.wait_for_function(
            """async () => (await import("/static/studio/desk.js")).samples.value.length > 0""", timeout=PATIENCE_MS
        )
        await say(viewer, "+1")
        await expect(viewer.locator(".ribbon .ticket")).to_be_visible(timeout=PATIENCE_MS)
        goodbyes: list[str] = []
        host.on("request", lambda asked: goodbyes.append(asked.url) if asked.method == "DELETE" else None)
        server.command("onair", "end")
        await host.wait_for_function(
            """async () => {
              const { camera, publishing } = await import("/static/studio/stage.js");
              return camera.value === null && publishing.value === "idle";
            }""",
            timeout=PATIENCE_MS,
        )
        assert goodbyes == [], "the end has stopped the stream: its session is gone at the relay"
        ended = viewer.locator(".center.big")
        await expect(ended).to_contain_text("為你保留 1 件到", timeout=PATIENCE_MS)
        box, width = await ended.get_by_role("button", name="我的號碼牌").bounding_box(), PHONE["width"]
        assert box is not None
        assert abs(box["x"] + box["width"] / 2 - width / 2) < 2, "in the middle, not at the left"


async def test_a_blocked_websocket_is_told_and_the_page_goes_on_trying(browser: Browser, server: LiveServer) -> None:
    live_show(server, "blocked", pinned="bag")
    context = await browser.new_context(viewport=PHONE, locale="zh-TW", base_url=server.address)  # type: ignore[arg-type]
    page = await context.new_page()
    blocked = True

    async def door(socket: WebSocketRoute) -> None:
        if not blocked:
            socket.connect_to_server()  # else it opens and nothing ever comes through, as some proxies do

    await page.route_web_socket("**/socket.io/**", door)
    await page.goto("/live/blocked")
    await expect(page.locator(".banner")).to_contain_text("擋住了即時連線", timeout=PATIENCE_MS)
    blocked = False
    await expect(page.locator(".banner")).to_have_count(0, timeout=2 * PATIENCE_MS)
    await context.close()


async def test_blocked_cookies_are_told_before_anything_is_lost(browser: Browser, server: LiveServer) -> None:
    live_show(server, "nocookie", pinned="bag")
    context = await browser.new_context(viewport=PHONE, locale="zh-TW", base_url=server.address)  # type: ignore[arg-type]
    await context.add_init_script(
        "Object.defineProperty(Document.prototype, 'cookie', { get: () => '', set: () => undefined });"
    )
    page = await context.new_page()
    await page.goto("/live/nocookie")
    await expect(page.get_by_role("alert")).to_contain_text("cookie", timeout=PATIENCE_MS)
    await context.close()


async def test_a_phone_on_its_side_reaches_what_the_studio_is_for(browser: Browser, server: LiveServer) -> None:
    live_show(server, "side", pinned="bag")
    async with staff(browser, server, "/studio/side", "host", {"width": 844, "height": 390}) as host:
        for name in ("打開鏡頭和麥克風", "用這台的鏡頭播", "結束直播"):
            await expect(host.get_by_role("button", name=name)).to_be_in_viewport(ratio=1, timeout=PATIENCE_MS)
