"""People with browsers of their own for the page tests: fresh cookies, and no error on the console when they leave."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from playwright.async_api import Browser, ConsoleMessage, Page

from tests.browser.live_server import LiveServer

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
PATIENCE_MS = 20_000  # a small machine runs the server and several browsers at once

COAT: dict[str, Any] = {
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
BAG: dict[str, Any] = {
    "code": "B02",
    "names": ["帆布包"],
    "name_en": "Canvas bag",
    "price_minor": 250,
    "picture": "/static/shared/pictures/canvas-bag.svg",
    "supply": {"B02": 5},
}
_numbers = itertools.count(1)


class Goods(NamedTuple):
    """Codes of a show's own COAT and BAG."""

    coat: str
    bag: str


# A page that waits for the host asks again and again, and the browser notes each 404 on the console.
EXPECTED = ("/whep/", "/favicon.ico", f"/pictures/{'0' * 64}")


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
            faults.append(f"{message.text} {message.location.get('url', '')}")

    page.on("console", note)
    page.on("pageerror", lambda error: faults.append(str(error)))
    await page.goto(path)
    yield page
    await context.close()
    assert faults == [], faults


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


def under_code(item: dict[str, Any], code: str) -> dict[str, Any]:
    supply = {sku.replace(item["code"], code, 1): pieces for sku, pieces in item["supply"].items()}
    return {**item, "code": code, "supply": supply}


def live_show(server: LiveServer, show: str, pinned: str | None = "coat", **fields: Any) -> Goods:
    """A show on air without a picture (chat and stock need none), with codes of its own: stock is the shop's."""
    number = next(_numbers)
    goods = Goods(f"A{number:02}", f"B{number:02}")
    server.make_show(show, [under_code(COAT, goods.coat), under_code(BAG, goods.bag)], **fields)
    server.command(show, "start")
    if pinned:
        server.command(show, "pin", code=getattr(goods, pinned))
    return goods


async def say(page: Page, text: str, name: str = "小美") -> None:
    """Types into the composer; a newcomer is asked for a name once."""
    field = page.locator(".entry input")
    await field.fill(text)
    await field.press("Enter")
    if not await page.evaluate("localStorage.getItem('lc_name')"):
        await page.locator("form.name .input").fill(name)
        await page.locator("form.name button[type=submit]").click()
