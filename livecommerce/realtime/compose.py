"""Puts the room together for the composition root: `build_realtime(app, …)` wires the gateway into the web app."""

from __future__ import annotations

import gc

import structlog
from aiohttp import web

from livecommerce.realtime.callers import Who
from livecommerce.realtime.gateway import Gateway
from livecommerce.realtime.self_test import fast_path_works
from livecommerce.realtime.settings import Realtime
from livecommerce.shows.store import ShowStore

log = structlog.get_logger(__name__)


async def build_realtime(
    app: web.Application,
    store: ShowStore,
    settings: Realtime,
    who: Who,
    *,
    origins: list[str] | str | None = None,
    fast: bool | None = None,
) -> Gateway:
    """Adds `/socket.io/` to the app, and starts and ends with it.

    Args:
        store: started, and closed by whoever opened it after the app has been cleaned up.
        who: who is behind a handshake request, who behind its login later on, and the names of staff.
        origins: allowed Origin headers; None: the request's own host alone; "*": all.
        fast: False runs the stock path; None tries the fast one and falls back when its self-test fails.
    """
    if fast is None:
        fast = await fast_path_works()
    gateway = Gateway(store, settings, who, fast=fast, origins=origins)
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
    return gateway
