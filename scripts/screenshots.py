"""Takes the pictures of the pages for the README from a running server, on a phone and on a desk.

    python scripts/screenshots.py http://127.0.0.1:8080 --show demo --login ling --password … [--out docs/screenshots]

The browser is CHROMIUM=/path or the first of chromium, chromium-browser, google-chrome on PATH. Pictures are JPEG and
stay below 300 kB each, so that the repository stays small.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip
SIZES = {"phone": (390, 844, 2), "desktop": (1440, 900, 1)}  # width, height, pixels per CSS pixel
BYTES_MAX = 300_000
QUALITIES = (88, 80, 70, 60, 45)  # the first that fits is taken
READY_MS = 20_000  # a joining viewer has a picture within a second; a cold machine may take longer
SETTLE_MS = 3_000  # fonts, pictures, and a few chat lines


def find_browser() -> str:
    """
    Raises:
        SystemExit: there is no Chromium; the message says what to do.
    """
    found = os.environ.get("CHROMIUM") or next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    if found is None:
        sys.exit("No Chromium on PATH. Install it or give CHROMIUM=/path.")
    return found


def save(page: Page, path: Path) -> None:
    """The best JPEG below BYTES_MAX."""
    for quality in QUALITIES:
        picture = page.screenshot(type="jpeg", quality=quality)
        if len(picture) <= BYTES_MAX:
            break
    path.write_bytes(picture)
    print(f"{path}  {len(picture) // 1000} kB")


def open_page(browser: Browser, size: str, locale: str) -> Page:
    width, height, scale = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, device_scale_factor=scale, locale=locale,
        permissions=["camera", "microphone"], has_touch=size == "phone", is_mobile=size == "phone",
    )  # fmt: skip
    return context.new_page()


def log_in(page: Page, base: str, login: str, password: str) -> None:
    answer = page.request.post(
        f"{base}/api/login", data=json.dumps({"login": login, "password": password}),
        headers={"Content-Type": "application/json", "Origin": base},
    )  # fmt: skip
    if not answer.ok:
        sys.exit(f"The login was refused: {answer.text()}")


def wait_for_picture(page: Page) -> None:
    playing = "() => [...document.querySelectorAll('video')].some((one) => one.videoWidth > 0 && one.currentTime > 1)"
    page.wait_for_function(playing, timeout=READY_MS)


def order_one(page: Page) -> None:
    """A visitor gives a name and claims one piece, so that the ribbon and the ticket are seen."""
    field = page.locator(".entry input")
    field.fill("+1")
    field.press("Enter")
    page.locator("form.name .input").fill("小美")
    page.locator("form.name button[type=submit]").click()
    page.locator(".ribbon .ticket, .ribbon .words").first.wait_for(timeout=READY_MS)
    for group in page.locator(".ribbon .options").all():
        group.locator("button").first.click()
    page.wait_for_timeout(1_000)


def take(browser: Browser, options: argparse.Namespace) -> None:
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    for size in SIZES:
        page = open_page(browser, size, options.locale)
        page.goto(f"{options.base}/live/{options.show}")
        wait_for_picture(page)
        order_one(page)
        save(page, out / f"watch-{size}.jpg")
        if size == "phone":
            page.locator(".round").nth(1).click()
            page.locator("dialog .ticket, dialog .empty").first.wait_for(timeout=READY_MS)
            page.wait_for_timeout(500)
            save(page, out / "tickets-phone.jpg")
        page.context.close()
    for name in ("studio", "control"):
        for size in SIZES:
            page = open_page(browser, size, options.locale)
            log_in(page, options.base, options.login, options.password)
            page.goto(f"{options.base}/{name}/{options.show}")
            page.locator(".columns").wait_for(timeout=READY_MS)
            if name == "studio":
                wait_for_picture(page)
            page.wait_for_timeout(SETTLE_MS)
            if name == "control" and size == "desktop":
                page.keyboard.press("k")
                page.wait_for_timeout(500)
            save(page, out / f"{name}-{size}.jpg")
            page.context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", help="address of a running server, e.g. http://127.0.0.1:8080")
    parser.add_argument("--show", default="demo")
    parser.add_argument("--login", required=True)
    parser.add_argument("--password", default=os.environ.get("STAFF_PASSWORD", ""), help="or STAFF_PASSWORD")
    parser.add_argument("--locale", default="zh-TW", choices=("zh-TW", "en"))
    parser.add_argument("--out", default="docs/screenshots")
    options = parser.parse_args()
    options.base = options.base.rstrip("/")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        take(browser, options)
        browser.close()


if __name__ == "__main__":
    main()
