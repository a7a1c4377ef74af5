"""The web role: pages, API and sockets of one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from livecommerce.accounts.accounts import Accounts
from livecommerce.api.access_log import AccessLogger
from livecommerce.api.build import build_api
from livecommerce.api.context import Context
from livecommerce.api.kept_words import keep_words
from livecommerce.api.publish import publish_waiting
from livecommerce.api.words import parser_words
from livecommerce.comments import check_catalogue
from livecommerce.media.directory import RelayDirectory
from livecommerce.ops import metrics
from livecommerce.ops.http_metrics import count_requests
from livecommerce.ops.logs import logger
from livecommerce.realtime.compose import build_realtime
from livecommerce.realtime.presence import count_viewers
from livecommerce.records.repositories import Repositories
from livecommerce.roles.agreement import check_agreement
from livecommerce.roles.process import Frame
from livecommerce.roles.stores import open_stores, sql_check
from livecommerce.settings import Settings

log = logger(__name__)

PUBLISH_SECONDS = 10.0  # a host who set a show up during a restart of Valkey waits at most this long for its page
WEB_DRAIN_SECONDS = 3.0  # requests in flight when we stop; sockets are told `moving` before and come back elsewhere
KEEPALIVE_SECONDS = 75.0  # longer than the 60 s of common proxies, which must be the ones to close
LISTEN_BACKLOG = 4096  # a thousand viewers open the page in one second when a host posts the link
BODY_BYTES_MAX = 2 * 1024 * 1024  # pictures and catalogues; each route has its own, smaller limit


def _allowed_origins(settings: Settings) -> list[str] | None:
    """Whose pages may open sockets: the request's own host, and with a public address that one too."""
    if not settings.http.public_url:
        return None
    parts = urlsplit(settings.http.public_url)
    host = f"[{settings.http.host}]" if ":" in settings.http.host else settings.http.host
    return [f"{parts.scheme}://{parts.netloc}", f"http://{host}:{settings.http.port}"]


def catalogue_warnings(items: Sequence[dict[str, Any]], packs: Sequence[str]) -> list[dict[str, Any]]:
    """What the comment parser would stumble over, for products in `catalog.products.parser_items`' shape."""
    return [msgspec.to_builtins(warning) for warning in check_catalogue(parser_words(items), packs)]


@asynccontextmanager
async def _listening(app: web.Application, settings: Settings) -> AsyncIterator[None]:
    """Serves `app` on the HTTP port, which other web processes share. Leaving stops accepting, then closes."""
    runner = web.AppRunner(
        app,
        access_log_class=AccessLogger,
        shutdown_timeout=WEB_DRAIN_SECONDS,
        handle_signals=False,
        keepalive_timeout=KEEPALIVE_SECONDS,
    )
    await runner.setup()
    try:
        await web.TCPSite(
            runner, settings.http.host, settings.http.port, reuse_port=True, backlog=LISTEN_BACKLOG
        ).start()
        yield
    finally:
        await runner.cleanup()


async def _keep_publishing(context: Context) -> None:
    """Puts shows on air whose set-up found Valkey away, and keeps the shops' words on both sides.

    What is not there yet stays for the next round.
    """
    while True:
        await publish_waiting(context)
        await keep_words(context.shows, context.records)
        await asyncio.sleep(PUBLISH_SECONDS)


@asynccontextmanager
async def web_role(frame: Frame) -> AsyncIterator[None]:
    """Pages, API and sockets of one process."""
    settings = frame.settings
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(open_stores(frame))
        records = await Repositories.open(settings)
        stack.push_async_callback(records.close)
        await check_agreement(stores.redis, records.database, frame.settings.redis.accept_loss)
        frame.health.checks["sql"] = sql_check(records)
        accounts = Accounts(settings, stores.redis, records)
        stack.callback(accounts.close)
        directory = RelayDirectory(stores.redis, secret=settings.secret)
        stack.push_async_callback(directory.close)
        await stores.engine.start()
        metrics.register("stock", stores.engine.figures)
        app = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[count_requests])
        realtime = await build_realtime(
            app, stores.redis, stores.engine, settings, accounts.identify, origins=_allowed_origins(settings)
        )

        async def viewers(show: str) -> int:
            return await count_viewers(stores.redis, show)

        context = Context(
            settings=settings,
            redis=stores.redis,
            records=records,
            accounts=accounts,
            engine=stores.engine,
            shows=realtime.store,
            relay_for=directory.relay_for,
            check_catalogue=catalogue_warnings,
            viewers=viewers,
        )
        build_api(app, context)
        await stack.enter_async_context(_listening(app, settings))
        publishing = frame.keep(lambda: _keep_publishing(context), "publish waiting shows")
        stack.callback(publishing.cancel)
        yield
