"""The whole HTTP side on real rooms: Valkey, SQLite, stock, shows and a media relay on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher
from redis.asyncio import Redis

from livecommerce.accounts.accounts import Accounts
from livecommerce.accounts.routes import identify_by
from livecommerce.accounts.rows import Shop
from livecommerce.accounts.secret import load_secret
from livecommerce.configuration.tree import Settings, load
from livecommerce.media.client.control import RelayControl
from livecommerce.media.relay import RelayPlace, serve_relay
from livecommerce.realtime.callers import Who
from livecommerce.realtime.compose import build_realtime
from livecommerce.realtime.gateway import Gateway
from livecommerce.records.database import Database
from livecommerce.roles.rooms import Foundation, put_rooms
from livecommerce.roles.stores import Stores
from livecommerce.shows.kinds import SHOW_KINDS
from livecommerce.shows.registry import Registry
from livecommerce.shows.routes import SHOWS, ShowsNeeds
from livecommerce.shows.store import ShowStore
from livecommerce.stock.engine import StockEngine

KINDS = Registry(SHOW_KINDS)


PASSWORD = "correct horse battery"
MUG: dict[str, Any] = {"code": "B02", "names": ["馬克杯"], "price_minor": 250}
COAT: dict[str, Any] = {
    "code": "A01",
    "names": ["針織外套", "外套"],
    "price_minor": 590,
    "options": [{"axis": "顏色", "values": {"紅色": ["紅"], "黑色": ["黑"]}}],
}


@dataclass
class Site:
    """A running site and a browser-like client on it. `origin` is sent with every change, as browsers do."""

    client: TestClient[Any, Any]
    settings: Settings
    stores: Stores
    database: Database
    accounts: Accounts
    gateway: Gateway

    @property
    def redis(self) -> Redis:
        return self.stores.redis

    @property
    def engine(self) -> StockEngine:
        return self.stores.engine

    @property
    def shows(self) -> ShowStore:
        return self.stores.shows

    @property
    def origin(self) -> str:
        return str(self.client.make_url("/")).rstrip("/")

    def needs(self) -> ShowsNeeds:
        """What the routes of shows stand on."""
        return self.client.app[SHOWS]

    async def ask(self, method: str, path: str, body: Any = None, **more: Any) -> ClientResponse:
        headers = {"Origin": self.origin, **more.pop("headers", {})}
        return await self.client.request(method, path, json=body, headers=headers, allow_redirects=False, **more)

    async def told(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        """(status, JSON answer)."""
        answer = await self.ask(method, path, body, **more)
        return answer.status, await answer.json()

    async def refused(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, int]:
        """(status, error number)."""
        status, shape = await self.told(method, path, body, **more)
        return status, shape["error"]["number"]

    async def login(self, login: str = "ling") -> None:
        status, shape = await self.told("POST", "/api/login", {"login": login, "password": PASSWORD})
        assert status == 200, shape

    def leave(self) -> None:
        self.client.session.cookie_jar.clear()

    async def make_show(self, show: str = "demo", supply: int = 3) -> None:
        """The coat and the mug in a show."""
        for product in (COAT, MUG):
            assert (await self.ask("POST", "/api/products", product)).status == 201
        items = [{"code": product["code"], "supply": supply} for product in (COAT, MUG)]
        status, shape = await self.told("POST", "/api/shows", {"id": show, "title": "週三夜場", "items": items})
        assert status == 201, shape


@pytest.fixture
def site_settings(tmp_path: Path) -> Settings:
    flags = {
        "data_folder": str(tmp_path / "data"),
        "media": {
            "host": "127.0.0.1",
            "ice_servers": [{"urls": "stun:stun.example:3478"}, {"urls": ["turn:turn.example:3478"]}],
            "turn_secret": "turn-secret-of-the-test",
        },
    }
    return load(environment={}, flags=flags)


@pytest.fixture
async def relay(tmp_path: Path, site_settings: Settings) -> AsyncIterator[RelayControl]:
    """A real relay on a free port."""
    stop, ready = asyncio.Event(), asyncio.Event()
    path = str(tmp_path / "r.sock")
    serving = asyncio.create_task(
        serve_relay(
            site_settings.media,
            RelayPlace("relay-0", path, 0, data_folder=site_settings.data_folder),
            stop=stop,
            on_stream_event=lambda show, event: None,
            on_ready=lambda plane: ready.set(),
        )
    )
    await ready.wait()
    control = RelayControl(path)
    yield control
    await control.close()
    stop.set()
    await serving


@pytest.fixture
async def make_site(
    site_settings: Settings, valkey: Redis, relay: RelayControl
) -> AsyncIterator[Callable[..., Awaitable[Site]]]:
    """Starts a site; called again it starts another process' worth of it on the same stores."""
    closing: list[Callable[[], Awaitable[None]]] = []

    async def make() -> Site:
        settings = site_settings
        database = await Database.open(settings.database.url, settings.data_folder)
        hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        accounts = Accounts(load_secret(settings.secret, settings.data_folder), valkey, database, hasher=hasher)
        await accounts.shops.put(Shop(id="lingling", name="玲玲的小舖"))
        await accounts.shops.put(Shop(id="other", name="別家"))
        if await accounts.staff.count() == 0:
            for shop, login, role in (
                ("lingling", "ling", "owner"),
                ("lingling", "host", "host"),
                ("lingling", "mei", "moderator"),
                ("other", "rival", "owner"),
            ):
                await accounts.add_staff(shop, login, PASSWORD, role)
        engine = StockEngine(valkey, settings.stock)
        await engine.start()
        shows = ShowStore(valkey, engine, KINDS)
        await shows.start()

        async def relay_for(show: str) -> RelayControl:
            return relay

        stores = Stores(valkey, engine, shows)
        app = web.Application()
        who = Who(identify_by(accounts, settings.http.trusted_proxies), accounts.staff_now)
        gateway = await build_realtime(app, shows, settings.realtime, who, fast=True)
        put_rooms(app, Foundation(settings, stores, database, accounts, relay_for))
        client = TestClient(TestServer(app))
        await client.start_server()

        async def close() -> None:
            await client.close()
            await shows.close()
            await engine.close()
            accounts.close()
            await database.close()

        closing.append(close)
        return Site(client, settings, stores, database, accounts, gateway)

    yield make
    for close in closing:
        await close()


@pytest.fixture
async def site(make_site: Callable[..., Awaitable[Site]]) -> Site:
    return await make_site()
