"""The whole job in one story: a host with a camera, three buyers for two pieces, a moderator, in real Chromium.

Every page is the one that people use; nothing is called behind its back but the show's set-up.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.live_server import LiveServer

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
DRESS = {"code": "S12", "names": ["洋裝"], "name_en": "Linen dress", "price_minor": 780, "supply": {"S12": 2}}
# Frames and claims cross three processes on a small machine that also runs four browsers.
PATIENCE_MS = 20_000

# Keeps the page's own peer connections, so that a test can ask what a decoder did.
KEEP_CONNECTIONS = """
window.peers = [];
const Real = window.RTCPeerConnection;
window.RTCPeerConnection = function (...words) { const one = new Real(...words); window.peers.push(one); return one; };
window.RTCPeerConnection.prototype = Real.prototype;
Object.setPrototypeOf(window.RTCPeerConnection, Real);
"""
FRAMES_DECODED = """async () => {
  let frames = 0;
  for (const peer of window.peers)
    for (const report of (await peer.getStats()).values())
      if (report.type === "inbound-rtp" && report.kind === "video") frames += report.framesDecoded ?? 0;
  return frames;
}"""


@asynccontextmanager
async def opened(browser: Browser, server: LiveServer, path: str, size: dict[str, int]) -> AsyncIterator[Page]:
    """A person of their own: fresh cookies, English pages, and no error on the console when it ends."""
    context = await browser.new_context(viewport=size, locale="en-US", base_url=server.address)  # type: ignore[arg-type]
    await context.add_init_script(KEEP_CONNECTIONS)
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    await page.goto(path)
    yield page
    await context.close()
    assert faults == []


async def log_in(page: Page, server: LiveServer, role: str) -> None:
    await page.get_by_label("Login", exact=True).fill(role)
    await page.get_by_label("Password").fill(server.passwords[role])
    await page.get_by_role("button", name="Log in").click()


async def video_moves(page: Page) -> None:
    """The decoder of this page puts out frames, and goes on doing so."""
    await page.wait_for_function(f"async () => (await ({FRAMES_DECODED})()) > 0", timeout=PATIENCE_MS)
    before = await page.evaluate(FRAMES_DECODED)
    await page.wait_for_function(f"async (n) => (await ({FRAMES_DECODED})()) > n + 5", arg=before, timeout=PATIENCE_MS)


async def says(page: Page, name: str, text: str) -> None:
    """Types into the composer; a newcomer is asked for a name first."""
    await page.get_by_label("Comment or +1").fill(text)
    await page.keyboard.press("Enter")
    asked = page.get_by_label("Shown in the chat; asked only once")
    if await asked.count() or not await page.evaluate("localStorage.length"):
        await asked.fill(name)
        await page.get_by_role("button", name="Done").click()


async def shows_left(page: Page, words: str) -> None:
    await expect(page.locator("article.card")).to_contain_text(words, timeout=PATIENCE_MS)


@pytest.mark.browser
@pytest.mark.timeout(240)
async def test_two_pieces_three_buyers_one_of_them_cancelled_by_the_moderator(
    browser: Browser, server: LiveServer
) -> None:
    server.make_show("story", [DRESS], settings={"waitlist": False})
    async with (
        opened(browser, server, "/studio/story", DESK) as host,
        opened(browser, server, "/live/story", PHONE) as anna,
        opened(browser, server, "/live/story", PHONE) as ben,
        opened(browser, server, "/live/story", PHONE) as cleo,
        opened(browser, server, "/control/story", DESK) as moderator,
    ):
        # The host logs in, looks at the preview and goes live with the fake camera.
        await log_in(host, server, "host")
        await host.get_by_role("button", name="Open camera and microphone").click()
        await expect(host.locator("video.mirror")).to_be_visible(timeout=PATIENCE_MS)
        await host.get_by_role("button", name="Go live").click()
        await expect(host.locator("header")).to_contain_text("LIVE", timeout=PATIENCE_MS)
        await expect(host.locator("header .signal")).to_contain_text("Mbps", timeout=PATIENCE_MS)

        # Two viewers who came before the show see moving video.
        await video_moves(anna)
        await video_moves(ben)

        # The host sees how the picture reaches them.
        await host.get_by_role("tab", name="Viewers' lines").click()
        await expect(host.locator(".lines-of-viewers tbody tr").first).to_contain_text("Mbps", timeout=PATIENCE_MS)

        # The host pins the dress; the card is on every page.
        await host.get_by_role("button", name="Pin Linen dress").click()
        for viewer in (anna, ben, cleo):
            await shows_left(viewer, "2 left")

        # Anna types +1: a ticket with her number, and one piece less for everyone.
        await says(anna, "Anna", "+1")
        await expect(anna.locator(".ribbon .ticket")).to_contain_text("1", timeout=PATIENCE_MS)
        await expect(anna.locator(".ribbon")).to_contain_text("held for you")
        for viewer in (anna, ben, cleo):
            await shows_left(viewer, "1 left")
        await expect(host.locator(".pinned")).to_contain_text("1 of 2 left", timeout=PATIENCE_MS)

        # Ben gets the last one by its code, Cleo is told that it is sold out.
        await says(ben, "Ben", "s12+1")
        await expect(ben.locator(".ribbon")).to_contain_text("held for you", timeout=PATIENCE_MS)
        for viewer in (anna, ben, cleo):
            await shows_left(viewer, "Sold out")
        await says(cleo, "Cleo", "+1")
        await expect(cleo.locator(".ribbon")).to_contain_text("Sold out", timeout=PATIENCE_MS)

        # The moderator cancels Ben's; the piece is free again on every page, and Ben is told.
        await log_in(moderator, server, "moderator")
        await moderator.get_by_role("tab", name="Tickets").click()
        for name in ("Cancel", "Really cancel?"):
            await moderator.locator(".reservations li", has_text="Ben").get_by_role("button", name=name).click()
        for viewer in (anna, ben, cleo):
            await shows_left(viewer, "1 left")
        await ben.get_by_role("button", name="Tickets").click()
        await expect(ben.get_by_role("dialog")).to_contain_text("Cancelled", timeout=PATIENCE_MS)

        # A reload keeps Anna's ticket.
        await anna.reload()
        await anna.locator(".rail button").nth(1).click()
        await expect(anna.get_by_role("dialog")).to_contain_text("Linen dress")
        await expect(anna.get_by_role("dialog")).to_contain_text("1 piece held")

        # The host ends the show; everyone sees it.
        await host.get_by_role("button", name="End show").click()
        await host.get_by_role("button", name="End the show").click()
        await expect(cleo.locator("#app")).to_contain_text("The show is over", timeout=PATIENCE_MS)
        stock = server.request("GET", "/api/shows/story/snapshot")["stock"]["S12"]
        assert stock == [1, 1, 0, 0, 2], "available, held, sold, waiting, supplied"
