"""The internal port of a process: /health/live, /health/ready, /metrics. Never for the public side."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator, Callable

from aiohttp import web

from livecommerce.ops import metrics, ports
from livecommerce.ops.health import Health


def _routes(health: Health, instance: Callable[[], str]) -> list[web.RouteDef]:
    async def live(_: web.Request) -> web.Response:
        good, figures = health.live()
        return web.json_response({"live": good, **figures}, status=200 if good else 503)

    async def ready(_: web.Request) -> web.Response:
        good, wrong = await health.ready()
        answer = {
            "ready": good, "wrong": wrong, "degraded": health.degraded, "server": "livecommerce",
            "instance": instance(),
        }  # fmt: skip
        return web.json_response(answer, status=200 if good else 503)

    async def figures(_: web.Request) -> web.Response:
        body, kind = metrics.exposition()
        return web.Response(body=body, headers={"Content-Type": kind})

    return [web.get("/health/live", live), web.get("/health/ready", ready), web.get("/metrics", figures)]


@contextlib.asynccontextmanager
async def serve_internal(
    health: Health, host: str, port: int | None, *, held: bool = False, instance: Callable[[], str] = str
) -> AsyncIterator[int | None]:
    """Serves while entered; yields the port (a real one where 0 was asked), None when switched off.

    Args:
        held: the supervisor holds this port for us, so it looks taken and is ours all the same.
        instance: tells that of the data folder; who asks can tell us from another server on the same port.

    Raises:
        PortInUse
    """
    if port is None:
        yield None
        return
    if port and not held:
        ports.refuse_taken(host, port, socket.SOCK_STREAM, "http.internal_port")
    app = web.Application()
    app.add_routes(_routes(health, instance))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, host, port, reuse_port=held or None)
    try:
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
