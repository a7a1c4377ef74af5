"""The stock browser builds of socket.io-client, with and without msgpack, in a real Chromium against the server."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import async_playwright
from redis.asyncio import Redis

from tests.browser.chromium import FLAGS, chromium_path
from tests.realtime.test_stock_client import NODE, node
from tests.realtime.world import serving

DIST = NODE / "node_modules" / "socket.io-client" / "dist"
PAGE = """<!doctype html><title>stock client</title><script src="/client.js"></script><script>
  window.met = { frames: 0, stock: null, claim: null, private: [] };
  const socket = io({ transports: ["websocket"], auth: { show: "demo", as: "viewer", name: "Chromium" } });
  socket.on("snapshot", (snapshot) => (met.snapshot = snapshot));
  socket.on("private", ({ ev }) => met.private.push(...ev));
  socket.on("bye", (bye) => (met.bye = bye));
  socket.on("frame", (frame) => {
    met.frames += 1;
    for (const event of frame.ev) {
      if (event.t === "stock") met.stock = event.items;
      if (event.t === "claim") met.claim = event;
    }
  });
  window.say = (text) => socket.timeout(8000).emitWithAck("comment", { id: crypto.randomUUID(), text });
</script>"""

assert node  # the fixture that installs the npm package


@pytest.mark.browser
@pytest.mark.parametrize("build", ["socket.io.min.js", "socket.io.msgpack.min.js"])
@pytest.mark.parametrize("fast", [True, False], ids=["fast", "stock"])
async def test_a_browser_joins_orders_and_sees_the_counter_drop(
    valkey: Redis, node: str, build: str, fast: bool
) -> None:
    async def page(request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def client(request: web.Request) -> web.FileResponse:
        return web.FileResponse(Path(DIST / build))

    routes = [web.get("/page", page), web.get("/client.js", client)]
    async with serving(valkey, fast=fast, routes=routes) as world, async_playwright() as playwright:
        host = await world.connect(staff="host")
        await host.go_live()
        chromium = await playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))
        try:
            context = await chromium.new_context()
            await context.add_cookies([{"name": "lc_viewer", "value": "chris", "url": world.url}])
            window = await context.new_page()
            await window.goto(f"{world.url}/page")
            await window.wait_for_function("window.met.snapshot")
            assert await window.evaluate("met.snapshot.me.name") == "Chromium"
            answer = await window.evaluate("say('A01+2')")
            assert (answer["ok"], answer["reason"]) == (True, "reserved")
            await window.wait_for_function("met.stock && met.stock.A01[0] === 3")
            await window.wait_for_function("met.private.some((event) => event.t === 'ticket')")
            assert (await host.event("claim", code="A01"))["name"] == "Chromium"
        finally:
            await chromium.close()
