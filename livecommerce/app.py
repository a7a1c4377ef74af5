"""The composition root: which rooms make a web, a relay, a worker, and the command that keeps them all running."""

from __future__ import annotations

import argparse
import asyncio
import re
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError

from livecommerce.accounts.accounts import Accounts
from livecommerce.api.access_log import AccessLogger
from livecommerce.api.build import build_api
from livecommerce.api.context import Context
from livecommerce.comments import Axis, ItemWords, check_catalogue
from livecommerce.errors import StoreUnsuitable, Unavailable
from livecommerce.media.directory import RelayDirectory, announce
from livecommerce.media.plane import MediaPlane
from livecommerce.media.relay import serve_relay
from livecommerce.ops import folder as folders
from livecommerce.ops import logs, metrics, serving
from livecommerce.ops.checks_stores import library_names
from livecommerce.ops.flags import settings_from
from livecommerce.ops.health import Check
from livecommerce.ops.http_metrics import count_requests
from livecommerce.ops.process import Frame, run
from livecommerce.ops.redis_client import connect
from livecommerce.ops.valkey import VERSION_MIN, EmbeddedValkey, socket_path
from livecommerce.realtime.compose import build_realtime
from livecommerce.realtime.presence import count_viewers
from livecommerce.records.repositories import Repositories
from livecommerce.settings import Settings, SettingsError
from livecommerce.shows.store import LIBRARY as SHOWS_LIBRARY
from livecommerce.shows.store import ShowStore
from livecommerce.staff import first_start
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.library import library as stock_library

log = logs.logger(__name__)

WEB_DRAIN_SECONDS = 3.0  # requests in flight when we stop; sockets are told `moving` before and come back elsewhere
KEEPALIVE_SECONDS = 75.0  # longer than the 60 s of common proxies, which must be the ones to close
LISTEN_BACKLOG = 4096  # a thousand viewers open the page in one second when a host posts the link
BODY_BYTES_MAX = 2 * 1024 * 1024  # pictures and catalogues; each route has its own, smaller limit
RELAY_START_SECONDS_MAX = 20.0  # binding a port and making a certificate takes a second on a slow machine


def _library_name(text: str) -> str:
    found = re.match(r"#!lua name=(\S+)", text)
    assert found, "a function library starts with its name"
    return found[1]


# What the rooms load into Valkey; `doctor` and readiness ask for them by name.
FUNCTION_LIBRARIES: tuple[str, ...] = (stock_library()[0], _library_name(SHOWS_LIBRARY))


def store_url(settings: Settings) -> str:
    """The configured Valkey, else the embedded one of a server that runs on this data folder.

    Raises:
        SettingsError: there is neither.
    """
    if settings.redis.url:
        return settings.redis.url
    embedded = EmbeddedValkey(Path(settings.data_folder))
    if embedded.answers():
        return embedded.url
    raise SettingsError(
        "redis.url is empty and no embedded Valkey runs here. A role alone needs LIVECOMMERCE_REDIS_URL; "
        "`livecommerce serve` starts everything."
    )


async def _check_store(redis: Redis) -> None:
    """
    Raises:
        StoreUnsuitable: too old, a replica, or one that evicts. Losing stock silently is worse than not starting.
        Unavailable: it does not answer.
    """
    try:
        info: Mapping[str, Any] = await redis.info()
    except RedisError as error:
        raise Unavailable(f"Valkey does not answer: {error}", retry_after_ms=1_000) from error
    version = str(info.get("valkey_version") or info.get("redis_version", "0"))
    if tuple(int(number) for number in re.findall(r"\d+", version)[:2]) < VERSION_MIN:
        raise StoreUnsuitable(f"Valkey/Redis is {version}; 7.0 or newer is needed for functions.")
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if policy != "noeviction":
        raise StoreUnsuitable(f"maxmemory-policy is {policy}: it would forget stock. Set it to noeviction.")


def _valkey_check(redis: Redis) -> Check:
    async def check() -> str | None:
        await redis.ping()
        missing = set(FUNCTION_LIBRARIES) - library_names(await redis.function_list())
        return f"function libraries not loaded: {', '.join(sorted(missing))}" if missing else None

    return check


def _sql_check(records: Repositories) -> Check:
    async def check() -> str | None:
        await records.database.ping()
        return None

    return check


class _Stores:
    """What every role holds: a checked Valkey, the engine and the shows on it, with their libraries loaded."""

    def __init__(self, redis: Redis, engine: StockEngine, shows: ShowStore) -> None:
        self.redis = redis
        self.engine = engine
        self.shows = shows


@asynccontextmanager
async def _stores(frame: Frame) -> AsyncIterator[_Stores]:
    redis = connect(store_url(frame.settings))
    try:
        await _check_store(redis)
        engine = StockEngine(redis, frame.settings.stock)
        shows = ShowStore(redis, engine)
        try:
            await shows.start()
            name, text = stock_library()
            if name not in library_names(await redis.function_list(library=name)):
                await redis.function_load(text.decode(), replace=True)
            frame.health.checks["valkey"] = _valkey_check(redis)
            yield _Stores(redis, engine, shows)
        finally:
            await shows.close()
            await engine.close()
    finally:
        await redis.aclose()


# The relay


def _control_addresses(settings: Settings, index: int) -> tuple[str, str]:
    """(where the relay listens for the web role, where the web role reaches it).

    Raises:
        SettingsError: a control port without a secret would let anybody publish.
    """
    url = settings.media.control_url
    if not url:
        path = str(socket_path(Path(settings.data_folder), f"relay-{index}.sock"))
        return path, path
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname or not parts.port:
        raise SettingsError(f"media.control_url is {url!r}; expected like http://10.0.0.5:8188")
    if not settings.secret:
        raise SettingsError("media.control_url needs `secret`, the same on all nodes: it guards the relay's control")
    port = parts.port + index
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"tcp://{parts.hostname}:{port}", f"http://{host}:{port}"


@asynccontextmanager
async def relay_role(frame: Frame) -> AsyncIterator[None]:
    """One media relay: its UDP and TCP port, its control door, its events into the shows' logs."""
    settings = frame.settings
    listen, reached_by = _control_addresses(settings, frame.index)
    folders.prepare(settings)
    async with _stores(frame) as stores:
        stop = asyncio.Event()
        planes: list[MediaPlane] = []
        up = asyncio.Event()

        def ready(plane: MediaPlane) -> None:
            planes.append(plane)
            up.set()

        async def tell(show: str, event: Mapping[str, Any]) -> None:
            details = {key: value for key, value in event.items() if key != "state"}
            await stores.shows.media(show, str(event["state"]), **details)

        serving_task = asyncio.create_task(
            serve_relay(
                settings,
                relay_id=frame.name,
                control_socket_path=listen,
                udp_port=settings.media.port + frame.index if settings.media.port else 0,
                stop=stop,
                on_stream_event=tell,
                on_ready=ready,
            ),
            name="relay",
        )
        coming_up = asyncio.create_task(up.wait())
        await asyncio.wait(
            {serving_task, coming_up}, timeout=RELAY_START_SECONDS_MAX, return_when=asyncio.FIRST_COMPLETED
        )
        coming_up.cancel()
        if not planes:
            stop.set()
            await serving_task  # raises what went wrong
            raise Unavailable("The relay did not come up.")
        metrics.register("relay", planes[0].metrics)
        frame.watch(serving_task)
        relay_id = f"{socket.gethostname()}/{frame.name}"
        announcing = asyncio.create_task(announce(stores.redis, relay_id, reached_by), name="announce")
        frame.watch(announcing)
        try:
            yield
        finally:
            announcing.cancel()
            stop.set()
            await asyncio.gather(serving_task, announcing, return_exceptions=True)


# The web


def _allowed_origins(settings: Settings) -> list[str] | None:
    """Whose pages may open sockets: the request's own host, and with a public address that one too."""
    if not settings.http.public_url:
        return None
    parts = urlsplit(settings.http.public_url)
    host = f"[{settings.http.host}]" if ":" in settings.http.host else settings.http.host
    return [f"{parts.scheme}://{parts.netloc}", f"http://{host}:{settings.http.port}"]


def catalogue_warnings(items: Sequence[dict[str, Any]], packs: Sequence[str]) -> list[dict[str, Any]]:
    """What the comment parser would stumble over, for products in `catalog.products.parser_items`' shape."""
    words = [
        ItemWords(
            code=item["code"],
            names=tuple(item["names"]),
            options=tuple(
                Axis(axis["axis"], tuple((value, tuple(short)) for value, short in axis["values"].items()))
                for axis in item["options"]
            ),
        )
        for item in items
    ]
    return [msgspec.to_builtins(warning) for warning in check_catalogue(words, packs)]


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


@asynccontextmanager
async def web_role(frame: Frame) -> AsyncIterator[None]:
    """Pages, API and sockets of one process."""
    settings = frame.settings
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(_stores(frame))
        records = await Repositories.open(settings)
        stack.push_async_callback(records.close)
        frame.health.checks["sql"] = _sql_check(records)
        accounts = Accounts(settings, stores.redis, records)
        stack.callback(accounts.close)
        directory = RelayDirectory(stores.redis, secret=settings.secret)
        stack.push_async_callback(directory.close)
        await stores.engine.start()
        app = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[count_requests])
        realtime = await build_realtime(
            app, stores.redis, stores.engine, settings, accounts.identify, origins=_allowed_origins(settings)
        )

        async def viewers(show: str) -> int:
            return await count_viewers(stores.redis, show)

        build_api(
            app,
            Context(
                settings=settings,
                redis=stores.redis,
                records=records,
                accounts=accounts,
                engine=stores.engine,
                shows=realtime.store,
                relay_for=directory.relay_for,
                check_catalogue=catalogue_warnings,
                viewers=viewers,
            ),
        )
        await stack.enter_async_context(_listening(app, settings))
        yield


# The worker


@asynccontextmanager
async def worker_role(frame: Frame) -> AsyncIterator[None]:
    """Projects the ledger into SQL, lets holds expire."""
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(_stores(frame))
        records = await Repositories.open(frame.settings)
        stack.push_async_callback(records.close)
        frame.health.checks["sql"] = _sql_check(records)
        await stores.engine.start()
        yield


# The commands


def serve(arguments: argparse.Namespace) -> int:
    """Starts Valkey (unless one is configured), relays, the worker and web processes, and keeps them running."""
    settings = settings_from(arguments)
    logs.configure(settings, "serve")
    return serving.run_server(settings, first_start)


def _index(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--index", type=int, default=0, help="which of several on this machine, from 0")


web_command_arguments = relay_command_arguments = _index


def _alone(settings: Settings) -> Settings:
    """A role reads its Valkey once at the start, so that a wrong setting is told before anything else."""
    redis = msgspec.structs.replace(settings.redis, url=store_url(settings))
    return msgspec.structs.replace(settings, redis=redis)


def web_command(arguments: argparse.Namespace) -> int:
    """Runs one web process: pages, API and sockets."""
    return run(_alone(settings_from(arguments)), "web", arguments.index, web_role)


def relay_command(arguments: argparse.Namespace) -> int:
    """Runs one media relay."""
    return run(_alone(settings_from(arguments)), "relay", arguments.index, relay_role)


def worker_command(arguments: argparse.Namespace) -> int:
    """Runs the worker."""
    return run(_alone(settings_from(arguments)), "worker", 0, worker_role)
