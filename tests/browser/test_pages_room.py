"""Room on the watch page: whatever stands on it, and however small the screen, each control can be reached."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.live_server import LiveServer
from tests.browser.visitors import BAG, PATIENCE_MS, PHONE, live_show, say, staff, under_code, visitor

pytestmark = pytest.mark.browser

SCREENS = [
    *((width, height, "zh-TW") for width, height in ((320, 300), (320, 568), (390, 844), (844, 390), (768, 1024))),
    *((width, height, "en") for width, height in ((320, 300), (360, 640), (844, 390), (1366, 768))),
]
NOTICE = "今天全館免運，滿千再送帆布包一個，送完為止；下單前請先看清楚尺寸表，謝謝大家喔"
LONG_NAME = "手工編織純羊毛加厚保暖復古格紋雙面穿寬鬆長版針織大衣外套冬季限定特別加大尺碼典藏版"
COLOURS = ("深海軍藍加厚羊毛混紡", "酒紅格紋雙面穿寬鬆", "米白")
SIZES_OF_COAT = ("XS", "S", "M", "L", "XL", "2XL", "3XL")
LONG_COAT: dict[str, Any] = {
    "code": "L01",
    "names": [LONG_NAME],
    "name_en": "Hand-knitted double-faced long wool coat with a belt",
    "price_minor": 1990,
    "compare_at_minor": 2990,
    "options": [
        {"axis": "顏色與材質", "values": [{"value": value, "short": []} for value in COLOURS]},
        {"axis": "尺寸", "values": [{"value": value, "short": []} for value in SIZES_OF_COAT]},
    ],
    "supply": {f"L01/{colour}/{size}": 3 for colour in COLOURS for size in SIZES_OF_COAT},
}

# A control may have to be scrolled to within its own place; then it is on the screen, and nothing lies over it.
FAULTS = """() => {
  const faults = [];
  const shown = (one) => one.getClientRects().length > 0;
  const name = (one) => one.getAttribute("aria-label") || one.textContent.trim() || one.className;
  for (const one of document.querySelectorAll("#app :is(button, input, a)")) {
    if (!shown(one)) continue;
    one.scrollIntoView({ block: "nearest", inline: "nearest" });
    const box = one.getBoundingClientRect();
    if (box.left < 0 || box.top < 0 || box.right > innerWidth + 0.5 || box.bottom > innerHeight + 0.5)
      faults.push(`${name(one)} leaves the screen: ${Math.round(box.x)} ${Math.round(box.y)}`);
    const hit = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    if (!one.contains(hit)) faults.push(`${name(one)} lies under ${hit?.className}`);
  }
  const places = [".top", ".mid", ".banner", ".offer", ".center", ".lines", ".rail", ".goods", ".composer"]
    .map((place) => document.querySelector(place)).filter((one) => one && shown(one));
  for (const [index, one] of places.entries()) for (const other of places.slice(index + 1)) {
    const [a, b] = [one.getBoundingClientRect(), other.getBoundingClientRect()];
    if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
      faults.push(`${one.className} is drawn over ${other.className}`);
  }
  if (document.scrollingElement.scrollTop) faults.push("the page itself was scrolled");
  return faults;
}"""


async def in_both_pictures(page: Page) -> None:
    """With an upright picture, and with a camera that lies on its side."""
    for wide in (False, True):
        await page.evaluate("(wide) => document.body.classList.toggle('wide', wide)", wide)
        assert await page.evaluate(FAULTS) == [], f"wide: {wide}"


@pytest.mark.parametrize(("width", "height", "locale"), SCREENS)
async def test_every_control_is_on_the_screen_and_free(
    browser: Browser, server: LiveServer, width: int, height: int, locale: str
) -> None:
    show, tag = f"room-{width}-{height}-{locale[:2]}", f"{width}{height}{locale[0].upper()}"
    coat, bag = under_code(LONG_COAT, f"L{tag}"), under_code({**BAG, "supply": {"B02": 1}}, f"K{tag}")
    server.make_show(show, [coat, bag])
    server.command(show, "start")
    server.command(show, "pin", code=coat["code"])
    size = {"width": width, "height": height}
    async with (
        visitor(browser, server, f"/live/{show}", PHONE) as holder,
        visitor(browser, server, f"/live/{show}", size, locale) as page,
    ):
        await say(holder, f"{bag['code']}+1", name="大戶")
        await expect(holder.locator(".ribbon .ticket")).to_be_visible(timeout=PATIENCE_MS)
        await page.locator("article.card").wait_for(timeout=PATIENCE_MS)
        await in_both_pictures(page)
        server.command(show, "notice", text=NOTICE)
        await page.locator(".banner.notice").wait_for(timeout=PATIENCE_MS)
        await in_both_pictures(page)
        await say(page, f"{bag['code']}+1")
        await page.locator(".ribbon .ticket").wait_for(timeout=PATIENCE_MS)
        await in_both_pictures(page)
        await say(page, "+2")
        await page.locator(".words .options").first.wait_for(timeout=PATIENCE_MS)
        await expect(page.locator(".card .options")).to_have_count(0)  # it is asked for in one place
        await in_both_pictures(page)
        await say(holder, "取消")
        await page.locator(".offer .take").wait_for(timeout=PATIENCE_MS)
        await in_both_pictures(page)
        columns = await page.evaluate("document.getElementById('app').offsetWidth < innerWidth")
        assert columns == (width >= 640), "tablets and phones on their side have two columns"
        await page.locator(".round").first.click()
        for button in await page.locator(".product > .btn").all():
            box = await button.bounding_box()
            assert box is not None
            assert box["x"] + box["width"] <= width, "a long name is cut, and pushes nothing away"


async def test_a_slip_of_the_thumb_gives_no_turn_away(browser: Browser, server: LiveServer) -> None:
    bag = under_code({**BAG, "supply": {"B02": 1}}, "SLIP")
    server.make_show("slip", [bag])
    server.command("slip", "start")
    server.command("slip", "pin", code="SLIP")
    async with (
        visitor(browser, server, "/live/slip", PHONE) as holder,
        visitor(browser, server, "/live/slip", {"width": 320, "height": 568}) as page,
    ):
        await say(holder, "+1", name="大戶")
        await expect(holder.locator(".ribbon .ticket")).to_be_visible(timeout=PATIENCE_MS)
        await say(page, "+1")
        await expect(page.locator(".ribbon .ticket.wait")).to_be_visible(timeout=PATIENCE_MS)
        await say(holder, "取消")
        offer = page.locator(".offer")
        await expect(offer).to_contain_text("NT$250", timeout=PATIENCE_MS)
        await expect(page.locator(".ribbon .ticket")).to_have_count(0)  # "you are next" is over
        await offer.get_by_role("button", name="不要了").click()
        await offer.get_by_role("button", name="確定不要？").wait_for()
        await offer.get_by_role("button", name="我要").click()
        await expect(offer).to_have_count(0, timeout=PATIENCE_MS)
        assert server.request("GET", "/api/shows/slip/snapshot")["stock"]["SLIP"][1] == 1


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1024, 768)])
async def test_filters_of_the_control_panel_are_all_on_the_screen(
    browser: Browser, server: LiveServer, width: int, height: int
) -> None:
    show = f"filters-{width}"
    live_show(server, show, pinned="bag")
    size = {"width": width, "height": height}
    async with staff(browser, server, f"/control/{show}", "moderator", size, "en") as control:
        for name in ("All", "Orders", "Questions", "To release", "Hidden"):
            chip = control.locator(".filters").first.get_by_role("button", name=name)
            await expect(chip).to_be_in_viewport(ratio=1, timeout=PATIENCE_MS)
