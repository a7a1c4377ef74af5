"""Chromium as host and as viewer on bad lines: what is lost is repaired, what is interrupted comes back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from livecommerce.media.settings import Media
from livecommerce.media.synthetic.host import SyntheticHost
from tests.media.lossy_network import QUEUE_SECONDS_MAX, Direction, Line, LossyNetwork
from tests.media.stage import TINY, Stage, open_stage, until, viewing
from tests.media.test_chromium import WATCH, chromium, decodes, opened

HOST_ADDRESS, VIEWER_ADDRESS = "127.0.0.2", "127.0.0.3"
BAD = pytest.mark.nightly
# A picture that moves and carries its capture time in a bar of cells, as the synthetic host's does.
GO_LIVE_WITH_CLOCK = """async () => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [640, 360];
  const context = canvas.getContext("2d");
  let index = 0;
  const draw = () => {
    index++;
    for (let column = 0; column < 8; column++) {
      context.fillStyle = `hsl(${(column * 45 + index * 3) % 360} 60% 50%)`;
      context.fillRect(column * 80, 0, 80, 360);
    }
    context.fillStyle = "white";
    context.fillRect((index * 7) % 580, 120 + 80 * Math.sin(index / 9), 60, 60);
    const value = Date.now() >>> 0;
    let check = 0;
    for (let shift = 0; shift < 32; shift += 4) check += (value >>> shift) & 15;
    const bits = "1010" + value.toString(2).padStart(32, "0") + (check & 15).toString(2).padStart(4, "0");
    [...bits].forEach((bit, cell) => {
      context.fillStyle = bit === "1" ? "white" : "black";
      context.fillRect(cell * 16, 0, 16, 16);
    });
  };
  setInterval(draw, 66);
  const sound = await navigator.mediaDevices.getUserMedia({ audio: true });
  window.states = [];
  window.session = whip.publish(new MediaStream([...canvas.captureStream(15).getTracks(), ...sound.getTracks()]),
    { url: "/whip/demo", maxKbps: 600, onstate: ({ state }) => states.push(state) });
}"""
# Looks at every frame shown: `readable` has a whole bar, `changed` differs from the one before, `grey` has no contrast.
LOOK = """() => {
  const video = document.getElementById("video");
  const bar = new OffscreenCanvas(640, 1).getContext("2d", { willReadFrequently: true });
  const small = new OffscreenCanvas(32, 18).getContext("2d", { willReadFrequently: true });
  const seen = (window.seen = { frames: 0, readable: 0, changed: 0, grey: 0, clock: 0, delayMs: null, delays: [] });
  let before = null;
  const look = () => {
    seen.frames++;
    const cell = video.videoWidth / 40;
    bar.drawImage(video, 0, cell / 2, video.videoWidth, 1, 0, 0, 640, 1);
    small.drawImage(video, 0, 0, 32, 18);
    const pixels = bar.getImageData(0, 0, 640, 1).data, picture = small.getImageData(0, 0, 32, 18).data;
    const bits = Array.from({ length: 40 }, (_, i) => (pixels[4 * (i * 16 + 8)] > 128 ? 1 : 0));
    const value = bits.slice(4, 36).reduce((sum, bit) => (sum * 2 + bit) >>> 0, 0);
    let check = 0;
    for (let shift = 0; shift < 32; shift += 4) check += (value >>> shift) & 15;
    const given = bits.slice(36).reduce((sum, bit) => sum * 2 + bit, 0);
    if (bits.slice(0, 4).join("") === "1010" && (check & 15) === given) {
      seen.readable++;
      seen.clock = value;
      seen.delayMs = ((Date.now() >>> 0) - value) | 0;
      if (seen.delays.push(seen.delayMs) > 300) seen.delays.shift();
    }
    const reds = picture.filter((_, i) => i % 4 === 0);
    if (Math.max(...reds) - Math.min(...reds) < 16) seen.grey++;
    if (before && picture.some((one, i) => Math.abs(one - before[i]) > 8)) seen.changed++;
    before = picture;
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
}"""
REPORT = """async () => {
  const found = { nacks: 0, plis: 0, repaired: 0, freezes: 0, frozenSeconds: 0, decoded: 0, lost: 0 };
  for (const entry of (await session.connection.getStats()).values()) {
    if (entry.type !== "inbound-rtp" || entry.kind !== "video") continue;
    Object.assign(found, {
      nacks: entry.nackCount, plis: entry.pliCount, lost: entry.packetsLost, decoded: entry.framesDecoded,
      repaired: entry.retransmittedPacketsReceived ?? 0,
      freezes: entry.freezeCount, frozenSeconds: entry.totalFreezesDuration,
    });
  }
  return JSON.stringify(found);
}"""


@contextlib.asynccontextmanager
async def lossy_stage(*, tcp: bool = False, seed: int = 11) -> AsyncIterator[tuple[Stage, LossyNetwork, LossyNetwork]]:
    """A relay that hosts reach through one network and viewers through another."""
    media = Media(host="127.0.0.1", external_addresses=(HOST_ADDRESS,))
    async with open_stage(media) as stage:
        port = stage.plane.mux.port
        with (
            LossyNetwork(HOST_ADDRESS, port, seed=seed, tcp=tcp) as host_side,
            LossyNetwork(VIEWER_ADDRESS, port, seed=2 * seed, tcp=tcp) as viewer_side,
        ):
            # the answer to a viewer sends, that to a host receives
            stage.rewrite = lambda answer: (
                answer.replace(HOST_ADDRESS, VIEWER_ADDRESS) if "a=sendonly" in answer else answer
            )
            yield stage, host_side, viewer_side


async def watching(browser: Browser, stage: Stage) -> Page:
    page = await opened(browser, stage, WATCH)
    await page.evaluate(LOOK)
    return page


async def seen(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await page.evaluate("JSON.stringify(seen)"))
    return found


async def report(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await page.evaluate(REPORT))
    return found


async def shows_more(page: Page, readable: int) -> dict[str, Any]:
    """Waits for further whole pictures on screen; they are not all the same, and not grey."""
    before = await seen(page)
    await page.wait_for_function(f"seen.readable >= {before['readable'] + readable}", timeout=40_000)
    after = await seen(page)
    assert after["clock"] != before["clock"]
    assert after["changed"] > before["changed"]
    shown = after["frames"] - before["frames"]
    assert after["grey"] - before["grey"] < shown / 2, after
    return after


async def comes_back(page: Page) -> float:
    """Seconds until a picture younger than a second and a half is on screen."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await page.evaluate("seen.delayMs = null")
    await page.wait_for_function("seen.delayMs !== null && seen.delayMs < 1500", timeout=30_000)
    return loop.time() - began


class TestTheNetworkItself:
    def test_the_same_seed_loses_the_same_datagrams(self) -> None:
        line = Line(loss=0.1)
        first, second = Direction(seed=5, line=line), Direction(seed=5, line=line)
        fates = [first.leaves_at(b"x" * 100, 0.0) for _ in range(2_000)]
        assert fates == [second.leaves_at(b"x" * 100, 0.0) for _ in range(2_000)]
        assert 150 < first.counters.lost < 250

    def test_a_pattern_counts_media_packets_only(self) -> None:
        direction = Direction(seed=1)
        direction.become(Line(pattern=(False, False, True)))
        media, report_packet, check = b"\x80\x66" + bytes(20), b"\x80\xc8" + bytes(20), bytes(20)
        fates = [direction.leaves_at(each, 0.0) for each in (media, report_packet, media, check, media, media)]
        assert fates == [0.0, 0.0, 0.0, 0.0, None, 0.0]

    def test_jitter_lets_datagrams_overtake(self) -> None:
        direction = Direction(seed=1, line=Line(delay_ms=50, jitter_ms=100))
        leaves = [direction.leaves_at(b"x", index * 0.01) for index in range(200)]
        assert all(0.05 <= (left or 0) - index * 0.01 <= 0.15 for index, left in enumerate(leaves))
        assert direction.counters.late > 20

    def test_a_narrow_line_queues_a_little_and_drops_the_rest(self) -> None:
        direction = Direction(seed=1, line=Line(kbps=100))
        leaves = [direction.leaves_at(bytes(1_222), 0.0) for _ in range(20)]
        passed = [left for left in leaves if left is not None]
        assert passed[:3] == pytest.approx([0.1, 0.2, 0.3])
        assert max(passed) <= QUEUE_SECONDS_MAX + 0.1 + 1e-9
        assert direction.counters.queue_full == 20 - len(passed)

    def test_it_carries_datagrams_between_real_sockets(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as relay:
            relay.bind(("127.0.0.1", 0))
            relay.settimeout(5)
            port = relay.getsockname()[1]
            with (
                LossyNetwork("127.0.0.2", port) as network,
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
            ):
                client.settimeout(5)
                client.sendto(b"question", ("127.0.0.2", port))
                question, upstream = relay.recvfrom(100)
                relay.sendto(b"answer", upstream)
                assert (question, client.recv(100)) == (b"question", b"answer")
                network.become(up=Line(is_blocked=True))
                client.sendto(b"nobody hears this", ("127.0.0.2", port))
                client.settimeout(0.3)
                with pytest.raises(TimeoutError):
                    client.recv(100)
                counters = network.counters()
                assert (counters["up"]["passed"], counters["up"]["lost"], counters["down"]["passed"]) == (1, 1, 1)


async def test_a_host_whose_first_picture_is_lost_is_asked_for_another() -> None:
    """Its encoder makes one keyframe at the start and then only those it is asked for, as browsers do."""
    async with lossy_stage() as (stage, host_side, _):
        host_side.become(up=Line(pattern=(True,)))  # the connection comes about, the media is lost
        stop = asyncio.Event()
        quality = replace(TINY, keyframe_seconds=600.0)
        host = SyntheticHost(f"{stage.url}/whip/demo", "host-token", quality=quality)
        running = asyncio.create_task(host.run(stop))
        try:
            await until(lambda: host_side.counters()["up"]["lost"] > 20, "the first pictures are lost")
            host_side.become(up=Line())
            await until(lambda: "live" in stage.states(), "live")
            assert stage.stream.tracks["video"].keyframes == 1
        finally:
            stop.set()
            await running


@pytest.mark.browser
@BAD
@pytest.mark.parametrize("seed", range(101, 111))
async def test_a_shows_first_host_gets_live_through_jitter(seed: int) -> None:
    """Its first keyframe's packets are overtaken by later ones, each time by others, and some are lost."""
    line = Line(loss=0.05 * (seed % 2), delay_ms=10.0, jitter_ms=100.0)
    async with lossy_stage(seed=seed) as (stage, host_side, _), chromium() as browser:
        host_side.become(up=line, down=line)
        await opened(browser, stage, GO_LIVE_WITH_CLOCK)
        await until(lambda: "live" in stage.states(), "live")
        async with viewing(stage) as (viewer,):
            await viewer.more_frames(10)


@pytest.mark.browser
@pytest.mark.parametrize(
    ("loss", "jitter_ms"),
    [
        pytest.param(0.01, 0.0, marks=BAD, id="1 % lost"),
        pytest.param(0.05, 0.0, id="5 % lost"),
        pytest.param(0.10, 0.0, marks=BAD, id="10 % lost"),
        pytest.param(0.0, 100.0, marks=BAD, id="100 ms of jitter"),
        pytest.param(0.05, 100.0, marks=BAD, id="5 % lost and 100 ms of jitter"),
    ],
)
async def test_both_ends_on_a_bad_line_and_a_tunnel_in_between(loss: float, jitter_ms: float) -> None:
    """Host and viewers join over the bad line already: checks, handshakes and the first keyframe suffer too."""
    line = Line(loss=loss, delay_ms=10.0, jitter_ms=jitter_ms)
    async with lossy_stage() as (stage, host_side, viewer_side), chromium() as browser:
        host_side.become(up=line, down=line)
        viewer_side.become(up=line, down=line)
        await opened(browser, stage, GO_LIVE_WITH_CLOCK)
        await until(lambda: "live" in stage.states(), "live")
        viewers = [await watching(browser, stage)]
        await shows_more(viewers[0], 30)
        viewers.append(await watching(browser, stage))  # late, in the middle of a group of pictures
        for viewer in viewers:
            await shows_more(viewer, 45)
        served = list(stage.stream.viewers.values())
        counted = viewer_side.counters()["down"]
        if loss:
            # what was lost came again: asked for by the viewers, and by the relay from the host
            assert counted["lost"] > 0
            assert sum(viewer.repairs for viewer in served) > 0
            assert stage.stream.statistics(0.0)["repaired"] > 0
        if jitter_ms:
            assert counted["late"] > 0
        on_the_line = [(await report(viewer), await seen(viewer)) for viewer in viewers]

        blocked = Line(is_blocked=True)
        viewer_side.become(up=blocked, down=blocked)
        await asyncio.sleep(3.0)
        viewer_side.become(up=line, down=line)
        seconds = [await comes_back(viewer) for viewer in viewers]
        await until(lambda: all(viewer.freezes.milliseconds > 1_500 for viewer in served), "pages tell their freezes")
        for viewer in viewers:
            await shows_more(viewer, 15)
        for (figures, shown), back in zip(on_the_line, seconds, strict=True):
            delays = sorted(shown["delays"])
            print(
                f"loss {loss:.0%} jitter {jitter_ms:.0f} ms: {figures['decoded']} decoded, {figures['freezes']} freezes"
                f" of {figures['frozenSeconds']:.1f} s, {figures['nacks']} nacks, {figures['plis']} keyframes asked,"
                f" {figures['repaired']} by RTX, delay p50 {delays[len(delays) // 2]} ms, back after {back:.1f} s"
            )
        print(
            f"relay: {[viewer.repairs for viewer in served]} repairs, host {stage.stream.statistics(0.0)['repaired']}"
        )


@pytest.mark.browser
async def test_a_browser_whose_network_drops_all_udp_watches_over_tcp() -> None:
    """Nothing in the answer says so: the browser's own checks find it out."""
    async with lossy_stage(tcp=True) as (stage, _, viewer_side), chromium() as browser:
        viewer_side.become(up=Line(is_blocked=True), down=Line(is_blocked=True))
        async with stage.host():
            viewer = await opened(browser, stage, WATCH)
            await decodes(viewer, 40)
            (served,) = stage.stream.viewers.values()
            assert served.statistics()["transport"] == "tcp"
            counted = viewer_side.counters()
            assert counted["streams"] > 0
            assert counted["up"]["lost"] > 0
            assert counted["up"]["passed"] == counted["down"]["passed"] == 0
            await viewer.close()
