"""An encoder with B-frames: its host is told; HLS and the recording show every picture at its time, in Chromium too."""

from __future__ import annotations

import asyncio
import fractions
import io
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import av
import pytest
from aiohttp import web
from playwright.async_api import async_playwright

from livecommerce.media.recording.files import folder_of
from livecommerce.media.recording.reader import read_recording
from livecommerce.media.synthetic.host import Encoder
from tests.browser.chromium import FLAGS, chromium_path
from tests.media.hls.test_hls_in_chromium import Follower, site
from tests.media.stage import TINY, open_stage, until
from tests.media.test_half_a_host import pictures_told

# Shown pictures' times as the browser tells them, for so many seconds.
SHOWN = """async seconds => {
  const video = document.getElementById("video"), times = [];
  const until = performance.now() + 1000 * seconds;
  while (performance.now() < until) {
    const frame = await new Promise((resolve) => {
      video.requestVideoFrameCallback((_, frame) => resolve(frame));
      setTimeout(() => resolve(null), 2000);
    });
    if (frame) times.push(frame.mediaTime);
  }
  return times;
}"""
PAGE = """<!doctype html><video id="video" muted autoplay src="/movie.mp4"></video>"""


@pytest.fixture(autouse=True)
def reordering(monkeypatch: pytest.MonkeyPatch) -> None:
    """Synthetic hosts encode as OBS does by x264's usual settings."""
    usual = Encoder._video_codec

    def with_b_frames(encoder: Encoder) -> Any:
        codec: Any = av.CodecContext.create("libx264", "w")
        told = usual(encoder)
        codec.width, codec.height, codec.pix_fmt = told.width, told.height, "yuv420p"
        codec.framerate, codec.time_base = told.framerate, fractions.Fraction(1, 90_000)
        codec.bit_rate, codec.thread_count = told.bit_rate, 1
        parameters = f"keyint={2 * TINY.frames_per_second}:bframes=3:b-pyramid=normal:b-adapt=0:rc-lookahead=4"
        codec.options = {
            "preset": "superfast",
            "profile": "high",
            "forced-idr": "1",
            "x264-params": f"{parameters}:repeat-headers=1:scenecut=0:sync-lookahead=0",
        }
        codec.open()
        return codec

    monkeypatch.setattr(Encoder, "_video_codec", with_b_frames)


def in_order(times: list[float]) -> bool:
    """Each picture after the one before, a picture's length apart."""
    return all(0 < after - before < 1.5 / TINY.frames_per_second for before, after in pairwise(times))


async def test_the_host_is_told_and_hls_has_every_picture() -> None:
    async with open_stage() as stage, stage.host(), site(stage) as url, aiohttp.ClientSession() as session:
        await until(lambda: stage.stream.hint == "b_frames", "the host is told")
        follower = Follower(session, f"{url}/live/demo/hls/opus")
        await follower.follow(20)
        data = follower.initialization + b"".join(follower.parts.values())
        with av.open(io.BytesIO(data)) as container:
            times = [float(frame.time) for frame in container.decode(video=0) if frame.time is not None]
        assert len(times) > 4 * TINY.frames_per_second
        assert in_order(times[:-4]), "the last ones wait for those that come after them"
        assert pictures_told(stage) == [("live", True)]


@pytest.mark.nightly
@pytest.mark.browser
async def test_chromium_plays_it_by_hls_and_as_a_recording(tmp_path: Path) -> None:
    async with (
        open_stage(data_folder=str(tmp_path)) as stage,
        site(stage, is_udp_blocked=True) as url,
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))
        try:
            async with stage.host():
                page = await browser.new_page()
                await page.goto(url)
                await page.wait_for_function("paths.at(-1) === 'hls' && playback.state === 'live'", timeout=40_000)
                times = await page.evaluate(SHOWN, 4)
                assert len(times) > 2.5 * TINY.frames_per_second, "a screen of a busy machine skips some"
                assert times == sorted(times)
                await page.close()
            async for address in recorded(tmp_path):
                page = await browser.new_page()
                await page.goto(address)
                times = await page.evaluate(SHOWN, 4)
                assert len(times) > 2.5 * TINY.frames_per_second
                assert times == sorted(times)
                assert await page.evaluate("document.getElementById('video').error") is None
        finally:
            await browser.close()


async def recorded(data: Path) -> Any:
    """The address of a page with the recording, while it is looked at; the recording itself is looked at here."""
    found = read_recording(folder_of(data, "demo"))
    movie = found.movie() if found is not None else None
    assert movie is not None
    body = await asyncio.to_thread(lambda: b"".join(movie.read(0, movie.size)))
    with av.open(io.BytesIO(body)) as container:
        times = [float(frame.time) for frame in container.decode(video=0) if frame.time is not None]
    assert times[0] == 0.0
    assert in_order(times[:-4]), "of the last ones some were not yet sent"

    async def page(request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def video(request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="video/mp4")

    app = web.Application()
    app.add_routes([web.get("/", page), web.get("/movie.mp4", video)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
