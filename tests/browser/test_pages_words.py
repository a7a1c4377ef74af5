"""Names and lines of strangers on the smallest screen: they stand alone and cover nothing."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.live_server import LiveServer
from tests.browser.visitors import PATIENCE_MS, live_show, say, visitor

pytestmark = pytest.mark.browser

SMALL = {"width": 320, "height": 568}
HOUSE = "👩\u200d👩\u200d👧\u200d👦"
LINES = (
    "z" + "\u0300\u0301\u0302\u0303\u0304\u0305\u0306" * 8 + "algo",
    "\u202etxet desrever\u202c",
    "שלום עולם",
    "字" * 190,
    "w" * 190,
    HOUSE * 20,
)

MEASURE = """() => {
  const box = document.querySelector(".lines").getBoundingClientRect();
  const rows = [...document.querySelectorAll(".lines li")].map((row) => row.getBoundingClientRect());
  return {
    wide: document.documentElement.scrollWidth,
    right: Math.max(...rows.map((row) => row.right)) - box.right,
    covered: rows.slice(1).filter((row, place) => row.top < rows[place].bottom - 0.5).length,
    clipped: [...document.querySelectorAll(".lines li")].every((row) => getComputedStyle(row).overflowY === "clip"),
    isolated: [...document.querySelectorAll(".lines bdi")]
      .every((one) => getComputedStyle(one).unicodeBidi === "isolate"),
    names: document.querySelectorAll(".lines li b bdi").length, rows: rows.length,
  };
}"""


async def _stands(page: Page, width: int) -> None:
    found = await page.evaluate(MEASURE)
    assert found["wide"] <= width, found
    assert found["right"] <= 0.5, found
    assert found["covered"] == 0, found
    assert found["clipped"], found
    assert found["isolated"], found
    assert found["names"] == found["rows"] > 0, found


async def test_strange_lines_cover_nothing(browser: Browser, server: LiveServer) -> None:
    live_show(server, "strange", pinned="bag")
    async with visitor(browser, server, "/live/strange", SMALL) as page:
        await say(page, LINES[0], name=f"{HOUSE}שלום")
        for number, line in enumerate(LINES[1:], start=1):
            await expect(page.locator(".lines li")).to_have_count(number, timeout=PATIENCE_MS)
            await say(page, line)
        await expect(page.locator(".lines li")).to_have_count(len(LINES), timeout=PATIENCE_MS)
        await _stands(page, SMALL["width"])
        await expect(page.locator(".lines")).to_contain_text("txet desrever")
        assert "\u202e" not in await page.locator(".lines").inner_text()
