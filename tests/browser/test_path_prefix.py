"""A shop below a path of another site: the proxy strips the prefix; pages, answers and sockets find their way."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.live_server import LiveServer
from tests.browser.visitors import EXPECTED, PATIENCE_MS, live_show, say
from tests.deploy.test_proxies import Proxy, once
from tests.stock.cluster import free_ports
from tests.tidy.sources import ROOT

PREFIX = "/tienda"


def below(site: str) -> str:
    return once(
        site,
        ("location / {", f"location {PREFIX}/ {{"),
        ("proxy_pass http://livecommerce;", "proxy_pass http://livecommerce/;"),
    )


@pytest.fixture(scope="module")
def address_and_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, LiveServer]]:
    folder = Path(tmp_path_factory.mktemp("prefix"))
    [port] = free_ports(1)
    proxy = Proxy("nginx", folder / "proxy", port, below)
    server = LiveServer(folder / "data", http__port=str(port), http__public_url=f"{proxy.address}{PREFIX}/")
    try:
        server.start()
        yield proxy.address, server
    finally:
        server.stop()
        proxy.stop()


@pytest.fixture
async def page(browser: Browser, address_and_server: tuple[str, LiveServer]) -> AsyncIterator[Page]:
    context = await browser.new_context(
        locale="zh-TW",
        base_url=address_and_server[0],
        ignore_https_errors=True,
        viewport={"width": 1280, "height": 800},
    )
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    astray: list[str] = []
    page.on(
        "request",
        lambda asked: (
            None
            if asked.url.startswith(("data:", "blob:", f"{address_and_server[0]}{PREFIX}/")) or EXPECTED[1] in asked.url
            else astray.append(asked.url)
        ),
    )
    yield page
    await context.close()
    assert astray == [], "everything is asked for below the prefix"


async def test_a_shop_below_a_path_sells_and_publishes(page: Page, address_and_server: tuple[str, LiveServer]) -> None:
    address, server = address_and_server
    goods = live_show(server, "below", pinned="bag")
    await page.goto(f"{PREFIX}/live/below")
    await expect(page.locator(".card .pic").first).to_be_visible()
    assert await page.locator(".card .pic").first.evaluate("(picture) => picture.complete && picture.naturalWidth > 0")
    await say(page, f"{goods.bag}+1")
    await expect(page.locator(".badge")).to_have_text("1", timeout=PATIENCE_MS)

    await page.goto(f"{PREFIX}/studio/below")
    await page.wait_for_url(f"**{PREFIX}/login?next=/studio/below")
    await page.locator('input[name="login"]').fill("host")
    await page.locator('input[name="password"]').fill(server.passwords["host"])
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**{PREFIX}/studio/below")
    await page.get_by_role("button", name="用這台的鏡頭").click()
    await expect(page.locator(".signal")).to_contain_text("Mbps", timeout=PATIENCE_MS)
    await page.get_by_role("button", name="停止送出").click()
    await page.locator("header a").first.click()
    await page.wait_for_url(f"**{PREFIX}/studio")
    assert server.request("GET", "/api/shows/below/snapshot")["stock"][goods.bag][1] == 1
    token = server.request("POST", "/api/shows/below/ingest-token", {})
    assert token["url"] == f"{address}{PREFIX}/whip/below", "what an encoder is told"


def test_no_page_names_a_path_of_ours_past_the_prefix() -> None:
    """`call()` and `sitePath()` know where the site stands; a bare path does not."""
    ours = r"/(?:api|static|live|studio|control|shop|login|whip|whep|replay|pictures|socket\.io)\b"
    bare = re.compile(rf"""(?:href=["$]?\{{?|src=["$]?\{{?|fetch\(|assign\(|from )\s*["'`]{ours}""")
    for file in sorted((ROOT / "web").rglob("*.js")):
        if "vendor" not in file.parts:
            assert not bare.search(file.read_text("utf-8")), file.name
