"""Turns that nobody may miss: an offer after waiting is seen, heard, read aloud, and ends where one can see it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.live_server import LiveServer
from tests.browser.visitors import PATIENCE_MS, PHONE, live_show, say, visitor

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
        assert await second.evaluate("document.body.dataset.rung") == "1"
        await second.wait_for_function("document.title.includes('輪到你了')", timeout=PATIENCE_MS)
        await second.reload()
        await expect(offer).to_contain_text("帆布包 × 1", timeout=PATIENCE_MS)
        await offer.get_by_role("button", name="我要").click()
        await expect(offer).to_have_count(0, timeout=PATIENCE_MS)
        await second.locator(".round").nth(1).click()
        await expect(second.get_by_role("dialog")).to_contain_text("共保留 1 件", timeout=PATIENCE_MS)
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
        await expect(offer).to_have_count(0, timeout=PATIENCE_MS)
        await expect(third.get_by_role("region", name="輪到你了")).to_be_visible(timeout=PATIENCE_MS)
        await expect(third.get_by_role("alert")).to_contain_text("時間到了", timeout=PATIENCE_MS)
