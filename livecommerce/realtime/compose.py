"""Puts the room together for the composition root: `build_realtime(app, …)` wires the gateway into the web app."""

from __future__ import annotations

import gc
from typing import Any

import structlog
from aiohttp import web
from redis.asyncio import Redis

from livecommerce.realtime.gateway import Gateway, Identify
from livecommerce.realtime.self_test import fast_path_works
from livecommerce.settings import Settings
from livecommerce.shows.kinds import SHOW_KINDS
from livecommerce.shows.registry import Registry
from livecommerce.shows.store import ShowStore
from livecommerce.stock.engine import StockEngine

log = structlog.get_logger(__name__)


class Realtime:
    """What other rooms may use: `gateway`, `store` (shows), `executor` (staff commands)."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.store = gateway.store
        self.executor = gateway.executor


async def build_realtime(
    app: web.Application,
    redis: Redis,
    engine: StockEngine,
    settings: Settings,
    identify: Identify,
    *,
    origins: Any = None,
    fast: bool | None = None,
) -> Realtime:
    """Adds `/socket.io/` to the app and starts with it.

    Args:
        identify: who is behind a handshake request, from its cookies.
        origins: allowed Origin headers; None: the request's own host alone; "*": all.
        fast: False runs the stock path; None tries the fast one and falls back when its self-test fails.
    """
    if fast is None:
        fast = await fast_path_works()
    store = ShowStore(redis, engine, Registry(SHOW_KINDS))
    gateway = Gateway(redis, engine, store, settings, identify, fast=fast, origins=origins)
    gateway.attach(app)
    log.info("realtime", path="fast" if fast else "stock")

    # Thousands of sockets are many objects that live long. Looking through all of them less often costs little memory,
    # for little here makes cycles, and saves pauses of tens of milliseconds in the midst of a tick.
    gc.set_threshold(50_000, 20, 50)

    async def start(_: web.Application) -> None:
        await gateway.start()

    async def move(_: web.Application) -> None:
        """Before aiohttp waits for its handlers: each socket is one, and must be told to leave first."""
        await gateway.close()

    app.on_startup.append(start)
    app.on_shutdown.append(move)
    return Realtime(gateway)
