"""A show without a camera on the pages: it is heard, and a picture is drawn in the place of the host's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from livecommerce.media.recording import files
from livecommerce.media.synthetic.host import SyntheticHost
from tests.browser.live_server import LiveServer
from tests.browser.test_replay import QUALITY, picture_of, recorder, until, video_is
from tests.browser.visitors import BAG, COAT, DESK, PATIENCE_MS, PHONE, staff, visitor

__all__ = ["recorder"]
pytestmark = pytest.mark.browser

# The loudest sample of what this element plays, out of half a second.
LOUDNESS = """async video => {
  const context = new AudioContext(), analyser = context.createAnalyser();
  context.createMediaStreamSource(video.srcObject).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let loudest = 0;
  for (let turn = 0; turn < 10; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    analyser.getFloatTimeDomainData(samples);
    loudest = Math.max(loudest, ...samples.map(Math.abs));
  }
  await context.close();
  return loudest;
}"""


@asynccontextmanager
async def hosting(server: LiveServer, show: str, *kinds: str, sending: set[str]) -> AsyncIterator[SyntheticHost]:
    token = (await asyncio.to_thread(server.request, "POST", f"/api/shows/{show}/ingest-token", {}))["token"]
    host = SyntheticHost(f"{server.address}/whip/{show}", token, quality=QUALITY)
    host.kinds, host.sending = kinds, sending
    stop = asyncio.Event()
    running = asyncio.create_task(host.run(stop))
    try:
        yield host
    finally:
        stop.set()
        await running


async def told(server: LiveServer, show: str) -> dict[str, Any]:
    """The relay's figures of a show's stream."""
    return (await asyncio.to_thread(server.request, "GET", f"/api/shows/{show}/stream"))["stream"] or {}


async def is_heard(page: Page) -> None:
    async with asyncio.timeout(PATIENCE_MS / 1_000):
        while not await page.locator("video").evaluate(
            f"async video => video.srcObject && await ({LOUDNESS})(video) > 0.01"
        ):
            await asyncio.sleep(0.1)
    await video_is(page, "!video.paused && video.currentTime > 0.5")


async def test_a_show_without_a_camera_is_heard_under_a_drawn_picture(browser: Browser, server: LiveServer) -> None:
    server.make_show("heard", [COAT, BAG])
    server.command("heard", "start")
    async with hosting(server, "heard", "audio", sending={"audio"}):
        async with visitor(browser, server, "/live/heard", PHONE) as page:
            drawn = page.locator(".stage .drawn")
            await expect(drawn).to_be_visible(timeout=PATIENCE_MS)
            title = await page.locator("h1 .title").text_content()
            await expect(drawn).to_contain_text((title or "").removeprefix(" · "))
            await expect(drawn).to_have_attribute("role", "img")
            await expect(drawn.locator("path")).to_have_count(3)
            await expect(page.locator(".center")).to_have_count(0, timeout=PATIENCE_MS)
            await page.get_by_role("button", name="開聲音").click()
            await is_heard(page)
            grounds = {}
            for scheme in ("dark", "light"):
                await page.emulate_media(color_scheme=scheme)
                grounds[scheme] = await drawn.evaluate("node => getComputedStyle(node).backgroundColor")
            assert grounds == {"dark": "rgb(13, 16, 20)", "light": "rgb(250, 248, 244)"}
            asked = await page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
            assert all(one.startswith(server.address) for one in asked), "nothing from outside"
        async with staff(browser, server, "/studio/heard", "host") as page:
            await expect(page.locator(".signal")).to_contain_text("只有聲音", timeout=PATIENCE_MS)
            await expect(page.locator(".video .drawn")).to_be_visible(timeout=PATIENCE_MS)


async def test_a_camera_that_stops_and_comes_back_is_seen_without_a_reload(
    browser: Browser, server: LiveServer
) -> None:
    server.make_show("comes", [COAT, BAG])
    server.command("comes", "start")
    async with (
        hosting(server, "comes", "video", "audio", sending={"audio"}) as host,
        visitor(browser, server, "/live/comes", DESK) as page,
        staff(browser, server, "/studio/comes", "host") as studio,
    ):
        drawn, signal = page.locator(".stage .drawn"), studio.locator(".signal")
        await expect(drawn).to_be_visible(timeout=PATIENCE_MS)
        await expect(signal).to_contain_text("沒有畫面", timeout=PATIENCE_MS)
        await is_heard(page)
        host.sending = {"video", "audio"}
        await expect(drawn).to_have_count(0, timeout=PATIENCE_MS)
        await video_is(page, f"video.videoWidth === {QUALITY.width}")
        before = await picture_of(page)
        async with asyncio.timeout(PATIENCE_MS / 1_000):
            while await picture_of(page) == before:
                await asyncio.sleep(0.1)
        await expect(signal).not_to_contain_text("沒有畫面", timeout=PATIENCE_MS)
        host.sending = {"audio"}
        await expect(drawn).to_be_visible(timeout=PATIENCE_MS)
        await expect(signal).to_contain_text("沒有畫面", timeout=PATIENCE_MS)
        await is_heard(page)


async def test_a_studio_without_a_camera_goes_live_by_its_microphone(browser: Browser, server: LiveServer) -> None:
    server.make_show("microphone", [COAT, BAG])
    # A machine with a microphone alone: the browser says so when a camera is asked for.
    without_a_camera = """(() => {
      const given = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = (asked) =>
        asked.video && !window.hasCamera ? Promise.reject(new DOMException("none", "NotFoundError")) : given(asked);
    })()"""
    async with staff(browser, server, "/login", "host") as page:
        await page.add_init_script(without_a_camera)
        await page.goto("/studio/microphone")
        await page.get_by_role("button", name="打開鏡頭和麥克風").click()
        await expect(page.locator(".video .drawn")).to_be_visible(timeout=PATIENCE_MS)
        await expect(page.locator(".controls")).to_contain_text("沒有鏡頭")
        await page.get_by_role("button", name="開播").click()
        await expect(page.locator(".signal")).to_contain_text("只有聲音", timeout=PATIENCE_MS)
        await page.evaluate("window.hasCamera = true")
        await page.get_by_role("button", name="打開鏡頭和麥克風").click()
        async with asyncio.timeout(PATIENCE_MS / 1_000):
            while not (await told(server, "microphone")).get("picture"):
                await asyncio.sleep(0.2)
        await expect(page.locator(".signal")).not_to_contain_text("只有聲音", timeout=PATIENCE_MS)
        await expect(page.locator(".video .drawn")).to_have_count(0, timeout=PATIENCE_MS)


async def test_a_recorded_show_without_a_camera_is_heard_again(recorder: LiveServer, browser: Browser) -> None:
    recorder.make_show("sound", [COAT, BAG])
    recorder.command("sound", "start")
    folder = files.folder_of(Path(recorder.folder), "sound")
    async with hosting(recorder, "sound", "video", "audio", sending={"video", "audio"}) as host:
        await until(lambda: files.read_manifest(folder) is not None, "the recording begins")
        await asyncio.sleep(2)
        host.sending = {"audio"}
        await asyncio.sleep(6)
        await asyncio.to_thread(recorder.command, "sound", "end")
    await until(lambda: files.read_manifest(folder).takes[-1].ended_ms > 0, "the recording ends")
    async with visitor(browser, recorder, "/replay/sound", PHONE) as page:
        drawn = page.locator(".stage .drawn")
        await video_is(page, "video.readyState >= 2")
        await expect(drawn).to_have_count(0)
        await page.locator("video").evaluate("video => { video.muted = true; video.currentTime = 5; video.play() }")
        await video_is(page, "video.currentTime > 5.5")
        await expect(drawn).to_be_visible()
        await expect(drawn).to_contain_text("測試場")
        await video_is(page, "video.ended")
        await expect(drawn).to_be_visible()
        heard = "video.webkitAudioDecodedByteCount"
        await video_is(page, f"{heard} > 0")
