"""Half a host: no camera, one that was announced and sends nothing, one that stops. The show goes on with its sound."""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import av
import pytest
from playwright.async_api import async_playwright

from livecommerce.media.packaging.stand_in import stand_in_units
from livecommerce.media.recording.files import folder_of
from livecommerce.media.recording.reader import read_recording
from livecommerce.media.synthetic.host import SyntheticHost
from livecommerce.media.wire import h264
from tests.browser.chromium import FLAGS, chromium_path
from tests.media.hls.test_hls_in_chromium import Follower, site
from tests.media.stage import TINY, DecodingViewer, Stage, open_stage, until, viewing

# What they announce, and what of it they send.
HALVES = {
    "no camera": (("audio",), {"audio"}),
    "a camera that never sends": (("video", "audio"), {"audio"}),
}


@contextlib.asynccontextmanager
async def half_a_host(stage: Stage, kinds: tuple[str, ...], sending: set[str]) -> AsyncIterator[SyntheticHost]:
    host = stage.new_host()
    host.kinds, host.sending = kinds, sending
    async with stage.connecting(host):
        yield host


def pictures_told(stage: Stage) -> list[tuple[str, bool]]:
    """The stream events: state, and whether there is a picture."""
    return [(event["state"], event["picture"]) for _, event in stage.events]


def drawn_size() -> tuple[int, int]:
    drawn = h264.parse_sequence_parameters(stand_in_units()[0].parameters.sequence[0])
    assert drawn is not None
    return drawn.width, drawn.height


@pytest.mark.parametrize("half", HALVES)
async def test_sound_alone_is_a_show(half: str) -> None:
    async with open_stage() as stage, half_a_host(stage, *HALVES[half]), viewing(stage) as (viewer,):
        await until(lambda: stage.states() == ["live"], "it is live")
        await until(lambda: viewer.sounds > 50, "viewers hear it")
        assert pictures_told(stage) == [("live", False)]
        hint = "sound_alone" if half == "no camera" else "no_video"
        await until(lambda: stage.stream.hint == hint, f"the host is told ({stage.stream.hint})")
        assert stage.stream.statistics(0.0)["viewers_waiting"] == 0


@pytest.mark.parametrize("half", HALVES)
async def test_sound_alone_plays_by_hls(half: str) -> None:
    async with (
        open_stage() as stage,
        half_a_host(stage, *HALVES[half]),
        site(stage) as url,
        aiohttp.ClientSession() as session,
    ):
        await until(lambda: stage.states() == ["live"], "it is live")
        async with session.get(f"{url}/live/demo/hls/index.m3u8") as answer:
            assert answer.status == 200
            assert re.search(r'CODECS="avc1\.[0-9a-f]{6},opus",RESOLUTION=640x360', await answer.text())
        for variant in ("opus", "aac"):
            follower = Follower(session, f"{url}/live/demo/hls/{variant}")
            await follower.follow(14)
            data = follower.initialization + b"".join(follower.parts.values())
            with av.open(io.BytesIO(data)) as container:
                frames = list(container.decode(video=0))
            with av.open(io.BytesIO(data)) as container:
                times = [frame.time for frame in container.decode(audio=0)]
            assert {(frame.width, frame.height) for frame in frames} == {drawn_size()}
            assert times[-1] - times[0] > 3.5


async def test_a_camera_that_stops_and_one_that_comes_back_need_no_restart() -> None:
    async with (
        open_stage() as stage,
        stage.host() as host,
        viewing(stage) as (viewer,),
        site(stage) as url,
        aiohttp.ClientSession() as session,
    ):
        await viewer.more_frames(10)
        follower = Follower(session, f"{url}/live/demo/hls/opus")
        await follower.follow(5)
        host.sending = {"audio"}
        await until(lambda: pictures_told(stage)[-1] == ("live", False), "viewers' pages are told")
        assert stage.stream.hint == "no_video"
        heard = viewer.sounds
        await until(lambda: viewer.sounds > heard + 50, "the sound goes on")
        late = await DecodingViewer().join(stage.control)
        await until(lambda: late.sounds > 50, "who comes now hears it")
        await follower.follow(len(follower.parts) + 12)
        host.sending = {"video", "audio"}
        await until(lambda: pictures_told(stage)[-1] == ("live", True), "viewers' pages are told again")
        await viewer.more_frames(20)
        await late.more_frames(20)
        await late.leave()
        await follower.follow(len(follower.parts) + 12)
        _, playlist = await follower.get("index.m3u8")
        assert playlist.decode().count("#EXT-X-DISCONTINUITY\n") == 2, "there and back"
        assert host.publications == 1
        assert set(stage.states()) == {"live"}
        await until(lambda: stage.stream.hint not in ("no_video", "sound_alone"), "the host is told no more")


@pytest.mark.browser
async def test_a_page_behind_blocked_udp_hears_sound_alone_and_sees_the_camera_that_comes() -> None:
    async with (
        open_stage() as stage,
        half_a_host(stage, *HALVES["a camera that never sends"]) as host,
        site(stage, is_udp_blocked=True) as url,
        async_playwright() as playwright,
    ):
        await until(lambda: stage.states() == ["live"], "it is live")
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))
        try:
            page = await browser.new_page()
            await page.goto(url)
            await page.wait_for_function("paths.at(-1) === 'hls' && playback.state === 'live'", timeout=40_000)
            heard = "document.getElementById('video').webkitAudioDecodedByteCount"
            before = await page.evaluate(heard)
            await page.wait_for_function(f"{heard} > {before} + 10_000", timeout=20_000)
            width, _ = drawn_size()
            assert await page.evaluate("document.getElementById('video').videoWidth") == width
            host.sending = {"video", "audio"}
            await page.wait_for_function(
                f"document.getElementById('video').videoWidth === {TINY.width}", timeout=30_000
            )
            frames = "document.getElementById('video').getVideoPlaybackQuality().totalVideoFrames"
            before = await page.evaluate(frames)
            await page.wait_for_function(f"{frames} > {before} + 30", timeout=20_000)
            assert await page.evaluate("paths") == ["webrtc", "hls"], "one player, all the time"
        finally:
            await browser.close()


async def test_another_relay_has_the_sound_of_a_show_without_a_camera() -> None:
    async with open_stage() as origin, open_stage() as edge, half_a_host(origin, *HALVES["no camera"]):
        await until(lambda: origin.states() == ["live"], "it is live")
        viewer = await DecodingViewer().join(edge.control, origin=origin.control.address)
        await until(lambda: viewer.sounds > 50, "viewers there hear it")
        await viewer.leave()


async def test_sound_alone_is_recorded(tmp_path: Path) -> None:
    async with open_stage(data_folder=str(tmp_path)) as stage, half_a_host(stage, *HALVES["no camera"]):
        folder = folder_of(tmp_path, "demo")
        await until(lambda: (found := read_recording(folder)) is not None and found.duration_ms > 3_000, "it is kept")
    found = read_recording(folder)
    assert found is not None
    movie = found.movie()
    assert movie is not None
    data = await asyncio.to_thread(lambda: b"".join(movie.read(0, movie.size)))
    with av.open(io.BytesIO(data)) as container:
        times = [frame.time for frame in container.decode(audio=0)]
    assert times[-1] - times[0] > 2.9
    assert len(found.sound_alone()) == 1
    assert TINY.width not in {frame.width for frame in av.open(io.BytesIO(data)).decode(video=0)}
