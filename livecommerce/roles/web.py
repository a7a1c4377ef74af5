"""The web role: pages, API and sockets of one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

from aiohttp import web

from livecommerce.accounts.accounts import Accounts
from livecommerce.accounts.routes import identify_by
from livecommerce.accounts.secret import load_secret
from livecommerce.api.access_log import AccessLogger
from livecommerce.api.protocol import NumberedRunner
from livecommerce.configuration.tree import Settings
from livecommerce.http.addresses import request_address
from livecommerce.http.connections import Connections
from livecommerce.media.client.directory import RelayDirectory
from livecommerce.ops import metrics
from livecommerce.ops.http_metrics import count_requests
from livecommerce.ops.logs import logger
from livecommerce.ops.redis_client import PERSON_SECONDS_MAX, connect_store
from livecommerce.realtime.callers import Who
from livecommerce.realtime.compose import build_realtime
from livecommerce.roles.process import Frame
from livecommerce.roles.rooms import Foundation, publish_and_keep, put_rooms
from livecommerce.roles.sql import open_database
from livecommerce.roles.stores import open_stores, store_url
from livecommerce.shows.routes import ShowsNeeds

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


@asynccontextmanager
async def _listening(app: web.Application, settings: Settings) -> AsyncIterator[None]:
    """Serves `app` on the HTTP port, which other web processes share. Leaving stops accepting, then closes."""
    runner = NumberedRunner(
        app,
        Connections(settings.http.trusted_proxies, settings.realtime.network_percent),
        access_log_class=AccessLogger,
        shutdown_timeout=WEB_DRAIN_SECONDS,
        handle_signals=False,
        keepalive_timeout=KEEPALIVE_SECONDS,
        auto_decompress=False,  # a megabyte of zeros is a kilobyte; no route of ours takes packed bodies
    )
    await runner.setup()
    try:
        await web.TCPSite(
            runner, settings.http.host, settings.http.port, reuse_port=True, backlog=LISTEN_BACKLOG
        ).start()
        yield
    finally:
        await runner.cleanup()


async def _keep_publishing(shows: ShowsNeeds) -> None:
    while True:
        await publish_and_keep(shows)
        await asyncio.sleep(PUBLISH_SECONDS)


@asynccontextmanager
async def web_role(frame: Frame) -> AsyncIterator[None]:
    """Pages, API and sockets of one process."""
    settings = frame.settings
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(open_stores(frame))
        database = await stack.enter_async_context(open_database(frame, stores.redis))
        frame.health.can_do_without.add("sql")  # watching, chat and claims go on; a red web would end them too
        # A lane of its own: who logs in or is staff never waits for a connection behind a rush on the shows.
        people = await connect_store(store_url(settings), seconds_max=PERSON_SECONDS_MAX)
        stack.push_async_callback(people.aclose)
        secret = load_secret(settings.secret, settings.data_folder)
        accounts = Accounts(secret, people, database, crowd=stores.redis)
        stack.callback(accounts.close)
        directory = RelayDirectory(stores.redis, secret=settings.secret)
        stack.push_async_callback(directory.close)
        await stores.engine.start()  # the one sweeper of this process: its shops hear of lapsed holds at once
        metrics.register("stock", stores.engine.figures)
        app = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[count_requests])
        trusted = settings.http.trusted_proxies

        async def staff_names(shop: str) -> list[str]:
            return [person.name for person in await accounts.staff.of_shop(shop) if person.disabled_ms is None]

        who = Who(
            identify_by(accounts, trusted),
            accounts.staff_now,
            staff_names,
            address=lambda request: request_address(request, trusted),
            admit_pass=accounts.visit_of_pass,
        )
        await build_realtime(app, stores.shows, settings.realtime, who, origins=_allowed_origins(settings))
        shows = put_rooms(app, Foundation(settings, stores, database, accounts, directory.relay_for))
        await stack.enter_async_context(_listening(app, settings))
        publishing = frame.keep(lambda: _keep_publishing(shows), "publish waiting shows")
        stack.callback(publishing.cancel)
        yield
