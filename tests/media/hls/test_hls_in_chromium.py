"""LL-HLS as players see it: a small client that follows blocking reloads, and hls.js in Chromium behind blocked UDP."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import re
from pathlib import Path

import aiohttp
import av
import pytest
from aiohttp import web
from playwright.async_api import async_playwright

from livecommerce.errors import LiveCommerceError
from livecommerce.http.answers import error_answer
from livecommerce.media.client.hls_door import HlsDoor
from livecommerce.media.routes import MEDIA, MediaNeeds, routes
from livecommerce.media.settings import Media
from tests.browser.chromium import FLAGS, chromium_path
from tests.media.stage import TINY, open_stage, until

WEB = Path(__file__).parents[3] / "web"
IMPORTS = {"hls.js": "/static/vendor/hls.light.min.mjs"}
PAGE = f"""<!doctype html><video id="video" muted playsinline></video>
<script type="importmap">{json.dumps({"imports": IMPORTS})}</script>
<script type="module">
import {{ play }} from "/static/shared/playback.js";
window.states = []; window.paths = [];
window.playback = play(document.getElementById("video"), {{
  url: "/whep/demo", hlsUrl: "/live/demo/hls/index.m3u8", iceServers: [],
  onstate: (change) => states.push(change), onpath: (path) => paths.push(path),
}});
</script>"""


@web.middleware
async def numbered(request, handler):
    try:
        return await handler(request)
    except LiveCommerceError as error:
        return error_answer(error)


@contextlib.asynccontextmanager
async def site(stage, *, is_udp_blocked=False):
    """The web role's doors in front of the relay. Behind blocked UDP the relay's address leads nowhere."""

    async def page(request):
        return web.Response(text=PAGE, content_type="text/html")

    async def offer(request):
        session = await stage.control.play("demo", await request.text())
        answer = session.answer
        if is_udp_blocked:
            answer = re.sub(r"(a=candidate:\S+ 1 (?:udp|tcp) \d+ \S+) \d+", r"\1 9", answer)
        return web.Response(status=201, text=answer, headers={"Location": session.location, "ETag": session.etag})

    async def relay_for(show):
        return stage.control

    async def on_air(show):
        return "lingling", "live"

    async def unasked(*names):
        raise AssertionError("a playlist asks for no more than the stage")

    app = web.Application(middlewares=[numbered])
    app[MEDIA] = MediaNeeds(
        settings=Media(),
        relay_for=relay_for,
        hls=HlsDoor(relay_for),
        place_of=on_air,
        refuse_banned=unasked,
        own_show=unasked,
        ingest_tokens=None,
        rate_limit=None,
        audit=None,
    )
    app.add_routes([web.get("/", page), web.post("/whep/demo", offer), web.static("/static", WEB), *routes])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class Follower:
    """A player that knows the standard: reloads by the next part's number, fetches each part once."""

    def __init__(self, session, base):
        self.session, self.base = session, base
        self.parts: dict[str, bytes] = {}
        self.initialization = b""
        self.reloads = 0

    async def get(self, path):
        async with self.session.get(f"{self.base}/{path}") as answer:
            assert answer.status == 200, (path, answer.status, await answer.text())
            return answer.headers, await answer.read()

    async def follow(self, count):
        query = ""
        while len(self.parts) < count:
            headers, body = await self.get(f"index.m3u8{query}")
            assert headers["Content-Type"].startswith("application/vnd.apple.mpegurl")
            playlist = body.decode()
            if not self.initialization:
                headers, self.initialization = await self.get(re.search(r'#EXT-X-MAP:URI="([^"]+)"', playlist)[1])
                assert "immutable" in headers["Cache-Control"]
            fresh = [uri for uri in re.findall(r'#EXT-X-PART:.*?URI="([^"]+)"', playlist) if uri not in self.parts]
            assert fresh, "a blocking reload always brings something new"
            for uri in fresh:
                headers, self.parts[uri] = await self.get(uri)
                assert headers["Content-Type"] == "video/mp4"
                assert "immutable" in headers["Cache-Control"]
            hint = re.search(r'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="(\d+)\.(\d+)\.m4s"', playlist)
            query = f"?_HLS_msn={hint[1]}&_HLS_part={hint[2]}"
            self.reloads += 1


async def test_a_player_follows_by_blocking_reloads_and_decodes_every_part():
    async with open_stage() as stage, stage.host(), site(stage) as url, aiohttp.ClientSession() as session:
        async with session.get(f"{url}/live/demo/hls/index.m3u8") as answer:
            assert answer.status == 200
            assert re.search(r'CODECS="avc1\.[0-9a-f]{6},opus"', await answer.text())
        followers = [Follower(session, f"{url}/live/demo/hls/opus") for _ in range(3)]
        await asyncio.gather(*(follower.follow(20) for follower in followers))
        first = followers[0]
        assert first.reloads > 10
        pictures, sounds = decoded(first.initialization + b"".join(first.parts.values()))
        assert len(pictures) > 20 * 0.3 * TINY.frames_per_second * 0.8
        assert sounds[-1] - sounds[0] > 5.0
        assert abs(pictures[-1] - sounds[-1]) < 0.3
        for wrong, status in [
            ("opus/index.m3u8?_HLS_part=1", 400),
            ("opus/index.m3u8?_HLS_msn=x", 400),
            ("opus/index.m3u8?_HLS_msn=999999999999", 400),
            ("opus/1.m4s", 404),
            ("opus/1.2.m4s", 404),
            ("opus/init-1-1.mp4", 404),
            ("flac/index.m3u8", 404),
        ]:
            async with session.get(f"{url}/live/demo/hls/{wrong}") as answer:
                assert answer.status == status, wrong
        async with session.get(f"{url}/live/nobody/hls/index.m3u8") as answer:
            assert answer.status == 404


async def test_the_aac_variant_begins_when_it_is_asked_for():
    async with open_stage() as stage, stage.host(), site(stage) as url, aiohttp.ClientSession() as session:
        follower = Follower(session, f"{url}/live/demo/hls/aac")
        await follower.follow(8)
        with av.open(io.BytesIO(follower.initialization + b"".join(follower.parts.values()))) as container:
            assert container.streams.audio[0].codec.name == "aac"
        pictures, sounds = decoded(follower.initialization + b"".join(follower.parts.values()))
        assert pictures
        assert sounds[-1] - sounds[0] > 1.5


async def test_the_end_of_the_stream_ends_the_playlist():
    async with open_stage() as stage, site(stage) as url, aiohttp.ClientSession() as session:
        async with stage.host():
            await Follower(session, f"{url}/live/demo/hls/opus").follow(5)
        async with asyncio.timeout(10):
            while True:
                async with session.get(f"{url}/live/demo/hls/opus/index.m3u8") as answer:
                    if "#EXT-X-ENDLIST" in await answer.text():
                        break
                await asyncio.sleep(0.1)


async def test_a_host_who_vanishes_and_comes_back_goes_on_in_the_same_playlist():
    async with open_stage() as stage, site(stage) as url, aiohttp.ClientSession() as session:
        follower = Follower(session, f"{url}/live/demo/hls/opus")
        async with stage.host(should_delete=False):
            await follower.follow(5)
        before = max(int(uri.split(".")[0]) for uri in follower.parts)
        await asyncio.sleep(1.5)
        async with stage.host(should_delete=False):
            async with asyncio.timeout(20):
                while True:
                    _, body = await follower.get("index.m3u8")
                    playlist = body.decode()
                    if "#EXT-X-DISCONTINUITY\n" in playlist and re.search(
                        r"#EXT-X-PART:", playlist.split("DISCONTINUITY\n")[-1]
                    ):
                        break
                    await asyncio.sleep(0.2)
        after = playlist.split("#EXT-X-DISCONTINUITY\n")[-1]
        uri = re.search(r'#EXT-X-PART:.*?URI="([^"]+)"', after)[1]
        assert int(uri.split(".")[0]) > before
        name = re.findall(r'#EXT-X-MAP:URI="([^"]+)"', playlist)[-1]
        _, initialization = await follower.get(name)
        _, part = await follower.get(uri)
        pictures, _ = decoded(initialization + part)
        assert pictures


def decoded(data):
    """Times of decoded pictures and sounds."""
    kinds = {"video": [], "audio": []}
    with av.open(io.BytesIO(data)) as container:
        for packet in container.demux():
            kinds[packet.stream.type] += [frame.time for frame in packet.decode()]
    return kinds["video"], kinds["audio"]


@pytest.mark.browser
async def test_a_page_behind_blocked_udp_plays_by_hls_and_pictures_go_on():
    async with (
        open_stage() as stage,
        stage.host(),
        site(stage, is_udp_blocked=True) as url,
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))
        try:
            page = await browser.new_page()
            await page.goto(url)
            await page.wait_for_function("paths.at(-1) === 'hls' && playback.state === 'live'", timeout=40_000)
            frames = "document.getElementById('video').getVideoPlaybackQuality().totalVideoFrames"
            before = await page.evaluate(frames)
            await page.wait_for_function(f"{frames} > {before + 45}", timeout=20_000)
            stats = await page.evaluate("playback.stats()")
            assert (stats["width"], stats["height"]) == (TINY.width, TINY.height)
            assert stats["jitterMs"] < 6_000
            heard = await page.evaluate("document.getElementById('video').webkitAudioDecodedByteCount")
            assert heard > 0
        finally:
            await browser.close()


@pytest.mark.browser
async def test_a_page_with_a_free_way_plays_by_webrtc_and_never_loads_hls():
    async with open_stage() as stage, stage.host(), site(stage) as url, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))
        try:
            page = await browser.new_page()
            asked = []
            page.on("request", lambda request: asked.append(request.url))
            await page.goto(url)
            await page.wait_for_function("playback.state === 'live'", timeout=30_000)
            await asyncio.sleep(6.5)  # past the moment at which a blocked way would have been given up
            assert await page.evaluate("paths") == ["webrtc"]
            assert not [one for one in asked if "hls" in one]
            await until(lambda: len(stage.stream.viewers) == 1, "one WebRTC viewer")
        finally:
            await browser.close()
