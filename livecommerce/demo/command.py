"""`livecommerce demo`: the real server with a seeded shop, a host on video and buyers in the chat."""

from __future__ import annotations

import argparse
import sys

import msgspec

from livecommerce.accounts.accounts import Accounts
from livecommerce.accounts.rows import Shop
from livecommerce.accounts.secret import load_secret
from livecommerce.configuration.flags import settings_from
from livecommerce.configuration.own_command import own_command
from livecommerce.configuration.tree import Settings
from livecommerce.demo.actors import HOST_LOGIN, base_url
from livecommerce.demo.catalogue import CURRENCY, SHOP_ID, SHOP_NAME, SHOW_ID
from livecommerce.http.identity import Role
from livecommerce.ops import logs
from livecommerce.ops.children import Plan
from livecommerce.ops.redis_client import connect
from livecommerce.records.database import Database
from livecommerce.roles.serving import Ground, child_environment, run_server
from livecommerce.staff import random_password

# Beside the production default, so that trying the demo never mixes with a real shop's data.
DATA_FOLDER = "data/demo"
LOGINS: tuple[tuple[str, Role, str], ...] = (
    ("owner", "owner", "玲玲"),
    (HOST_LOGIN, "host", "玲玲"),
    ("moderator", "moderator", "小編"),
)
STOP_SECONDS = 4.0


async def make_shop(settings: Settings) -> list[str]:
    """The demo's shop and its three logins, on the first start; returns what is printed once."""
    database = await Database.open(settings.database.url, settings.data_folder)
    redis = connect(settings.redis.url)
    accounts = Accounts(load_secret(settings.secret, settings.data_folder), redis, database)
    try:
        if await accounts.shops.get(SHOP_ID) is not None:
            return [f"The staff logins were printed at the first start. New ones: {reset_command(settings)}"]
        await accounts.shops.put(Shop(SHOP_ID, SHOP_NAME, currency=CURRENCY, locale=settings.locale))
        lines = ["", "Staff logins, printed once and stored nowhere in the clear:"]
        for login, role, name in LOGINS:
            password = random_password()
            await accounts.add_staff(SHOP_ID, login, password, role, name)
            lines.append(f"  {role:<10} login {login:<10} password {password}")
        lines.append(f"Lost one? {reset_command(settings)}")
        return lines
    finally:
        accounts.close()
        await database.close()
        await redis.aclose()


def reset_command(settings: Settings) -> str:
    return own_command(settings, "staff", "reset", LOGINS[0][0])


async def _needs_no_probe() -> bool:
    return True


def actors(ground: Ground) -> tuple[list[Plan], list[str]]:
    """The demo's own process, started when the web processes answer, and where to look."""
    plan = Plan(
        name="demo",
        command=[sys.executable, "-m", "livecommerce.demo.actors"],
        environment=child_environment(ground.settings),
        stage=9,
        stop_seconds=STOP_SECONDS,
        probe=_needs_no_probe,
    )
    address = base_url(ground.settings)
    return [plan], [
        "",
        f"watch     {address}/live/{SHOW_ID}",
        f"studio    {address}/studio/{SHOW_ID}",
        f"control   {address}/control/{SHOW_ID}",
    ]


def demo(arguments: argparse.Namespace) -> int:
    """Starts the server on its embedded defaults with a running show; Ctrl-C stops everything."""
    settings = settings_from(arguments)
    if settings.data_folder == Settings().data_folder:
        settings = msgspec.structs.replace(settings, data_folder=DATA_FOLDER)
    logs.configure("demo", settings.log_format, settings.log_level)
    return run_server(settings, make_shop, guests=actors)
