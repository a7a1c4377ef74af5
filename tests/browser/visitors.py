"""People with browsers of their own for the page tests: fresh cookies, and no error on the console when they leave."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, ConsoleMessage, Page

from tests.browser.live_server import LiveServer

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
PATIENCE_MS = 20_000  # a small machine runs the server and several browsers at once

COAT = {
    "code": "A01",
    "names": ["針織外套", "外套"],
    "name_en": "Knit cardigan",
    "price_minor": 590,
    "compare_at_minor": 780,
    "picture": "/static/shared/pictures/knit-coat.svg",
    "limit_per_viewer": 3,
    "options": [
        {"axis": "顏色", "values": [{"value": "紅色", "short": ["紅"]}, {"value": "黑色", "short": ["黑"]}]},
        {"axis": "尺寸", "values": [{"value": "M", "short": []}, {"value": "L", "short": []}]},
    ],
    "supply": {"A01/紅色/M": 3, "A01/紅色/L": 3, "A01/黑色/M": 3, "A01/黑色/L": 1},
}
BAG = {
    "code": "B02",
    "names": ["帆布包"],
    "name_en": "Canvas bag",
    "price_minor": 250,
    "picture": "/static/shared/pictures/canvas-bag.svg",
    "supply": {"B02": 5},
}

# A page that waits for the host asks again and again, and the browser notes each 404 on the console.
EXPECTED = ("/whep/", "/favicon.ico")


@asynccontextmanager
async def visitor(
    browser: Browser, server: LiveServer, path: str, size: dict[str, int], locale: str = "zh-TW"
) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport=size, locale=locale, base_url=server.address)  # type: ignore[arg-type]
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    faults: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(part in message.location.get("url", "") for part in EXPECTED):
            faults.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: faults.append(str(error)))
    await page.goto(path)
    yield page
    await context.close()
    assert faults == []


async def become(page: Page, server: LiveServer, role: str) -> None:
    """Logs in by the API, so that the next page is a staff page."""
    answer = await page.request.post(
        f"{server.address}/api/login",
        data={"login": role, "password": server.passwords[role]},
        headers={"Origin": server.address},
    )
    assert answer.ok, await answer.text()


@asynccontextmanager
async def staff(
    browser: Browser, server: LiveServer, path: str, role: str, size: dict[str, int] = DESK, locale: str = "zh-TW"
) -> AsyncIterator[Page]:
    async with visitor(browser, server, "/login", size, locale) as page:
        await become(page, server, role)
        await page.goto(path)
        yield page


def live_show(server: LiveServer, show: str, pinned: str | None = "A01") -> None:
    """A show on air without a picture: chat and stock need none."""
    server.make_show(show, [COAT, BAG])
    server.command(show, "start")
    if pinned:
        server.command(show, "pin", code=pinned)


async def say(page: Page, text: str, name: str = "小美") -> None:
    """Types into the composer; a newcomer is asked for a name once."""
    field = page.locator(".entry input")
    await field.fill(text)
    await field.press("Enter")
    if not await page.evaluate("localStorage.getItem('lc_name')"):
        await page.locator("form.name .input").fill(name)
        await page.locator("form.name button[type=submit]").click()
