"""What a buyer is told: of an offer, a tap too many, a product that has just changed, a line that is silent."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, Page, WebSocketRoute, expect

from tests.browser.live_server import LiveServer
from tests.browser.visitors import BAG, PATIENCE_MS, PHONE, live_show, say, staff, under_code, visitor

pytestmark = pytest.mark.browser


def one_piece(server: LiveServer, show: str, code: str) -> None:
    server.make_show(show, [under_code({**BAG, "supply": {"B02": 1}}, code)])
    server.command(show, "start")
    server.command(show, "pin", code=code)


def counters(server: LiveServer, show: str, code: str) -> list[int]:
    found: list[int] = server.request("GET", f"/api/shows/{show}/snapshot")["stock"][code]
    return found


async def named(page: Page, name: str) -> None:
    """The name is known already, so that nothing asks for it."""
    await page.evaluate("(name) => localStorage.setItem('lc_name', name)", name)
    await page.reload()
    await page.locator("article.card").wait_for(timeout=PATIENCE_MS)


async def test_an_offer_is_no_success_until_it_is_taken(browser: Browser, server: LiveServer) -> None:
    """Everybody read a green "got No. 2" while the one in line was still asked."""
    one_piece(server, "nosuccess", "OFR1")
    async with (
        visitor(browser, server, "/live/nosuccess", PHONE) as holder,
        visitor(browser, server, "/live/nosuccess", PHONE) as waiter,
    ):
        await say(holder, "+1", name="大戶")
        await expect(holder.locator(".ribbon .ticket")).to_be_visible(timeout=PATIENCE_MS)
        await say(waiter, "+1", name="阿候")
        await expect(waiter.locator(".ribbon .ticket.wait")).to_be_visible(timeout=PATIENCE_MS)
        await say(holder, "取消")
        line = holder.locator(".lines li", has_text="阿候")
        await expect(line).to_contain_text("輪到了", timeout=PATIENCE_MS)
        await expect(line).not_to_contain_text("✓")
        # The list of products has the offer too, and asks nobody to wait for what is his turn.
        await waiter.locator(".round").first.click()
        sheet = waiter.get_by_role("dialog")
        await expect(sheet.locator(".offer")).to_contain_text("NT$250", timeout=PATIENCE_MS)
        await expect(sheet.locator(".product > .btn")).to_have_text("我要")
        await waiter.keyboard.press("Escape")
        # Neither do the tickets call it held, and there it can be taken.
        await waiter.locator(".round").nth(1).click()
        await expect(sheet).to_contain_text("輪到你了", timeout=PATIENCE_MS)
        await expect(sheet).not_to_contain_text("保留中")
        await sheet.get_by_role("button", name="我要").click()
        await expect(sheet).to_contain_text("保留中 1 件", timeout=PATIENCE_MS)
        await waiter.keyboard.press("Escape")
        await expect(waiter.locator(".buy")).to_have_text("再候補", timeout=PATIENCE_MS)
        await expect(line).to_contain_text("✓", timeout=PATIENCE_MS)
        # What was paid for is neither held nor about to go to somebody else.
        await waiter.locator(".round").nth(1).click()
        await waiter.evaluate("""async () => {
          const { live } = await import("/static/watch/room.js");
          const tickets = live.me.value.tickets.map((one) => ({ ...one, state: "confirmed", deadline_ms: 0 }));
          live.state.value = { ...live.state.value, me: { ...live.me.value, tickets } };
        }""")
        await expect(sheet).to_contain_text("賣家已確認")
        await expect(sheet).to_contain_text("訂單成立 1 件")
        await expect(sheet).not_to_contain_text("時間到還沒結帳")


LINES_KEPT = 60  # of the chat, as chat.js has it


@pytest.mark.parametrize("size", [PHONE, {"width": 1440, "height": 900}], ids=["phone", "desk"])
async def test_the_chat_is_followed_when_it_no_longer_grows(
    browser: Browser, server: LiveServer, size: dict[str, int]
) -> None:
    """With sixty lines each new one takes the place of the oldest: the list keeps its height, and stood still."""
    show = f"follow-{size['width']}"
    live_show(server, show, pinned="coat")
    async with visitor(browser, server, f"/live/{show}", size) as page:
        await page.locator("article.card").wait_for(timeout=PATIENCE_MS)
        for number in range(LINES_KEPT + 20):
            server.command(show, "say", text=f"line {number}")
        newest = page.locator(".lines li").last
        await expect(newest).to_contain_text(f"line {LINES_KEPT + 19}", timeout=PATIENCE_MS)
        await expect(newest).to_be_in_viewport(ratio=0.9)
        await expect(page.locator(".newer")).to_have_count(0)

        await page.locator(".lines").hover()
        await page.mouse.wheel(0, -300)
        await expect(page.locator(".newer")).to_be_visible()
        server.command(show, "say", text="unseen")
        await expect(newest).to_contain_text("unseen", timeout=PATIENCE_MS)
        await expect(newest).not_to_be_in_viewport()
        await page.locator(".newer").click()
        await expect(newest).to_be_in_viewport(ratio=0.9)


async def stop_the_clock(page: Page) -> None:
    """The page's own time stands from here on; its line to the server is up before that. The moment has to lie ahead
    still when it is set: a busy machine takes seconds to do so."""
    await page.clock.install()
    await page.reload()
    await page.locator("article.card").wait_for(timeout=PATIENCE_MS)
    await say(page, "嗨")
    await expect(page.locator(".lines li", has_text="嗨")).to_be_visible(timeout=PATIENCE_MS)
    await page.clock.pause_at(await page.evaluate("(Date.now() + 5000) / 1000"))


async def test_a_second_tap_at_once_is_no_second_order(browser: Browser, server: LiveServer) -> None:
    one_piece(server, "twice", "TWO1")
    async with visitor(browser, server, "/live/twice", PHONE) as page:
        await named(page, "阿快")
        await stop_the_clock(page)
        buy = page.locator(".buy")
        await buy.click()
        await expect(page.locator(".ribbon .ticket")).to_be_visible(timeout=PATIENCE_MS)
        await expect(buy).to_be_disabled()  # where the answer came quicker than the second tap
        await page.clock.run_for(600)
        await expect(buy).to_be_enabled()
        assert counters(server, "twice", "TWO1")[1::2] == [1, 0], "one is held, nobody waits"


async def test_a_product_that_has_just_come_is_not_sold_to_a_thumb_on_its_way(
    browser: Browser, server: LiveServer
) -> None:
    goods = live_show(server, "thumb", pinned="coat")
    async with visitor(browser, server, "/live/thumb", PHONE) as page:
        await named(page, "阿快")
        await stop_the_clock(page)
        server.command("thumb", "pin", code=goods.bag)
        await expect(page.locator(".card .code")).to_have_text(goods.bag, timeout=PATIENCE_MS)
        await page.locator(".buy").click()
        await expect(page.locator(".toast")).to_contain_text("商品剛換成帆布包")
        assert counters(server, "thumb", goods.bag)[1] == 0
        await page.clock.run_for(400)
        await page.locator(".buy").click()
        await expect(page.locator(".ribbon .ticket")).to_contain_text("帆布包", timeout=PATIENCE_MS)


async def test_a_silent_line_is_told_and_its_buttons_are_on_the_screen(browser: Browser, server: LiveServer) -> None:
    """A line that stands and carries nothing: the page said "live" and showed old pieces."""
    goods = live_show(server, "silent", pinned="bag")
    size = {"width": 320, "height": 568}
    context = await browser.new_context(viewport=size, locale="zh-TW", base_url=server.address)  # type: ignore[arg-type]
    page = await context.new_page()
    held: list[Any] = []
    silent = False

    def through(socket: WebSocketRoute) -> None:
        upstream = socket.connect_to_server()
        socket.on_message(lambda message: held.append((upstream, message)) if silent else upstream.send(message))
        upstream.on_message(lambda message: held.append((socket, message)) if silent else socket.send(message))

    await page.route_web_socket("**/socket.io/**", through)
    await page.goto("/live/silent")
    await named(page, "阿花")
    for number in range(6):
        await say(page, f"第 {number} 句")
    await expect(page.locator(".lines li", has_text="第 5 句")).to_be_visible(timeout=PATIENCE_MS)
    silent = True
    await say(page, f"{goods.bag}+1")
    await expect(page.locator(".banner")).to_contain_text("網路沒有回應", timeout=PATIENCE_MS)
    again = page.locator(".line.failed").get_by_role("button", name="再試一次")
    await expect(again).to_be_in_viewport(ratio=1, timeout=PATIENCE_MS)
    silent = False
    for receiver, message in held:
        receiver.send(message)
    await expect(page.locator(".banner")).to_have_count(0, timeout=PATIENCE_MS)
    await expect(page.locator(".line.failed")).to_have_count(0, timeout=PATIENCE_MS)
    assert counters(server, "silent", goods.bag)[1] == 1, "it counts once"
    await context.close()


async def test_lines_name_their_product_and_hints_can_be_followed(browser: Browser, server: LiveServer) -> None:
    goods = live_show(server, "hints", pinned="bag")
    async with visitor(browser, server, "/live/hints", PHONE, "en") as page:
        await named(page, "Ann")
        await page.locator(".buy").click()
        await expect(page.locator(".lines li.claim")).to_contain_text("Canvas bag", timeout=PATIENCE_MS)
        server.command("hints", "pin", code=goods.coat)
        await expect(page.locator(".card .code")).to_have_text(goods.coat, timeout=PATIENCE_MS)
        await say(page, goods.coat)
        example = f"{goods.coat} 紅色 M +1"
        await expect(page.locator(".ribbon")).to_contain_text(example, timeout=PATIENCE_MS)
        await say(page, example)
        await expect(page.locator(".ribbon .ticket")).to_contain_text("Knit cardigan 紅色 M", timeout=PATIENCE_MS)
        for number in range(4):
            await say(page, f"line {number}")
        await expect(page.locator(".lines li", has_text="line 3")).to_be_visible(timeout=PATIENCE_MS)
        await page.get_by_role("button", name="中文").click()
        await expect(page.locator(".buy")).to_be_visible()
        await say(page, "還在嗎")
        await expect(page.locator(".lines li", has_text="還在嗎")).to_be_in_viewport(ratio=0.9, timeout=PATIENCE_MS)


async def test_what_cannot_be_undone_is_asked_before_and_offers_no_undo(browser: Browser, server: LiveServer) -> None:
    """It said "Cancelled · Undo", and Undo answered that it cannot be done."""
    live_show(server, "noway", pinned="bag")
    async with (
        visitor(browser, server, "/live/noway", PHONE) as viewer,
        staff(browser, server, "/control/noway", "moderator") as control,
    ):
        await say(viewer, "+1", name="阿花")
        await expect(viewer.locator(".ribbon .ticket")).to_be_visible(timeout=PATIENCE_MS)
        await control.locator("#side-reservations").click()
        ticket = control.locator(".side .ticket")
        await ticket.get_by_role("button", name="取消").click(timeout=PATIENCE_MS)
        await ticket.get_by_role("button", name="確定取消？").click()
        toast = control.locator(".toast", has_text="已取消 阿花 的保留")
        await expect(toast).to_be_visible(timeout=PATIENCE_MS)
        await expect(toast.get_by_role("button")).to_have_count(0)
        await control.locator("#side-audit").click()
        entry = control.locator(".audit li").first
        await expect(entry).to_contain_text("取消", timeout=PATIENCE_MS)
        await expect(entry.get_by_role("button")).to_have_count(0)


async def test_orders_of_another_show_keep_no_product_in_this_one(browser: Browser, server: LiveServer) -> None:
    goods = live_show(server, "friday", pinned="bag")
    server.make_show("sunday", [under_code(BAG, goods.bag)])
    async with (
        visitor(browser, server, "/live/friday", PHONE) as viewer,
        staff(browser, server, "/studio/sunday", "owner") as studio,
    ):
        await say(viewer, "+2", name="阿花")
        await expect(viewer.locator(".ribbon .ticket")).to_be_visible(timeout=PATIENCE_MS)
        row = studio.locator(".item", has_text=goods.bag)
        await expect(row).to_contain_text("3", timeout=PATIENCE_MS)  # the shop has five, two are held on Friday
        await row.locator(".face").click()
        await row.get_by_role("button", name="從這場移除").click()
        await expect(row).to_have_count(0, timeout=PATIENCE_MS)
