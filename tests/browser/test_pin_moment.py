"""The pinned card and the picture come together: a viewer whose picture is late sees the card late too, and a `+1` of
the time between means what was on that screen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from livecommerce.media.synthetic.host import Quality, SyntheticHost
from tests.browser.live_server import LiveServer
from tests.browser.test_story import PATIENCE_MS, PHONE, opened
from tests.browser.visitors import BAG, COAT, under_code

QUALITY = Quality(width=320, height=240, frames_per_second=15, bitrate_kbps=300, keyframe_seconds=2.0)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

# The page asks for as little delay as there is; this browser keeps a second and a half back, as a bad network makes it.
LATE = """
const target = Object.getOwnPropertyDescriptor(RTCRtpReceiver.prototype, "jitterBufferTarget");
Object.defineProperty(RTCRtpReceiver.prototype, "jitterBufferTarget", {
  configurable: true, get() { return target.get.call(this); }, set() { target.set.call(this, 1500); },
});
"""
# Notes which picture was on the screen when the pin came over the socket, and when the card appeared.
WITNESS = """
window.onScreen = null;
window.noted = {};
localStorage.setItem("lc_name", "Late");
const RealSocket = window.WebSocket;
window.WebSocket = class extends RealSocket {
  constructor(...words) {
    super(...words);
    this.addEventListener("message", ({ data }) => {
      if (typeof data === "string") return;
      if (new TextDecoder("latin1").decode(data).includes("media_timestamp")) noted.arrived = onScreen;
    });
  }
};
addEventListener("DOMContentLoaded", () => {
  const video = document.getElementById("video");
  const note = (_, frame) => {
    onScreen = frame.rtpTimestamp;
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
  new MutationObserver(() => {
    const code = document.querySelector("article.card .code")?.textContent;
    if (code && !(code in noted)) noted[code] = onScreen;
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
});
"""
# Types as soon as the next pin has come over the socket.
SAY = """
window.sayAtOnce = async (text) => {
  while (noted.arrived === undefined) await new Promise((done) => setTimeout(done, 5));
  const field = document.querySelector(".entry input");
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, text);
  field.dispatchEvent(new Event("input", { bubbles: true }));
  await new Promise((done) => setTimeout(done));
  field.form.requestSubmit();
  return document.querySelector("article.card .code").textContent;
};
"""
SAY_AT_ONCE = """(text) => {
  delete noted.arrived;
  window.saying = sayAtOnce(text);
}"""
# The same for a picture without RTP: seconds of the picture when the pin came, and when the card appeared.
PLAYED = WITNESS.replace("frame.rtpTimestamp", "video.currentTime")


def ticks(later: int, earlier: int) -> int:
    """Of the 90 kHz media clock, which wraps at 32 bits."""
    return (later - earlier + 0x80000000) % 0x100000000 - 0x80000000


def pin_of(server: LiveServer, show: str) -> dict[str, Any]:
    return dict(server.request("GET", f"/api/shows/{show}/snapshot")["pin"])


@asynccontextmanager
async def on_air(server: LiveServer, show: str) -> AsyncIterator[None]:
    """A show with a small picture."""
    server.make_show(show, [under_code(COAT, "M01"), under_code(BAG, "M02"), under_code(BAG, "M03")])
    server.command(show, "start")
    token = server.request("POST", f"/api/shows/{show}/ingest-token", {})["token"]
    stop = asyncio.Event()
    host = SyntheticHost(f"{server.address}/whip/{show}", token, quality=QUALITY)
    running = asyncio.create_task(host.run(stop))
    try:
        yield
    finally:
        stop.set()
        await running


async def command(server: LiveServer, show: str, do: str, **fields: Any) -> None:
    await asyncio.to_thread(server.command, show, do, **fields)


async def test_the_card_waits_for_a_late_picture_and_a_comment_means_what_was_shown(
    browser: Browser, server: LiveServer
) -> None:
    async with on_air(server, "moment"), opened(browser, server, "/live/moment", PHONE) as late:
        await late.context.add_init_script(LATE + WITNESS + SAY)
        await late.reload()
        await late.wait_for_function("() => window.onScreen !== null", timeout=PATIENCE_MS)
        await late.wait_for_timeout(3_000)  # the browser comes to its delay by and by

        await command(server, "moment", "pin", code="M02")
        await expect(late.locator("article.card .code")).to_have_text("M02", timeout=PATIENCE_MS)
        stamped = pin_of(server, "moment")["media_timestamp"]
        noted = await late.evaluate("noted")
        assert ticks(stamped, noted["arrived"]) > 27_000, "the pin came when its picture was far from being shown"
        assert ticks(noted["M02"], stamped) > -9_000, "and the card appeared with it, to some pictures"

        await late.evaluate(SAY_AT_ONCE, "+1")
        await command(server, "moment", "pin", code="M03")
        assert await late.evaluate("saying") == "M02"
        await expect(late.locator(".ribbon .ticket")).to_contain_text("M02", timeout=PATIENCE_MS)
        await expect(late.locator("article.card .code")).to_have_text("M03", timeout=PATIENCE_MS)

        await command(server, "moment", "unpin")
        await expect(late.locator("article.card")).to_have_count(0, timeout=PATIENCE_MS)


async def test_a_viewer_by_hls_sees_the_card_with_the_picture_too(browser: Browser, server: LiveServer) -> None:
    async with on_air(server, "moment-hls"), opened(browser, server, "/live/moment-hls", PHONE) as viewer:
        busy = {"error": {"number": 1, "code": "busy", "reason": "no room"}}
        await viewer.route("**/whep/**", lambda route: route.fulfill(status=503, json=busy))
        await viewer.add_init_script(PLAYED)
        await viewer.reload()
        await viewer.wait_for_function("() => window.onScreen > 2", timeout=2 * PATIENCE_MS)

        await command(server, "moment-hls", "pin", code="M02")
        await expect(viewer.locator("article.card .code")).to_have_text("M02", timeout=PATIENCE_MS)
        noted = await viewer.evaluate("noted")
        assert noted["M02"] - noted["arrived"] > 1.0, "the picture of the pin came a second or more after the pin"
