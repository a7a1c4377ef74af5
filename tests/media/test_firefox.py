"""Firefox as viewer and as host, through the pages' own client module.

Here Firefox decodes H.264 by the system's libavcodec; on people's machines Cisco's plugin does it, and encodes too.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from livecommerce.media.ingest.source import SOUND
from tests.media.firefox import Firefox, FirefoxPage, firefox
from tests.media.stage import WAIT_SECONDS, Stage, open_stage, until
from tests.media.test_chromium import WATCH

pytestmark = [pytest.mark.browser, pytest.mark.nightly]

GO_LIVE = """async () => {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 360 }, audio: true });
  window.states = [];
  window.session = whip.publish(stream, { url: "/whip/demo", onstate: ({ state }) => states.push(state) });
}"""
# Two looks at the picture: how many of its 576 small pixels changed, and how far apart the darkest and brightest are.
CHANGES = """async () => {
  const video = document.getElementById("video");
  const context = new OffscreenCanvas(32, 18).getContext("2d", { willReadFrequently: true });
  const pixels = () => (context.drawImage(video, 0, 0, 32, 18), context.getImageData(0, 0, 32, 18).data);
  const before = pixels();
  await new Promise((resolve) => setTimeout(resolve, 700));
  const after = pixels();
  let changed = 0;
  for (let i = 0; i < after.length; i += 4) changed += Math.abs(after[i] - before[i]) > 8 ? 1 : 0;
  const reds = [...after].filter((_, i) => i % 4 === 0);
  return { changed, contrast: Math.max(...reds) - Math.min(...reds) };
}"""

# By the picture's callback, and by what the receiver says.
WHICH_PICTURE = """async () => {
  const video = document.getElementById("video");
  const receiver = session.position({}).timestamp;
  const frame = await new Promise((resolve) => video.requestVideoFrameCallback((_, found) => resolve(found)));
  return [receiver, session.position(frame).timestamp];
}"""
SOUNDS = """async () => {
  const all = [...(await session.connection.getStats()).values()];
  const sounds = all.filter((it) => it.type === "inbound-rtp" && it.kind === "audio");
  return sounds.reduce((sum, it) => sum + it.packetsReceived, 0);
}"""


async def opened(browser: Firefox, stage: Stage, script: str) -> FirefoxPage:
    page = await browser.new_page()
    await page.goto(stage.url + "/")
    await page.evaluate(script)
    return page


async def waiting(page: FirefoxPage, condition: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
    """Polls the page's own figures until they are as expected."""
    deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
    found: dict[str, Any] = {}
    while not condition(found):
        assert asyncio.get_running_loop().time() < deadline, f"never: {what}: {found}"
        await asyncio.sleep(0.2)
        found = await page.evaluate("() => session.stats()") or {}
    return found


async def test_firefox_watches_and_its_picture_moves() -> None:
    async with open_stage() as stage, firefox() as browser, stage.host():
        viewer = await opened(browser, stage, WATCH)
        found = await waiting(viewer, lambda it: it.get("framesDecoded", 0) >= 30, "30 decoded pictures")
        assert (found["width"], found["height"]) == (320, 240)
        assert await viewer.evaluate(SOUNDS) > 0
        seen = await viewer.evaluate(CHANGES)
        assert seen["changed"] > 5
        assert seen["contrast"] > 50
        readings = await viewer.evaluate(WHICH_PICTURE)
        # Read after the page has said what it shows, which had arrived by then.
        arriving = stage.plane.clocks(time.monotonic())["demo"]
        for shown in readings:
            assert 0 <= (arriving - shown) % 2**32 < 10 * 90_000, "the page knows which of our pictures it shows"
        assert (await viewer.evaluate("() => states"))[-1] == "live"
        await viewer.evaluate("() => session.stop()")
        await until(lambda: not stage.stream.viewers, "the session is ended")


async def test_firefox_as_host_is_answered_for_both_and_its_sound_arrives() -> None:
    """Picture and sound are agreed on. The picture itself needs the plugin: x264 within Firefox gives no frames."""
    async with open_stage() as stage, firefox() as browser:
        host = await opened(browser, stage, GO_LIVE)
        await until(lambda: "demo" in stage.plane.streams, "the offer is taken")
        await until(lambda: (it := stage.stream.host) is not None and SOUND in it.receptions, "sound arrives")
        answered = await host.evaluate(
            "() => session.connection.remoteDescription.sdp.split('\\r\\n').filter((line) => /^m=|rtpmap/.test(line))"
        )
        kinds = [line.split()[0] + line.split()[1] for line in answered if line.startswith("m=")]
        assert kinds == ["m=audio9", "m=video9"]
        assert any("H264/90000" in line for line in answered)
        await host.evaluate("() => session.stop()")
        await until(lambda: stage.plane.streams["demo"].host is None, "the host's stop is heard")
