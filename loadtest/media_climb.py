"""How soon Chromium may send 2.5 Mbit/s of 720p30: what the relay's feedback is for.

Chromium publishes through the pages' own client module a picture that no encoder makes small, to a relay in a process
of its own. Its bandwidth estimate is the feedback's work alone; the rate that arrives is bounded by the encoder's share
of the CPU too, so both are told.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from typing import Any

from livecommerce.media.client.control import RelayControl
from loadtest.media_glass import FLAGS, SHOW, START_SECONDS_MAX, chromium_path, served

GOAL_KBPS = 2_500
WATCH_SECONDS = 20.0
STEP_SECONDS = 0.1
# Noise, enlarged and moving slowly: about 2 Mbit/s at the coarsest usable quality.
PUBLISH = """() => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1280, height: 720 });
  const context = canvas.getContext("2d");
  const tile = new OffscreenCanvas(240, 135), inner = tile.getContext("2d");
  const image = inner.createImageData(240, 135), words = new Uint32Array(image.data.buffer);
  let seed = 1, index = 0;
  for (let i = 0; i < words.length; i++) words[i] = 0xff000000 | ((seed = (seed * 1103515245 + 12345) | 0) >>> 8);
  inner.putImageData(image, 0, 0);
  setInterval(() => {
    const phase = index++ / 30;
    context.drawImage(tile, 40 + 40 * Math.sin(phase), 20 + 20 * Math.cos(1.3 * phase), 160, 90, 0, 0, 1280, 720);
  }, 33);
  window.session = whip.publish(canvas.captureStream(30), { url: "/whip/%s" });
}"""
ESTIMATE = """async () => {
  const all = [...((await session.connection?.getStats()) ?? new Map()).values()];
  return Math.max(0, ...all.map((it) => (it.type === "candidate-pair" && it.availableOutgoingBitrate) || 0));
}"""


async def _climb(path: str, browser_path: str) -> dict[str, Any]:
    from playwright.async_api import async_playwright

    control = RelayControl(path)
    try:
        async with served(path) as url, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=browser_path, args=list(FLAGS))
            page = await browser.new_page()
            await page.goto(url + "/")
            await page.wait_for_function("window.whip")
            began = time.monotonic()
            await page.evaluate(PUBLISH % SHOW)
            reached: float | None = None
            estimate_kbps, rates = 0.0, []
            while (elapsed := time.monotonic() - began) < WATCH_SECONDS:
                estimate_kbps = await page.evaluate(ESTIMATE) / 1_000
                if reached is None and estimate_kbps >= GOAL_KBPS:
                    reached = elapsed
                stream = (await control.streams())["streams"].get(SHOW, {})
                rates.append((stream.get("kbps", 0), stream.get("fps", 0)))
                await asyncio.sleep(STEP_SECONDS)
            kbps, fps = max(rates)
            await browser.close()
            return {
                "seconds_to_2500_kbps": None if reached is None else round(reached, 1),
                "estimate_kbps_at_end": round(estimate_kbps),
                "arrived_kbps_best": kbps,
                "arrived_fps_then": fps,
                "browser": browser.version,
            }
    finally:
        await control.close()


def measure(relay: Callable[[str, int | None, Any, Any], None]) -> tuple[dict[str, Any] | None, str]:
    """(figures, note): figures None, and the note why, where there is no browser. Argument as in `media_glass`."""
    browser_path = chromium_path()
    try:
        import playwright.async_api  # noqa: F401
    except ImportError:
        return None, "playwright is not installed (make install); the climb was left out"
    if browser_path is None:
        return None, "Chromium is not installed (bash scripts/chromium.sh); the climb was left out"
    context = multiprocessing.get_context("spawn")
    ready, stop = context.Event(), context.Event()
    with tempfile.TemporaryDirectory(prefix="media-climb-", dir="/tmp") as folder:
        path = f"{folder}/relay.sock"
        process = context.Process(target=relay, args=(path, None, ready, stop))
        process.start()
        try:
            if not ready.wait(START_SECONDS_MAX):
                return None, "the relay did not start; the climb was left out"
            return asyncio.run(_climb(path, browser_path)), ""
        except Exception as error:
            return None, f"the climb failed: {error!r}"[:300]
        finally:
            stop.set()
            process.join(10)
            if process.is_alive():
                process.kill()
