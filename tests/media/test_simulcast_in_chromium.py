"""Chromium's own simulcast: what its page and its line ask for is what it gets, and its decoder goes on."""

from __future__ import annotations

import pytest
from playwright.async_api import Page

from tests.media.lossy_network import Line
from tests.media.stage import open_stage, until
from tests.media.test_chromium import WATCH, chromium, decodes, figures, opened, waiting
from tests.media.test_lossy_network import lossy_stage

pytestmark = pytest.mark.browser

# 360 lines and 15 pictures a second: two encoders and the viewers' decoders share two cores with everything else.
# Chromium's own picture is so still that its layers lie within the waves of the sound: noise that moves fills them.
GO_LIVE_IN_LAYERS = """async () => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 360 });
  const context = canvas.getContext("2d");
  const noise = context.createImageData(1280, 720);
  noise.data.forEach((_, at, all) => (all[at] = at % 4 === 3 ? 255 : Math.random() * 256)); // opaque
  const sheet = await createImageBitmap(noise);
  setInterval(() => context.drawImage(sheet, -Math.random() * 640, -Math.random() * 360), 66);
  const stream = canvas.captureStream(15);
  const sound = await navigator.mediaDevices.getUserMedia({ audio: true });
  stream.addTrack(sound.getAudioTracks()[0]);
  window.session = whip.publish(stream, { url: "/whip/demo", simulcast: true, maxKbps: 1200 });
}"""


# Chromium's Opus with its headers.
SOUND_KBPS = 50


async def shows(page: Page, lines: int) -> None:
    """Waits until the page decodes pictures of this size, and more of them."""
    await waiting(page, lambda found: found.get("height") == lines, f"{lines} lines")
    await decodes(page, 10)


async def test_a_page_gets_the_layer_it_has_room_for() -> None:
    async with open_stage() as stage, chromium() as browser:
        await opened(browser, stage, GO_LIVE_IN_LAYERS)
        await until(lambda: "live" in stage.states() and len(stage.stream.alive()) == 2, "both layers")
        assert [layer.rid for layer in stage.stream.alive()] == ["m", "h"]
        viewer = await opened(browser, stage, WATCH)
        await viewer.evaluate("video.style = 'width: 640px; height: 360px'")
        await shows(viewer, 360)
        await viewer.evaluate("video.style = 'width: 160px; height: 90px'")
        await shows(viewer, 180)
        await viewer.evaluate("video.style = 'width: 640px; height: 360px'")
        await shows(viewer, 360)
        assert (await figures(viewer))["packetsLost"] == 0
        await until(lambda: stage.stream.hint in ("good", "bitrate_low"), "a healthy stream")


@pytest.mark.nightly
async def test_a_page_out_of_sight_gets_sound_alone_until_it_is_seen() -> None:
    async with open_stage() as stage, chromium() as browser:
        await opened(browser, stage, GO_LIVE_IN_LAYERS)
        await until(lambda: "live" in stage.states(), "live")
        viewer = await opened(browser, stage, WATCH)
        await decodes(viewer, 10)
        # headless pages are never hidden: the page is told so
        await viewer.evaluate(
            """() => {
              let hidden = true;
              Object.defineProperty(document, "hidden", { get: () => hidden });
              window.see = () => ((hidden = false), document.dispatchEvent(new Event("visibilitychange")));
              document.dispatchEvent(new Event("visibilitychange"));
            }"""
        )
        await until(lambda: stage.stream.paused_count == 1, "sound alone")
        await viewer.evaluate("see()")
        await decodes(viewer, 10)
        assert stage.stream.paused_count == 0


async def test_a_narrow_line_gets_the_small_layer_and_a_wide_one_the_large(monkeypatch: pytest.MonkeyPatch) -> None:
    async with lossy_stage() as (stage, _, viewer_side), chromium() as browser:
        await opened(browser, stage, GO_LIVE_IN_LAYERS)
        await until(lambda: "live" in stage.states() and len(stage.stream.alive()) == 2, "both layers")
        viewer = await opened(browser, stage, WATCH)
        await viewer.evaluate("video.style = 'width: 640px; height: 360px'")
        await shows(viewer, 360)
        large, small = (layer.usual_kbps for layer in reversed(stage.stream.alive()))
        viewer_side.become(down=Line(kbps=round((large + small) / 2 + SOUND_KBPS)))
        await shows(viewer, 180)
        # only now: while the line is narrow each trial of the large layer would fill it again
        monkeypatch.setattr("livecommerce.media.viewers.ladder.TRIAL_SECONDS", (3.0,))
        viewer_side.become(down=Line())
        await shows(viewer, 360)
