"""Glass to glass: how old a picture is when Chromium puts it on the screen.

The synthetic host draws its clock into a bar of cells; Chromium, playing through the pages' own client module, reads
the bar of each frame it shows. Encoder, relay and browser are processes of their own on one machine: one clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import shutil
import statistics
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from livecommerce.errors import LiveCommerceError
from livecommerce.media.client.control import RelayControl
from livecommerce.media.synthetic.host import SMALL, SyntheticHost

SHOW = "glass"
START_SECONDS_MAX = 30.0
# Pictures of the first seconds after a join are late by design: they are the replayed group of pictures.
WARM_UP_FRAMES = 90
SHARED = Path(__file__).parents[1] / "web" / "shared"
PAGE = """<!doctype html><video id="video" muted playsinline></video>
<script type="module">import { play } from "/shared/whep.js"; import { publish } from "/shared/whip.js";
window.whip = { play, publish };</script>"""
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--autoplay-policy=no-user-gesture-required",
)
# Resolves with the ages (ms) of the frames shown after the warm-up. `read_bar` of the synthetic picture, in the page.
READ_AGES = """([skip, count]) => new Promise((resolve) => {
  const video = document.getElementById("video");
  whip.play(video, { url: "/whep/%s" });
  const context = new OffscreenCanvas(640, 1).getContext("2d", { willReadFrequently: true });
  const ages = [];
  let shown = 0, unreadable = 0;
  const look = () => {
    const now = Date.now() >>> 0;
    if (++shown > skip) {
      context.drawImage(video, 0, Math.floor(video.videoWidth / 80), video.videoWidth, 1, 0, 0, 640, 1);
      const { data } = context.getImageData(0, 0, 640, 1);
      const bits = Array.from({ length: 40 }, (_, cell) => (data[4 * (cell * 16 + 8)] > 128 ? 1 : 0));
      const value = bits.slice(4, 36).reduce((sum, bit) => (sum * 2 + bit) >>> 0, 0);
      let check = 0;
      for (let shift = 0; shift < 32; shift += 4) check += (value >>> shift) & 15;
      const given = bits.slice(36).reduce((sum, bit) => sum * 2 + bit, 0);
      if (bits.slice(0, 4).join("") === "1010" && (check & 15) === given) ages.push((now - value) | 0);
      else unreadable++;
    }
    if (ages.length >= count) resolve({ ages, unreadable });
    else video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
})"""


def chromium_path() -> str | None:
    """The browser of the machine: CHROMIUM, else one on PATH."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def _door(control: RelayControl) -> web.Application:
    """What a web role does for a page, without shows and logins."""

    async def offer(request: web.Request) -> web.Response:
        body = await request.text()
        try:
            if request.match_info["kind"] == "whip":
                session = await control.publish(SHOW, body, "page")
            else:
                session = await control.play(SHOW, body)
        except LiveCommerceError as error:
            return web.json_response({"error": error.as_dict()}, status=error.http_status)
        headers = {"Location": session.location, "ETag": session.etag}
        return web.Response(status=201, text=session.answer, content_type="application/sdp", headers=headers)

    async def goodbye(request: web.Request) -> web.Response:
        with contextlib.suppress(LiveCommerceError):
            await control.stop(
                "whip" if request.match_info["kind"] == "whip" else "whep", SHOW, request.match_info["session"]
            )
        return web.Response()

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    app = web.Application()
    app.add_routes(
        [
            web.get("/", page),
            web.static("/shared", SHARED),
            web.post(f"/{{kind:whip|whep}}/{SHOW}", offer),
            web.delete(f"/{{kind:whip|whep}}/{SHOW}/{{session}}", goodbye),
        ]
    )
    return app


@contextlib.asynccontextmanager
async def served(control_path: str) -> AsyncIterator[str]:
    control = RelayControl(control_path)
    runner = web.AppRunner(_door(control), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
        await control.close()


def _host(url: str, is_live: Any, stop: Any) -> None:
    async def go() -> None:
        host = SyntheticHost(f"{url}/whip/{SHOW}", quality=SMALL)
        local_stop = asyncio.Event()
        running = asyncio.create_task(host.run(local_stop))
        await host.connected.wait()
        is_live.set()
        while not stop.is_set():
            await asyncio.sleep(0.1)
        local_stop.set()
        await running

    asyncio.run(go())


async def _ages(url: str, browser_path: str, frames: int) -> dict[str, Any]:
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=browser_path, args=list(FLAGS))
        try:
            page = await browser.new_page()
            await page.goto(url + "/")
            await page.wait_for_function("window.whip")
            # thirty frames a second where all is well; ten times as long is broken
            limit = 20.0 + (WARM_UP_FRAMES + frames) / 3
            found: dict[str, Any] = await asyncio.wait_for(
                page.evaluate(READ_AGES % SHOW, [WARM_UP_FRAMES, frames]), timeout=limit
            )
            return {**found, "browser": browser.version}
        finally:
            await browser.close()


async def _measure(
    relay: Callable[[str, int | None, Any, Any], None], browser_path: str, frames: int, folder: str
) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    ready, live, stop = context.Event(), context.Event(), context.Event()
    path = f"{folder}/relay.sock"
    processes = [context.Process(target=relay, args=(path, None, ready, stop))]
    try:
        processes[0].start()
        if not await asyncio.to_thread(ready.wait, START_SECONDS_MAX):
            raise RuntimeError("the relay did not start")
        async with served(path) as url:
            processes.append(context.Process(target=_host, args=(url, live, stop)))
            processes[1].start()
            if not await asyncio.to_thread(live.wait, START_SECONDS_MAX):
                raise RuntimeError("the host did not connect")
            found = await _ages(url, browser_path, frames)
            stop.set()
            await asyncio.to_thread(processes[1].join, 10)
            return found
    finally:
        stop.set()
        for process in processes:
            process.join(10)
            if process.is_alive():
                process.kill()


def measure(relay: Callable[[str, int | None, Any, Any], None], frames: int = 150) -> tuple[dict[str, Any] | None, str]:
    """(figures, note): figures None, and the note why, where there is no browser or it showed nothing.

    Args:
        relay: runs a relay in a process of its own: (control path, core or None, ready event, stop event).
        frames: how many ages to take, at least 100.
    """
    browser_path = chromium_path()
    try:
        import playwright.async_api  # noqa: F401
    except ImportError:
        return None, "playwright is not installed (make install); glass to glass was left out"
    if browser_path is None:
        return None, "Chromium is not installed (bash scripts/chromium.sh); glass to glass was left out"
    with tempfile.TemporaryDirectory(prefix="media-glass-", dir="/tmp") as folder:
        try:
            found = asyncio.run(_measure(relay, browser_path, frames, folder))
        except Exception as error:
            return None, f"glass to glass failed: {error!r}"[:300]
    ages = sorted(found["ages"])
    figures = {
        "glass_to_glass_ms_p50": statistics.median(ages),
        "glass_to_glass_ms_p95": ages[int(len(ages) * 0.95)],
        "frames": len(ages),
        "frames_unreadable": found["unreadable"],
        "browser": found["browser"],
        "picture": f"{SMALL.width}x{SMALL.height}@{SMALL.frames_per_second}",
    }
    return figures, ""
