"""Where a show slows robots down, an order simply works: the page does the work, before anybody asks."""

from __future__ import annotations

import asyncio
import json

import pytest
from playwright.async_api import Browser, Page, expect

from livecommerce.intake.proof_of_work import Proof, is_enough
from tests.browser.live_server import LiveServer
from tests.browser.visitors import DESK, PATIENCE_MS, PHONE, live_show, say, staff, visitor

pytestmark = pytest.mark.browser

SEARCH = """
(challenge) => import("/static/watch/proof.js").then((proofs) => proofs.search(challenge, 8, 0, 9999))
"""
NO_WORKERS = "delete window.Worker; 0"
# Counts every call of the event in what the page sends: the msgpack packets have its name in plain letters.
COUNT = """
window.asked = 0;
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) {
  const text = typeof data === "string" ? data : new TextDecoder().decode(data);
  if (text.includes("challenge") && !text.includes("nonce")) window.asked += 1;
  return send.call(this, data);
};
0
"""


async def asked(page: Page, times: int) -> None:
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while await page.evaluate("window.asked") < times:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("workers", [True, False], ids=["worker", "slices"])
async def test_an_order_works_where_robots_are_slowed(browser: Browser, server: LiveServer, workers: bool) -> None:
    show = f"proof-{'worker' if workers else 'slices'}"
    live_show(server, show, pinned="bag")
    server.command(show, "settings", proof_of_work=True)
    async with visitor(browser, server, "about:blank", PHONE) as page:
        await page.add_init_script(COUNT if workers else COUNT + NO_WORKERS)
        await page.goto(f"/live/{show}")
        await asked(page, 1)
        await say(page, "+1")
        await expect(page.locator(".ribbon .ticket")).to_be_visible(timeout=PATIENCE_MS)
        await page.locator(".buy").click()
        await expect(page.locator(".badge").first).to_be_visible(timeout=PATIENCE_MS)
    stock = server.request("GET", f"/api/shows/{show}/snapshot")["stock"]
    assert sum(counters[1] for counters in stock.values()) == 2


async def test_it_is_switched_on_in_the_panel_while_pages_are_open(browser: Browser, server: LiveServer) -> None:
    live_show(server, "proof-live", pinned="bag")
    async with (
        visitor(browser, server, "about:blank", PHONE) as page,
        staff(browser, server, "/control/proof-live", "moderator", DESK) as panel,
    ):
        await page.add_init_script(COUNT)
        await page.goto("/live/proof-live")
        await say(page, "+1")
        await expect(page.locator(".ribbon .ticket")).to_be_visible(timeout=PATIENCE_MS)
        assert await page.evaluate("window.asked") == 0, "nobody works for nothing"
        await panel.get_by_role("button", name="規則").click()
        await panel.get_by_role("checkbox", name="擋一擋機器人").check()
        await asked(page, 1)
        await page.locator(".buy").click()
        await expect(page.locator(".badge").first).to_have_text("2", timeout=PATIENCE_MS)


async def test_the_page_finds_what_the_server_asks_for(browser: Browser, server: LiveServer) -> None:
    """Its own SHA-256 is that of everybody else, whatever the length of the text."""
    live_show(server, "proof-hash", pinned="bag")
    async with visitor(browser, server, "/live/proof-hash", PHONE) as page:
        for length in range(1, 44):
            challenge = ("0123456789.abcdefghijklmnopqrstuvwxyz-_ABCDEF" * 2)[:length]
            nonce = await page.evaluate(SEARCH, challenge)
            assert is_enough(Proof(challenge, nonce), 8), json.dumps([challenge, nonce])
            earlier = (Proof(challenge, str(number)) for number in range(int(nonce)))
            assert not any(is_enough(one, 8) for one in earlier), "the first there is"
