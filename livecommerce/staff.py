"""`livecommerce staff`: logins of the people who run the shows, and the first of them on the first start.

Passwords are random, printed once on standard output and never logged; the store keeps argon2id hashes alone.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from livecommerce.accounts.accounts import Accounts
from livecommerce.accounts.rows import Shop, ShopRepository, StaffRepository
from livecommerce.accounts.secret import load_secret
from livecommerce.command_trail import cli_actor
from livecommerce.configuration.flags import settings_from
from livecommerce.configuration.own_command import own_command
from livecommerce.configuration.tree import Settings
from livecommerce.errors import NotFound
from livecommerce.http.identity import ROLES
from livecommerce.ops import folder as folders
from livecommerce.ops.errors import StartFailed
from livecommerce.ops.redis_client import connect, connect_store
from livecommerce.ops.valkey import EmbeddedValkey, ValkeyFailed, ValkeyNotFound
from livecommerce.records.audit import AuditEntry, AuditRepository
from livecommerce.records.database import Database
from livecommerce.records.rows import now_ms
from livecommerce.roles.agreement import refuse_apart
from livecommerce.settings import SettingsError
from livecommerce.shop_command import shop_of

FIRST_SHOP = "shop"
FIRST_SHOP_NAMES = {"zh-TW": "我的小店"}
FIRST_LOGIN = "owner"
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # without l, o, 0, 1: people copy it by hand
_GROUPS, _GROUP_LENGTH = 4, 5  # 20 of 32 letters: 100 bits


def random_password() -> str:
    """Like `k3j2m-9qx4t-…`: 100 bits, easy to read out."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS))


@asynccontextmanager
async def store_url(settings: Settings) -> AsyncIterator[str]:
    """The Valkey that holds the sessions: configured, the running server's, else one started for this moment.

    Raises:
        AlreadyRunning: a server is just starting or stopping on this folder.
        SettingsError: a server runs here with a store that this command was not told.
    """
    if settings.redis.url:
        yield settings.redis.url
        return
    folder = folders.prepare(settings.data_folder)
    running = folders.read_running(folder)
    if running is not None:
        if not running.redis_url:
            raise SettingsError("The running server has a Valkey of its own; give its LIVECOMMERCE_REDIS_URL here too.")
        yield running.redis_url
        return
    lock = folders.FolderLock(folder)
    lock.acquire()
    try:
        async with embedded_url(folder) as url:
            yield url
    finally:
        lock.release()


@asynccontextmanager
async def embedded_url(folder: Path) -> AsyncIterator[str]:
    """The embedded Valkey of a folder whose lock the caller holds, started for this moment."""
    server = EmbeddedValkey(folder)
    try:
        await server.start_async()
        yield server.url
    except (ValkeyNotFound, ValkeyFailed) as error:
        raise StartFailed(str(error)) from error
    finally:
        await asyncio.to_thread(server.stop)


class Kept(NamedTuple):
    """The accounts, and the trail of who changed them."""

    accounts: Accounts
    audit: AuditRepository

    async def note(self, login: str, do: str, **details: str) -> None:
        """What was done to a login, in its shop's trail."""
        record = await self.accounts.record_of(login)
        if record is not None:
            entry = AuditEntry(record.shop, now_ms(), cli_actor(), do, record.login, details)
            await self.audit.add(entry)


@asynccontextmanager
async def _kept(settings: Settings) -> AsyncIterator[Kept]:
    async with store_url(settings) as url:
        redis = await connect_store(url)
        database = await Database.open(settings.database.url, settings.data_folder)
        accounts = Accounts(load_secret(settings.secret, settings.data_folder), redis, database)
        try:
            yield Kept(accounts, AuditRepository(database))
        finally:
            accounts.close()
            await database.close()
            await redis.aclose()


async def first_start(settings: Settings) -> list[str]:
    """Migrates the database; with no shop yet makes one with its owner. Returns the lines to print, once."""
    database = await Database.open(settings.database.url, settings.data_folder)
    redis = connect(settings.redis.url or "unix:///nowhere")  # never connected to: adding a login needs SQL alone
    accounts = Accounts(load_secret(settings.secret, settings.data_folder), redis, database)
    try:
        if await accounts.shops.all(limit=1):
            return []
        name = FIRST_SHOP_NAMES.get(settings.locale, "My shop")
        await accounts.shops.put(Shop(FIRST_SHOP, name, currency=settings.currency, locale=settings.locale))
        password = random_password()
        await accounts.add_staff(FIRST_SHOP, FIRST_LOGIN, password, "owner")
        return [
            "",
            "First start: this login is printed once and stored nowhere in the clear.",
            f"  login     {FIRST_LOGIN}",
            f"  password  {password}",
            f"Lost it? `{own_command(settings, 'staff', 'reset', FIRST_LOGIN)}` makes a new one.",
            f"The shop is priced in {settings.currency}. Another? Before the first product:",
            f"  {own_command(settings, 'shop', 'set', '--currency', 'USD')}",
        ]
    finally:
        accounts.close()
        await database.close()
        await redis.aclose()


def _password(arguments: argparse.Namespace) -> tuple[str, bool]:
    """(password, whether to print it)."""
    if arguments.password_stdin:
        return sys.stdin.readline().rstrip("\r\n"), False
    return random_password(), True


def _told(login: str, password: str, shown: bool) -> list[str]:
    return [f"login     {login}", f"password  {password if shown else '(as given)'}"]


async def _add(settings: Settings, arguments: argparse.Namespace) -> list[str]:
    password, shown = _password(arguments)
    async with _kept(settings) as kept:
        shop = await shop_of(kept.accounts.shops, arguments.shop)
        staff = await kept.accounts.add_staff(shop.id, arguments.login, password, arguments.role, arguments.name)
        await kept.note(staff.login, "staff_added", role=staff.role)
        return [f"added {staff.role} of {staff.shop}", *_told(staff.login, password, shown)]


async def _reset(settings: Settings, arguments: argparse.Namespace) -> list[str]:
    password, shown = _password(arguments)
    async with _kept(settings) as kept:
        accounts = kept.accounts
        if not await accounts.set_password(arguments.login, password):
            raise NotFound(f"There is no login {arguments.login!r}. `livecommerce staff list` shows them.")
        await kept.note(arguments.login, "password_set")
        return ["new password set, all sessions of this login ended", *_told(arguments.login, password, shown)]


async def _role(settings: Settings, arguments: argparse.Namespace) -> list[str]:
    async with _kept(settings) as kept:
        accounts = kept.accounts
        if not await accounts.set_role(arguments.login, arguments.role):
            raise NotFound(f"There is no login {arguments.login!r}.")
        await kept.note(arguments.login, "role_changed", role=arguments.role)
        return [f"{arguments.login} is now {arguments.role}"]


async def _disable(settings: Settings, arguments: argparse.Namespace) -> list[str]:
    disabled = arguments.action == "disable"
    async with _kept(settings) as kept:
        accounts = kept.accounts
        if not await accounts.set_disabled(arguments.login, disabled):
            raise NotFound(f"There is no login {arguments.login!r}.")
        await kept.note(arguments.login, "staff_disabled" if disabled else "staff_enabled")
        return [f"{arguments.login} is {'disabled, all its sessions ended' if disabled else 'enabled'}"]


async def _list(settings: Settings, _arguments: argparse.Namespace) -> list[str]:
    database = await Database.open(settings.database.url, settings.data_folder)
    try:
        lines = []
        for shop in await ShopRepository(database).all():
            for person in await StaffRepository(database).of_shop(shop.id):
                state = "" if person.disabled_ms is None else "  disabled"
                lines.append(f"{shop.id:<12} {person.role:<10} {person.login:<24} {person.name}{state}")
        return lines or ["no logins yet; the first start of the server makes one"]
    finally:
        await database.close()


async def _first(settings: Settings, _arguments: argparse.Namespace) -> list[str]:
    if settings.redis.url:
        await refuse_apart(settings)
    return await first_start(settings) or ["there are logins already; `livecommerce staff list` shows them"]


_ACTIONS = {
    "first": _first,
    "add": _add,
    "reset": _reset,
    "role": _role,
    "disable": _disable,
    "enable": _disable,
    "list": _list,
}


def staff_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, text in (
        ("add", "add a login"),
        ("reset", "set a new password and end all sessions"),
        ("role", "change what a login may do"),
        ("disable", "lock a login out"),
        ("enable", "let it in again"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("login", metavar="LOGIN")
        if name in ("add", "reset"):
            action.add_argument("--password-stdin", action="store_true", help="read it from standard input")
        if name == "add":
            action.add_argument("--role", choices=ROLES, default="host")
            action.add_argument("--name", default="", help="as shown to viewers; without one, the shop's")
            action.add_argument("--shop", help="where there are several")
        if name == "role":
            action.add_argument("role", choices=ROLES)
    actions.add_parser("first", help="migrate, and with no shop yet make one with its owner (serve does this itself)")
    actions.add_parser("list", help="show all logins")


def staff(arguments: argparse.Namespace) -> int:
    """Adds, resets, changes and lists staff logins. Works while the server runs and while it does not."""
    settings = settings_from(arguments)
    folders.prepare(settings.data_folder)
    print("\n".join(asyncio.run(_ACTIONS[arguments.action](settings, arguments))))
    return 0
