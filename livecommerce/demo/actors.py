"""The process beside the server that plays the demo: seeds the shop, then host, desk and buyers until SIGTERM.

Run by `livecommerce demo` as `python -m livecommerce.demo.actors`, with the server's settings in the environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import Any

import aiohttp
from yarl import URL

from livecommerce.accounts import sessions
from livecommerce.accounts.accounts import Accounts, staff_of
from livecommerce.accounts.secret import load_secret
from livecommerce.configuration import tree
from livecommerce.configuration.tree import Settings
from livecommerce.demo.buyers import run_buyers
from livecommerce.demo.catalogue import PRODUCTS, SHOW_ID, SHOW_TITLE, DemoProduct
from livecommerce.demo.host import Desk, run_desk
from livecommerce.media.synthetic.host import STAGE, SyntheticHost
from livecommerce.ops import logs
from livecommerce.ops.redis_client import connect
from livecommerce.records.database import Database

log = logs.logger(__name__)

HOST_LOGIN = "host"
HOLD_SECONDS = 180  # short, so that a visitor sees a countdown end and the stock come back
RETRY_SECONDS = 1.0


def base_url(settings: Settings) -> str:
    return f"http://127.0.0.1:{settings.http.port}"


async def staff_token(settings: Settings) -> str:
    """A session of the demo's host. The demo may read the stores of its own server; it needs no password for that."""
    redis = connect(settings.redis.url)
    database = await Database.open(settings.database.url, settings.data_folder)
    accounts = Accounts(load_secret(settings.secret, settings.data_folder), redis, database)
    try:
        record = await accounts.staff.by_login(HOST_LOGIN)
        if record is None:
            raise RuntimeError(f"the demo shop has no login {HOST_LOGIN!r}")
        return await accounts.sessions.open(staff_of(record))
    finally:
        accounts.close()
        await database.close()
        await redis.aclose()


def product_body(product: DemoProduct) -> dict[str, Any]:
    """A product as `POST /api/products` takes it."""
    body: dict[str, Any] = {
        "code": product.code,
        "names": list(product.names),
        "name_en": product.name_en,
        "options": [
            {"axis": axis, "values": {value: list(shorts) for value, shorts in values.items()}}
            for axis, values in product.options
        ],
        "price_minor": product.price_minor,
        "picture": f"/static/shared/pictures/{product.picture}.svg",
        "description": product.description,
        "limit_per_viewer": product.limit_per_viewer,
    }
    if product.compare_at_minor:
        body["compare_at_minor"] = product.compare_at_minor
    return body


async def _post_unless_there(desk: Desk, path: str, body: dict[str, Any]) -> None:
    try:
        await desk.request("POST", path, body)
    except aiohttp.ClientResponseError as error:
        if error.status != 409:  # a second start finds its products and its show
            raise


async def seed(desk: Desk) -> None:
    """Puts the products and the show there where they are not yet, and starts the show."""
    for product in PRODUCTS:
        await _post_unless_there(desk, "/api/products", product_body(product))
    items = [
        {
            "code": product.code,
            "supply": dict.fromkeys(product.skus(), product.supply_each),
            "limit_per_viewer": product.limit_per_viewer,
        }
        for product in PRODUCTS
    ]
    # The buyers are all of this machine, and buy as much as the grammar can say.
    limits = {"per_item": 0, "newcomers_percent": 100}
    show = {"id": SHOW_ID, "title": SHOW_TITLE, "items": items, "hold_seconds": HOLD_SECONDS, "limits": limits}
    await _post_unless_there(desk, "/api/shows", show)
    if (await desk.snapshot())["show"]["stage"] != "live":
        await desk.command("start")


async def play(settings: Settings, stop: asyncio.Event) -> None:
    """All of the demo until `stop`. The server may restart meanwhile: every part connects again by itself."""
    address = base_url(settings)
    jar = aiohttp.CookieJar(unsafe=True)  # the address is an IP
    jar.update_cookies({sessions.COOKIE: await staff_token(settings)}, URL(address))
    async with aiohttp.ClientSession(cookie_jar=jar, timeout=aiohttp.ClientTimeout(total=15)) as session:
        desk = Desk(session, address)
        while not stop.is_set():
            try:
                await seed(desk)
                token = (await desk.request("POST", f"/api/shows/{SHOW_ID}/ingest-token", {}))["token"]
                break
            except (aiohttp.ClientConnectionError, TimeoutError) as error:
                log.info("the demo waits for the server", reason=str(error))
                await asyncio.sleep(RETRY_SECONDS)
        else:
            return
        log.info("the demo plays", show=SHOW_ID)
        host = SyntheticHost(f"{address}/whip/{SHOW_ID}", token, quality=STAGE)
        await asyncio.gather(host.run(stop), run_desk(desk, stop), run_buyers(address, stop))


async def _main(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    playing = asyncio.create_task(play(settings, stop))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([playing, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not playing.done():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(playing, 3.0)
        return
    playing.result()


if __name__ == "__main__":
    _settings = tree.load()
    logs.configure("demo", _settings.log_format, _settings.log_level)
    asyncio.run(_main(_settings))
