"""A show is recorded while it is on air; afterwards anybody watches it, with its chat and its products in step."""

from __future__ import annotations

import asyncio
import io
import urllib.request
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import av
import pytest
from playwright.async_api import Browser, Page, Route, expect

from livecommerce.media.recording import files
from livecommerce.media.synthetic.host import Quality, SyntheticHost
from tests.browser.live_server import LiveServer
from tests.browser.visitors import BAG, COAT, DESK, PHONE, visitor

QUALITY = Quality(width=320, height=240, frames_per_second=15, bitrate_kbps=300, keyframe_seconds=2.0)
WAIT_SECONDS = 30.0

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    live = LiveServer(Path(tmp_path_factory.mktemp("recorder")) / "data", **{"media.recording": "true"})
    live.start()
    yield live
    live.stop()


async def until(is_so, what):
    async with asyncio.timeout(WAIT_SECONDS):
        while not is_so():
            await asyncio.sleep(0.1)
    assert is_so(), what


async def video_is(page: Page, what: str) -> None:
    """Asks again and again: the page's policy forbids what Playwright's own waiting does."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not await page.locator("video").evaluate(f"video => {what}"):
            await asyncio.sleep(0.1)


async def picture_of(page: Page) -> list[int]:
    """What the video shows now, 32 by 24 points of green."""
    return list(
        await page.locator("video").evaluate(
            """video => {
              const canvas = document.createElement("canvas");
              [canvas.width, canvas.height] = [32, 24];
              const surface = canvas.getContext("2d");
              surface.drawImage(video, 0, 0, 32, 24);
              return [...surface.getImageData(0, 0, 32, 24).data].filter((_, index) => index % 4 === 1);
            }"""
        )
    )


def apart(one: list[int], other: list[int]) -> float:
    """How far two pictures differ, from 0 to 255."""
    return sum(abs(first - second) for first, second in zip(one, other, strict=True)) / len(one)


async def hold_a_show(server: LiveServer, show: str) -> None:
    """Seven seconds on air: a greeting, the coat, a line that is hidden later, the bag."""
    server.make_show(show, [COAT, BAG])
    server.command(show, "start")
    token = server.request("POST", f"/api/shows/{show}/ingest-token", {})["token"]
    host = SyntheticHost(f"{server.address}/whip/{show}", token, quality=QUALITY)
    stop = asyncio.Event()
    running = asyncio.create_task(host.run(stop))
    folder = files.folder_of(server.folder, show)
    await until(lambda: files.read_manifest(folder) is not None, "the recording begins")
    await asyncio.to_thread(server.command, show, "say", text="歡迎大家")
    await asyncio.to_thread(server.command, show, "pin", code="A01")
    await asyncio.sleep(3)
    await asyncio.to_thread(server.command, show, "pin", code="B02")
    await asyncio.to_thread(server.command, show, "say", text="帆布包來了")
    await asyncio.sleep(3)
    await asyncio.to_thread(server.command, show, "end")
    stop.set()
    await running
    await until(lambda: files.read_manifest(folder).takes[-1].ended_ms > 0, "the recording ends")
    path = folder / files.EVENTS
    await until(lambda: path.exists() and '"ended"' in path.read_text(), "the end is in the archive")


async def with_an_answer(route: Route) -> None:
    """The replay's events as if a question had been answered in the third second."""
    answer = await route.fetch()
    moment = {"kind": "question", "id": "question-1", "at": 3_000, "text": "有大號嗎？"}
    await route.fulfill(json={**await answer.json(), "moments": [moment]})


async def test_a_recorded_show_is_watched_again_by_its_products(recorder: LiveServer, browser: Browser) -> None:
    await hold_a_show(recorder, "again")
    async with visitor(browser, recorder, "/replay/again", PHONE) as page:
        chapters = page.locator(".chapter")
        await expect(chapters).to_have_count(2)
        await expect(chapters.nth(1)).to_contain_text("帆布包")
        video = page.locator("video")
        await video_is(page, "video.readyState >= 2")
        duration = await video.evaluate("video => video.duration")
        assert 5 < duration < 30
        await chapters.nth(1).click()
        begin = int(await chapters.nth(1).get_attribute("data-at")) / 1000
        await video_is(page, f"video.currentTime > {begin - 1.4}")
        assert await video.evaluate("video => video.getVideoPlaybackQuality().totalVideoFrames") > 0
        await video_is(page, f"video.currentTime > {begin + 0.6}")
        await expect(chapters.nth(1)).to_have_attribute("aria-current", "true")
        await expect(page.locator(".lines .line")).to_contain_text(["歡迎大家", "帆布包來了"])
        await video.evaluate("video => { video.pause(); video.currentTime = 0 }")
        await expect(page.get_by_text("帆布包來了")).to_have_count(0)  # not said yet
        await page.route("**/events.json", with_an_answer)
        await page.reload()
        await page.locator(".questions .chapter", has_text="有大號嗎？").click()
        await video_is(page, "video.currentTime > 1.4")
    async with visitor(browser, recorder, "/live/again", DESK, locale="en-US") as page:
        await page.get_by_role("link", name="Watch the replay").click()
        await expect(page.locator(".chapter").first).to_contain_text("Knit cardigan")
        await expect(page.get_by_role("heading", name="Products shown")).to_be_visible()


async def test_a_replays_picture_moves_while_it_plays_and_stands_while_it_does_not(
    recorder: LiveServer, browser: Browser
) -> None:
    await hold_a_show(recorder, "moves")
    async with visitor(browser, recorder, "/replay/moves", DESK) as page:
        video = page.locator("video")
        await video_is(page, "video.readyState >= 2")
        first = await picture_of(page)
        assert max(first) - min(first) > 40, "there is something to see"
        await video.evaluate("video => { video.muted = true; video.play() }")
        seen = [first]
        for moment in (1, 2, 3):
            await video_is(page, f"video.currentTime > {moment}")
            seen.append(await picture_of(page))
        assert all(apart(before, after) > 4 for before, after in pairwise(seen)), "it moves"
        assert await video.evaluate("video => video.getVideoPlaybackQuality().droppedVideoFrames") < 30
        await video.evaluate("video => video.pause()")
        await video_is(page, "video.paused")
        still = await picture_of(page)
        await asyncio.sleep(0.5)
        assert await picture_of(page) == still, "it stands"
        await video.evaluate("video => { video.currentTime = 0 }")
        await video_is(page, "!video.seeking && video.currentTime === 0")
        assert apart(await picture_of(page), first) < 4, "and goes back to where it began"


async def test_the_shop_takes_its_recording_home(recorder: LiveServer) -> None:
    await hold_a_show(recorder, "home")
    request = urllib.request.Request(
        f"{recorder.address}/api/shows/home/recording.mp4", headers={"Cookie": recorder._cookie("host")}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        data = answer.read()
    with av.open(io.BytesIO(data)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert len(times) > 5 * QUALITY.frames_per_second
    assert times == sorted(times)
