"""A live show with a real server, real Valkey and real sockets, for the tests of this room."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgpack
import orjson
from aiohttp import web
from redis.asyncio import Redis

from livecommerce.configuration.tree import Settings
from livecommerce.http.identity import Identity, Staff, Visit
from livecommerce.realtime.callers import Who
from livecommerce.realtime.compose import build_realtime
from livecommerce.realtime.gateway import Gateway
from livecommerce.realtime.tasks import end
from livecommerce.shows.kinds import SHOW_KINDS
from livecommerce.shows.model import ShowLimits
from livecommerce.shows.registry import Registry
from livecommerce.shows.store import ShowStore
from livecommerce.stock.engine import StockEngine
from tests.intake.demo_show import SHOP, SHOW, new_id, setup

KINDS = Registry(SHOW_KINDS)


ANSWER_SECONDS_MAX = 20.0
_STRANGERS = itertools.count(1)


async def identify(request: web.Request) -> Identity:
    """Test cookies: `lc_viewer` is the id itself, `lc_staff` is `shop.role`."""
    staff = None
    if "lc_staff" in request.cookies:
        shop, role = request.cookies["lc_staff"].split(".")
        staff = Staff(id="s1", shop=shop, login=f"{role}1", name="", role=role)  # type: ignore[arg-type]
    address = request.headers.get("X-Test-Address", "192.0.2.1")
    viewer = request.cookies.get("lc_viewer")
    fresh = f"fresh-{next(_STRANGERS)}"  # as for every request without a cookie
    return Identity(viewer or fresh, staff, address, is_known=viewer is not None)


def admit_pass(token: str, show: str) -> Visit | None:
    """A test's pass is `show/viewer`."""
    return Visit(token.partition("/")[2], 0) if token.startswith(f"{show}/") else None


async def staff_now(identity: Identity) -> Staff | None:
    """These logins never end; tests/roles has those that do."""
    return identity.staff


WHO = Who(
    identify,
    staff_now,
    address=lambda request: request.headers.get("X-Test-Address", "192.0.2.1"),
    admit_pass=admit_pass,
)


class Client:
    """A Socket.IO client on a raw WebSocket that keeps everything it hears, in order."""

    def __init__(self, world: World, serializer: str, cookies: dict[str, str], address: str) -> None:
        self.world = world
        self.serializer = serializer
        self.heard: list[tuple[str, Any]] = []
        self.closed: int | None = None
        self.refused: Any = None
        self._cookies = cookies
        self._address = address
        self._ids = itertools.count(1)
        self._acks: dict[int, asyncio.Future[Any]] = {}
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.websocket: aiohttp.ClientWebSocketResponse = None  # type: ignore[assignment]

    async def open(self) -> None:
        headers = {"X-Test-Address": self._address}
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{key}={value}" for key, value in self._cookies.items())
        self.websocket = await self.world.session.ws_connect(
            f"{self.world.url}/socket.io/?EIO=4&transport=websocket", headers=headers, compress=15, max_msg_size=0
        )
        await self.websocket.receive()
        self._task = asyncio.create_task(self._listen())

    async def send_packet(self, packet: dict[str, Any]) -> None:
        if self.serializer == "msgpack":
            await self.websocket.send_bytes(msgpack.packb({"nsp": "/", "data": None, **packet}))
        else:
            data = b"" if packet.get("data") is None else orjson.dumps(packet["data"])
            await self.websocket.send_str(f"4{packet['type']}{packet.get('id', '')}{data.decode()}")

    async def call(self, event: str, data: Any = None) -> Any:
        """Sends an event and gives its ack."""
        number = next(self._ids)
        self._acks[number] = asyncio.get_running_loop().create_future()
        await self.send_packet({"type": 2, "id": number, "data": [event, data]})
        return await asyncio.wait_for(self._acks[number], ANSWER_SECONDS_MAX)

    async def go_live(self) -> None:
        """As staff: starts the show and waits until this process knows it."""
        assert (await self.command("start"))["ok"]
        await self.event("stage", stage="live")

    async def comment(self, text: str, **more: Any) -> Any:
        return await self.call("comment", {"id": new_id(), "text": text, **more})

    async def command(self, do: str, **fields: Any) -> Any:
        return await self.call("command", {"id": new_id(), "do": do, **fields})

    async def _listen(self) -> None:
        while True:
            message = await self.websocket.receive()
            if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                self.closed = self.websocket.close_code or 1006
                self._arrived.set()
                return
            if message.data == "2":
                await self.websocket.send_str("3")
            else:
                self._take(self._decode(message.data))

    def _decode(self, data: str | bytes) -> dict[str, Any]:
        if isinstance(data, bytes):
            return msgpack.unpackb(data)
        digits = "".join(itertools.takewhile(str.isdigit, data[2:]))
        rest = data[2 + len(digits) :]
        return {
            "type": int(data[1]),
            "data": orjson.loads(rest) if rest else None,
            "id": int(digits) if digits else None,
        }

    def _take(self, packet: dict[str, Any]) -> None:
        if packet["type"] == 3:
            self._acks.pop(packet["id"]).set_result(packet["data"][0])
            return
        if packet["type"] == 4:
            self.refused = packet["data"]
        else:
            name, data = ("connected", packet["data"]) if packet["type"] == 0 else packet["data"]
            self.heard.append((name, data))
        self._arrived.set()

    async def until(self, condition: Any) -> Any:
        """Waits until the condition gives something true, looking again after every arrival."""
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            while True:
                found = condition()
                if found:
                    return found
                self._arrived.clear()
                await self._arrived.wait()

    def all(self, name: str) -> list[Any]:
        return [data for heard, data in self.heard if heard == name]

    def events(self, kind: str) -> list[Any]:
        return [event for frame in self.all("frame") for event in frame["ev"] if event["t"] == kind]

    def private(self, kind: str) -> list[Any]:
        return [event for data in self.all("private") for event in data["ev"] if event["t"] == kind]

    async def event(self, kind: str, **fields: Any) -> Any:
        """The first wire event of a kind with these fields, waited for."""
        return await self.until(
            lambda: next((e for e in self.events(kind) if all(e.get(k) == v for k, v in fields.items())), None)
        )

    @property
    def snapshot(self) -> Any:
        return self.all("snapshot")[-1]

    def chain(self) -> list[str]:
        """Offsets as heard: the snapshot's, then `t` of each frame; fails on a gap."""
        offsets: list[str] = []
        for name, data in self.heard:
            if name == "snapshot":
                offsets.append(data["offset"])
            elif name == "frame":
                assert not offsets or data["f"] == offsets[-1], "gap or overlap between frames"
                offsets.append(data["t"])
        return offsets

    async def close(self) -> None:
        if self.websocket is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await self.websocket.close()
        await end(self._task)


class World:
    """A web process with a show in it, and whoever connects."""

    def __init__(self, gateway: Gateway, store: ShowStore, url: str) -> None:
        self.gateway = gateway
        self.store = store
        self.redis = store.redis
        self.engine = store.engine
        self.url = url
        self.session: aiohttp.ClientSession = None  # type: ignore[assignment]
        self.clients: list[Client] = []

    async def connect(
        self, viewer: str = "", *, staff: str = "", show: str = SHOW, serializer: str = "msgpack",
        address: str = "192.0.2.1", **auth: Any,
    ) -> Client:  # fmt: skip
        cookies = {"lc_viewer": viewer} if viewer else {}
        if staff:
            cookies["lc_staff"] = f"{SHOP}.{staff}"
        client = Client(self, serializer, cookies, address)
        self.clients.append(client)
        await client.open()
        await client.send_packet({"type": 0, "data": {"show": show, "as": "staff" if staff else "viewer", **auth}})
        await client.until(lambda: client.refused or client.all("snapshot") or client.all("frame") or client.closed)
        return client

    async def close(self) -> None:
        await asyncio.gather(*(client.close() for client in self.clients))
        await self.session.close()


@asynccontextmanager
async def serving(
    redis: Redis,
    settings: Settings | None = None,
    *,
    fast: bool = True,
    create: bool = True,
    who: Who = WHO,
    routes: Sequence[web.RouteDef] = (),
) -> Any:
    """A running world with the demo show in it; `routes` are served beside the socket."""
    settings = settings or Settings()
    engine = StockEngine(redis, settings.stock)
    await engine.start()
    app = web.Application()
    app.add_routes(routes)
    store = ShowStore(redis, engine, KINDS)
    await store.start()
    gateway = await build_realtime(app, store, settings.realtime, who, fast=fast)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    world = World(gateway, store, f"http://127.0.0.1:{runner.addresses[0][1]}")
    world.session = aiohttp.ClientSession()
    try:
        if create:
            await store.create(setup(limits=ShowLimits(newcomers_percent=100)))  # all come by one address
        yield world
    finally:
        await world.close()
        await runner.cleanup()
        await store.close()
        await engine.close()
