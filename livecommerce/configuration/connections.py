"""Whether what the settings lead to lets us in: Valkey/Redis and SQL, asked once, within a few seconds each.

`serve` asks before it starts anything, `check-config` asks and tells. What is merely away is told apart from what is
refused: a server that starts by itself later is waited for, a wrong password is not.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import NamedTuple

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from livecommerce.configuration.tree import Settings
from livecommerce.errors import LiveCommerceError, in_words
from livecommerce.ops import folder as folders
from livecommerce.ops import ports
from livecommerce.ops.redaction import redact_text
from livecommerce.ops.redis_client import address_shown, ask_once, connect_store
from livecommerce.ops.store_promise import check_promise, read_facts, replicas_lacking
from livecommerce.records.database import Database, database_url, refuse_moved, refuse_newer, refused_login
from livecommerce.records.errors import DatabaseMoved, DatabaseNewer
from livecommerce.settings import SettingsError

SECONDS_MAX = 6.0  # for each


class Tried(NamedTuple):
    """`refused`: trying again cannot help. Empty `words`: good."""

    name: str
    words: str = ""
    refused: bool = False
    accepted: tuple[str, ...] = ()  # what of the promise is given up by redis.accept_loss


async def _try_store(settings: Settings) -> Tried:
    url = settings.redis.url
    try:
        async with asyncio.timeout(SECONDS_MAX):
            await ask_once(url)
            client = await connect_store(url)
            try:
                accepted = await check_promise(client, settings.redis.accept_loss)
                lacking = replicas_lacking(await read_facts(client), settings.stock.replicas_wait)
            finally:
                await client.aclose()
    except SettingsError as error:
        return Tried("redis.url", str(error), True)
    except LiveCommerceError as error:
        return Tried("redis.url", f"redis.url: {error.text}", error.code == "store_unsuitable")
    except (RedisError, OSError) as error:
        return Tried("redis.url", f"redis.url: no answer at {address_shown(url)}: {redact_text(str(error))}")
    return Tried("redis.url", f"redis.url: {lacking}" if lacking else "", accepted=tuple(accepted))


async def _try_database(settings: Settings) -> Tried:
    shown = redact_text(database_url(settings.database.url, settings.data_folder))
    database: Database | None = None
    try:
        async with asyncio.timeout(SECONDS_MAX):
            database = Database.of(settings.database.url, settings.data_folder, by_command=True)
            async with database.read() as connection:
                await connection.run_sync(refuse_newer)
                await refuse_moved(connection)
    except ImportError:
        return Tried("database.url", "database.url: PostgreSQL needs asyncpg: pip install livecommerce[postgres]", True)
    except (DatabaseMoved, DatabaseNewer) as error:
        return Tried("database.url", f"database.url: {error.text}", True)
    except (LiveCommerceError, SQLAlchemyError, OSError) as error:
        cause = error.__cause__ or error
        words = redact_text(in_words(getattr(cause, "orig", None) or cause))
        refused = refused_login(cause)
        return Tried(
            "database.url", f"database.url: {shown} {'refuses us' if refused else 'is away'}: {words}", refused
        )
    finally:
        if database is not None:
            await database.close()
    return Tried("database.url")


def _has_database(settings: Settings) -> bool:
    """SQLite is no store that could be away, but a newer version may have written it."""
    return (Path(settings.data_folder).expanduser() / "shop.db").exists()


def _machine(settings: Settings) -> list[Tried]:
    """What of the settings this machine cannot give: `serve` refuses it by the same words."""
    found = []
    for setting, look in (
        ("http.host", lambda: ports.refuse_host(settings.http.host, "http.port")),
        ("http.internal_host", lambda: ports.refuse_host(settings.http.internal_host, "http.internal_port")),
        ("media.host", lambda: ports.refuse_host(settings.media.host, "media.port")),
        ("data_folder", lambda: folders.refuse_unmade(settings.data_folder)),
    ):
        if setting == "http.internal_host" and settings.http.internal_port < 0:
            continue
        try:
            look()
        except LiveCommerceError as error:
            found.append(Tried(setting, f"{setting}: {error.text}", True))
    return found


async def try_connections(settings: Settings) -> list[Tried]:
    """What was found at each configured store; of those that are embedded, SQLite where it is there. And what this
    machine has not: an address, a place for the data folder."""
    if lacking := await asyncio.to_thread(_machine, settings):
        return lacking
    tries = []
    if settings.redis.url:
        tries.append(_try_store(settings))
    if settings.database.url or _has_database(settings):
        tries.append(_try_database(settings))
    return list(await asyncio.gather(*tries))


async def refuse_connections(settings: Settings) -> None:
    """
    Raises:
        SettingsError: one of the stores refuses us, or may not hold a shop.
    """
    words = [tried.words for tried in await try_connections(settings) if tried.refused]
    if words:
        raise SettingsError("\n".join(words))
