"""Chromium as host and as viewer, through the pages' own client module."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright

from livecommerce.media.ingest.source import PICTURE
from livecommerce.media.synthetic.host import Quality
from tests.browser.chromium import FLAGS, chromium_path
from tests.media.stage import WAIT_SECONDS, LossyLine, Stage, open_stage, until

pytestmark = pytest.mark.browser

GO_LIVE = """async () => {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 1280, height: 720 }, audio: true });
  window.states = [];
  window.session = whip.publish(stream, { url: "/whip/demo", onstate: ({ state }) => states.push(state) });
}"""
# A picture no encoder can make small: what reaches the relay is then what the feedback allows.
GO_LIVE_WITH_NOISE = """async () => {
  const canvas = document.getElementById("canvas");
  const context = canvas.getContext("2d");
  const noise = new Uint32Array(640 * 360);
  const image = new ImageData(new Uint8ClampedArray(noise.buffer), 640, 360);
  let seed = 1;
  setInterval(() => {
    for (let i = 0; i < noise.length; i++) noise[i] = 0xff000000 | ((seed = (seed * 1103515245 + 12345) | 0) >>> 8);
    context.putImageData(image, 0, 0);
  }, 66);
  window.session = whip.publish(canvas.captureStream(15), { url: "/whip/demo" });
}"""
MAY_SEND_2500 = """async () => {
  const all = [...(await session.connection.getStats()).values()];
  return all.some((it) => it.type === "candidate-pair" && it.availableOutgoingBitrate >= 2_500_000);
}"""
WATCH = """() => {
  const video = document.getElementById("video");
  window.states = [];
  window.session = whip.play(video, { url: "/whep/demo", onstate: ({ state }) => states.push(state) });
}"""
# Reads the bar of cells that the synthetic picture carries; the delay of each frame shown, in ms.
READ_CLOCK = """(count) => new Promise((resolve) => {
  const video = document.getElementById("video"), canvas = document.getElementById("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const delays = [];
  const look = () => {
    const cell = Math.floor(video.videoWidth / 40);
    canvas.width = video.videoWidth;
    canvas.height = cell;
    context.drawImage(video, 0, 0);
    const now = Date.now() >>> 0;
    const { data } = context.getImageData(0, cell >> 1, canvas.width, 1);
    const bits = Array.from({ length: 40 }, (_, i) => (data[4 * (i * cell + (cell >> 1))] > 128 ? 1 : 0));
    const value = bits.slice(4, 36).reduce((sum, bit) => (sum * 2 + bit) >>> 0, 0);
    let check = 0;
    for (let shift = 0; shift < 32; shift += 4) check += (value >>> shift) & 15;
    const given = bits.slice(36).reduce((sum, bit) => sum * 2 + bit, 0);
    if (bits.slice(0, 4).join("") === "1010" && (check & 15) === given) delays.push((now - value) | 0);
    if (delays.length >= count) resolve(delays);
    else video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
})"""


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


async def opened(browser: Browser, stage: Stage, script: str) -> Page:
    page = await browser.new_page()
    await page.goto(stage.url + "/")
    await page.wait_for_function("window.whip")
    await page.evaluate(script)
    return page


async def figures(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await page.evaluate("session.stats().then((it) => JSON.stringify(it ?? {}))"))
    return found


async def waiting(page: Page, condition: Callable[[dict[str, Any]], bool], what: str) -> None:
    """Polls the page's own figures until they are as expected."""
    deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
    while not condition(found := await figures(page)):
        assert asyncio.get_running_loop().time() < deadline, f"never: {what}: {found}"
        await asyncio.sleep(0.1)


async def decodes(page: Page, more: int) -> None:
    """Waits until the page has decoded `more` further pictures."""
    goal = (await figures(page)).get("framesDecoded", 0) + more
    await waiting(page, lambda found: found.get("framesDecoded", 0) >= goal, f"{goal} decoded pictures")


async def test_a_browser_goes_live_and_two_browsers_watch() -> None:
    async with open_stage() as stage, chromium() as browser:
        host = await opened(browser, stage, GO_LIVE)
        await until(lambda: "live" in stage.states(), "live")
        viewers = [await opened(browser, stage, WATCH) for _ in range(2)]
        for viewer in viewers:
            await decodes(viewer, 20)
            found = await figures(viewer)
            assert (found["width"], found["height"], found["packetsLost"]) == (1280, 720, 0)
            assert found["packets"] > found["framesDecoded"]
            await viewer.wait_for_function("states.includes('live')")
        await until(lambda: stage.stream.hint in ("good", "bitrate_low"), "the stream is healthy")
        await host.evaluate("session.stop()")
        await until(lambda: stage.states()[-1] == "ended", "the host's stop ends the stream")
        await viewers[0].close()
        await until(lambda: len(stage.stream.viewers) <= 1, "a closed page is gone")


async def test_a_browser_host_that_reloads_resumes_its_viewers_stream() -> None:
    async with open_stage() as stage, chromium() as browser:
        host = await opened(browser, stage, GO_LIVE)
        await until(lambda: "live" in stage.states(), "live")
        viewer = await opened(browser, stage, WATCH)
        await decodes(viewer, 10)
        track = stage.stream.tracks["video"]
        ssrc, head = track.ssrc, track.head
        await host.close()
        second = await opened(browser, stage, GO_LIVE)
        await decodes(viewer, 30)
        assert track.ssrc == ssrc
        assert track.head > head
        assert await viewer.evaluate("states.filter((state) => state === 'waiting').length") == 0
        await second.close()


async def test_pages_come_back_by_themselves_when_the_relay_forgets_everyone() -> None:
    """As after kill -9: no goodbye, no answer, and a new process that knows nobody."""
    async with open_stage() as stage, chromium() as browser:
        host, viewer = await opened(browser, stage, GO_LIVE), None
        await until(lambda: "live" in stage.states(), "live")
        viewer = await opened(browser, stage, WATCH)
        await decodes(viewer, 10)
        for peer in stage.plane.peers.values():
            stage.plane.mux.unregister(peer)
        stage.plane.peers.clear()
        stage.plane.streams.clear()
        await until(lambda: stage.states().count("live") == 2, "the host is live again")
        await viewer.wait_for_function("states.includes('waiting') && states.at(-1) === 'live'")
        await decodes(viewer, 10)
        await host.close()


async def test_feedback_lets_the_browser_reach_the_bitrate_it_may_send() -> None:
    async with open_stage() as stage, chromium() as browser:
        page = await opened(browser, stage, GO_LIVE_WITH_NOISE)
        await until(lambda: "live" in stage.states(), "live")
        # Without feedback it stays at the 300 kbit/s. The estimate is the feedback's work; how much the encoder then
        # sends is its part of the CPU too. How soon, the load test measures.
        await until(lambda: stage.stream.kbps > 900, "the bitrate climbs towards 2,500 kbit/s", seconds=60)
        await page.wait_for_function(MAY_SEND_2500, timeout=60_000)
        assert stage.stream.host is not None
        assert stage.stream.host.receptions[PICTURE].fraction_lost < 0.05


@pytest.mark.parametrize(
    "one_in",
    [pytest.param(100, marks=pytest.mark.nightly), 20, pytest.param(10, marks=pytest.mark.nightly)],
)
async def test_on_a_lossy_line_the_picture_moves_on(one_in: int) -> None:
    quality = Quality(width=640, height=360, frames_per_second=24, bitrate_kbps=600)
    async with open_stage() as stage, chromium() as browser, stage.host(quality=quality):
        line = LossyLine(stage.plane.mux.port, [False] * (one_in - 1) + [True])
        stage.rewrite = line.rewrite
        viewer = await opened(browser, stage, WATCH)
        await decodes(viewer, 72)
        delays = await viewer.evaluate(READ_CLOCK, 10)
        found = await figures(viewer)
        print(f"one in {one_in} lost: {line.lost} lost, {found['freezes']} freezes, delay {sorted(delays)[5]} ms")
        assert line.lost > 0
        assert len(delays) == 10
        await viewer.close()
        line.close()


async def test_where_udp_is_blocked_the_browser_watches_over_tcp() -> None:
    async with open_stage() as stage, chromium() as browser, stage.host():
        stage.rewrite = lambda answer: re.sub(r"a=candidate:\S+ 1 udp .*\r\n", "", answer)
        viewer = await opened(browser, stage, WATCH)
        await decodes(viewer, 40)
        (served,) = stage.stream.viewers.values()
        assert served.statistics()["transport"] == "tcp"
        await viewer.close()
        await until(lambda: not stage.stream.viewers, "the closed page is gone")


async def test_what_a_browser_shows_is_fresh() -> None:
    """The clock in the picture is read back from the frames on screen."""
    quality = Quality(width=640, height=360, frames_per_second=24, bitrate_kbps=600)
    async with open_stage() as stage, chromium() as browser, stage.host(quality=quality):
        viewer = await opened(browser, stage, WATCH)
        await decodes(viewer, 60)
        delays = sorted(await viewer.evaluate(READ_CLOCK, 30))
        print(f"glass to glass ms: p50 {delays[15]}, worst {delays[-1]}")
        assert len(delays) == 30
        assert all(0 <= delay < 10_000 for delay in delays)
