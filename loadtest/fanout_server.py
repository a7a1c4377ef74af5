"""The server side of the fan-out test: our web process, or a plain python-socketio server as the peer."""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import uvloop
from aiohttp import web

from loadtest.children import raise_descriptor_limit, rss_kib

SHOW, SHOP = "load", "load"
TEXT = "這件外套好漂亮喔有沒有大一點的尺寸我想看看背面謝謝主播"  # 150 bytes of chat as JSON, with its fields


class Served:
    """What both servers can do when told."""

    port = 0

    async def start(self) -> None:
        raise NotImplementedError

    async def emit(self, ticks: int, lines: int) -> int:
        """Sends `ticks` times `lines` chat lines to everyone; returns frames a viewer."""
        raise NotImplementedError

    async def stop(self) -> None:
        raise NotImplementedError

    async def cpu(self) -> float:
        return time.process_time()

    async def rss(self) -> int:
        """KiB in use, garbage left out: for the memory of one viewer."""
        gc.collect()
        return rss_kib()

    async def resident(self) -> int:
        """KiB as they are: for a soak, which a collection of ours would change."""
        return rss_kib()

    async def address(self) -> int:
        return self.port

    async def _listen(self, app: web.Application) -> None:
        self.runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0, backlog=4096).start()
        self.port = self.runner.addresses[0][1]


class Stock(Served):
    """python-socketio as its documentation shows it."""

    async def start(self) -> None:
        import socketio

        self.server = socketio.AsyncServer(async_mode="aiohttp", transports=["websocket"])
        self.server.on("connect", self._connect)
        app = web.Application()
        self.server.attach(app)
        await self._listen(app)

    async def _connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        await self.server.enter_room(sid, SHOW)

    async def emit(self, ticks: int, lines: int) -> int:
        for number in range(ticks):
            for line in range(lines):
                await self.server.emit("chat", chat_line(number * lines + line), room=SHOW)
            await asyncio.sleep(0)
        return ticks * lines

    async def stop(self) -> None:
        await self.runner.cleanup()


class Ours(Served):
    """The real gateway on a real Valkey."""

    def __init__(self, hz: float) -> None:
        self._hz = hz

    async def start(self) -> None:
        from livecommerce.configuration.tree import Settings
        from livecommerce.http.identity import Identity, Staff
        from livecommerce.ops.redis_client import connect
        from livecommerce.ops.valkey import EmbeddedValkey
        from livecommerce.realtime.callers import Who
        from livecommerce.realtime.compose import build_realtime
        from livecommerce.realtime.settings import Realtime
        from livecommerce.shows.kinds import SHOW_KINDS
        from livecommerce.shows.registry import Registry
        from livecommerce.shows.store import ShowStore
        from livecommerce.stock.engine import StockEngine

        self.folder = tempfile.TemporaryDirectory(prefix="livecommerce-load-")
        self.valkey = EmbeddedValkey(Path(self.folder.name))
        await self.valkey.start_async()
        limits = Realtime(viewers_max=200_000, network_percent=100, tick_hz_max=self._hz)
        settings = Settings(realtime=limits)
        self.redis = connect(self.valkey.url)
        self.engine = StockEngine(self.redis, settings.stock)
        await self.engine.start()

        async def identify(request: web.Request) -> Identity:
            return Identity(viewer=request.cookies["lc_viewer"], staff=None, address="192.0.2.1")

        async def staff_now(identity: Identity) -> Staff | None:
            return identity.staff

        app = web.Application()
        self.store = ShowStore(self.redis, self.engine, Registry(SHOW_KINDS))
        await self.store.start()
        self.gateway = await build_realtime(app, self.store, settings.realtime, Who(identify, staff_now))
        await self._listen(app)
        await self._make_show()

    async def _make_show(self) -> None:
        from livecommerce.shows.commands import Actor
        from livecommerce.shows.kinds.pin import Pin
        from livecommerce.shows.kinds.stage import Start
        from livecommerce.shows.model import ShowItem, ShowSettings, ShowSetup

        items = [
            ShowItem(code=f"A{number:02}", names=(f"商品{number}",), price_minor=590, supply={f"A{number:02}": 300})
            for number in range(1, 21)
        ]
        # Without a waitlist: what is sold out is told so.
        setup = ShowSetup(id=SHOW, shop=SHOP, title="Load", items=tuple(items), settings=ShowSettings(waitlist=False))
        await self.store.create(setup)
        owner = Actor("load", "owner")
        await self.gateway.executor.execute(SHOW, Start(id="start-load"), owner)
        await self.gateway.executor.execute(SHOW, Pin(id="pin-the-first", code="A01"), owner)

    async def emit(self, ticks: int, lines: int) -> int:
        """Through projection, frame and broadcast, as log entries come in; only the read from Valkey is left out."""
        channel = self.gateway.channels.get(SHOW)
        assert channel is not None
        milliseconds, _, sequence = channel.offset.partition("-")
        numbers = itertools.count(int(sequence) + 1)
        for number in range(ticks):
            events = [{"t": "chat", "viewer": "load-1", **chat_line(number * lines + line)} for line in range(lines)]
            channel.pending.append((f"{milliseconds}-{next(numbers)}", events))
            await channel.tick()
            await asyncio.sleep(0)
        return ticks

    async def log_lines(self) -> list[int]:
        """Numbers of the crowd's own lines, in the order of the log."""
        found: list[int] = []
        offset = "0-0"
        while entries := await self.store.read(SHOW, offset):
            offset = entries[-1][0]
            for _, events in entries:
                texts = [event["text"] for event in events if event["t"] == "chat"]
                found += [int(text[1:].partition("@")[0]) for text in texts if text.startswith("#")]
        return found

    async def counters(self) -> dict[str, list[int]]:
        found = await self.engine.counters(SHOP, [])
        return {sku: [c.available, c.held, c.sold, c.waiting, c.supplied] for sku, c in found.items()}

    async def reserved(self, viewers: int) -> dict[str, int]:
        """Pieces in active claims of all viewers, by sku: must equal what the counters hold."""
        pieces: dict[str, int] = {}
        for number in range(viewers):
            for claim in await self.engine.claims(SHOP, show=SHOW, viewer=f"load-{number}"):
                if claim.state in ("held", "offered", "confirmed"):
                    pieces[claim.item] = pieces.get(claim.item, 0) + claim.reserved
        return pieces

    async def stop(self) -> None:
        await self.runner.cleanup()
        await self.store.close()
        await self.engine.close()
        await self.redis.aclose()
        await asyncio.to_thread(self.valkey.stop)
        self.folder.cleanup()


def chat_line(number: int) -> dict[str, Any]:
    return {
        "t": "chat",
        "id": f"line-{number:012}",
        "by": "abcdefghij",
        "name": "王小明",
        "text": TEXT,
        "at": 1_763_800_000_000,
        "kind": "viewer",
    }


async def _serve(pipe: Connection, served: Served) -> None:
    await served.start()
    pipe.send(served.port)
    loop = asyncio.get_running_loop()
    orders: asyncio.Queue[None] = asyncio.Queue()
    loop.add_reader(pipe.fileno(), orders.put_nowait, None)
    while True:
        await orders.get()
        if not pipe.poll(0):
            continue
        name, arguments = pipe.recv()
        if name == "close":
            await served.stop()
            pipe.send(None)
            return
        try:
            pipe.send(await getattr(served, name)(*arguments))
        except Exception as error:
            pipe.send(RuntimeError(repr(error)))


def server_process(pipe: Connection, core: int | None, kind: str, hz: float = 20.0) -> None:
    """Entry of the child process; `kind` is `ours` or `stock`."""
    raise_descriptor_limit()
    if core is not None:
        os.sched_setaffinity(0, {core})
    served: Served = Ours(hz) if kind == "ours" else Stock()
    uvloop.run(_serve(pipe, served))
