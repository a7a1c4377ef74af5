"""Do the database and Valkey/Redis belong together? Asked before a shop is made and before a role serves.

One that was lost or forgotten in a restore looks like a fresh shop: the other would then be sold from, or projected
into, as if nothing had been. So an empty or older one beside a full one is refused by name. The secret is the third:
with another one no viewer's cookie is valid any more, and every ticket is out of its buyer's reach.
"""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError
from sqlalchemy import func, select

from livecommerce.accounts.secret import load_secret, secret_fingerprint
from livecommerce.configuration.tree import Settings
from livecommerce.errors import StorageFull
from livecommerce.ops.errors import StoresApart
from livecommerce.ops.logs import logger
from livecommerce.ops.redis_client import connect_store
from livecommerce.orders.tables import ledger_position
from livecommerce.records.database import Database
from livecommerce.records.marks import GENERATION, SECRET, mark, put_mark
from livecommerce.records.rows import now_ms
from livecommerce.shows.model import Keys
from livecommerce.shows.tables import shows
from livecommerce.stock.stream_ids import stream_key

log = logger(__name__)

GENERATION_KEY = "lc:generation"  # of the database that this Valkey/Redis was used with last

ADVICE = (
    "Nothing was changed. Restore both from the same backup (`livecommerce restore`), or correct redis.url and "
    'database.url; docs/operations.md, "Stores that do not belong together".'
)


async def check_agreement(redis: Redis, database: Database, accept_loss: str) -> None:
    """
    Raises:
        StoresApart: one of the two is empty, or older than the other has seen it.
    """
    async with database.read() as connection:
        counting = select(func.count()).select_from(shows).where(shows.c.published_ms.is_not(None))
        published = (await connection.execute(counting)).scalar_one()
        positions = (await connection.execute(select(ledger_position.c.shop, ledger_position.c.position))).all()
    live_shows = int(await redis.hlen(Keys.SHOWS))
    if live_shows and not published and not positions:
        raise StoresApart(
            f"Valkey/Redis holds {live_shows} shows and the database none: the database is empty or another shop's. "
            f"{ADVICE}"
        )
    lost = await _lost(redis, positions)
    if not lost and published and not live_shows:
        lost = f"the database knows {published} shows and Valkey/Redis none"
    if lost and accept_loss == "all":
        log.error("redis.accept_loss is all: going on without what Valkey/Redis has lost", lost=lost)
    elif lost:
        raise StoresApart(
            f"Valkey/Redis is empty or older than the database: {lost}. {ADVICE} To go on without what it has lost: "
            "redis.accept_loss=all."
        )


async def next_generation(redis: Redis, database: Database, accept_loss: str) -> None:
    """Both note that the database is opened anew, it first: so one that is older than what Valkey/Redis was used with
    (a file left behind by a move, an old copy) is told from one that merely lags behind the ledger.

    Raises:
        StoresApart: it is older.
    """
    seen = int(await redis.get(GENERATION_KEY) or 0)
    async with database.read() as connection:
        ours = int(await mark(connection, GENERATION) or 0)
    if ours < seen and await redis.hlen(Keys.SHOWS):
        words = "the database is older than the one that this Valkey/Redis was used with last"
        if accept_loss != "all":
            raise StoresApart(f"{words[0].upper()}{words[1:]}: payments and logins would be missing. {ADVICE}")
        log.error("redis.accept_loss is all: going on without what the database has lost", lost=words)
    try:
        async with database.write() as connection:
            known = int(await mark(connection, GENERATION) or 0)  # another process may have come in between
            ours = max(known + 1, seen + 1, now_ms())
            await put_mark(connection, GENERATION, str(ours))
        await redis.set(GENERATION_KEY, ours)
    except (StorageFull, ResponseError) as full:  # a start on a full disk must not wait for a mark
        log.warning("the opening of the database was not noted", why=str(full)[:200])


async def check_secret(database: Database, settings: Settings) -> None:
    """
    Raises:
        StoresApart: the shop's cookies were signed by another secret.
    """
    found = secret_fingerprint(settings.secret, settings.data_folder)
    async with database.write() as connection:
        kept = await mark(connection, SECRET)
        if kept and kept != found:
            which = "is not the one that this shop's" if found else "is missing that this shop's"
            words = f"The secret (setting `secret`, else {settings.data_folder}/secret) {which} cookies are signed by"
            if settings.redis.accept_loss != "all":
                raise StoresApart(
                    f"{words}: buyers would lose their tickets. Nothing was changed. Bring the file back (a backup has "
                    "it), or set LIVECOMMERCE_SECRET to its words. To go on with another: redis.accept_loss=all, once."
                )
            log.error("redis.accept_loss is all: going on with another secret, viewers' cookies are void")
        if not found:
            load_secret(settings.secret, settings.data_folder)  # made on first use
            found = secret_fingerprint(settings.secret, settings.data_folder)
        if kept != found:
            await put_mark(connection, SECRET, found)


async def _lost(redis: Redis, positions: Any) -> str:
    """The first shop whose ledger ends before what the database has of it; empty where none does."""
    for shop, position in positions:
        try:
            found = await redis.xinfo_stream(f"lc:{{{shop}}}:ledger")
        except ResponseError:  # no such key
            last = "0-0"
        else:
            last = found["last-generated-id"]
            last = last.decode() if isinstance(last, bytes) else str(last)
        if stream_key(last) < stream_key(position or "0-0"):
            return f"the ledger of {shop} ends at {last}, the database has it up to {position}"
    return ""


async def bring_up(redis: Redis, settings: Settings) -> None:
    """Brings the database up to date and holds it against Valkey/Redis, by a connection of its own: nobody else has it
    before it is known to be the right one.

    Raises:
        StoresApart, DatabaseMoved, DatabaseNewer, DatabaseAway, RedisError
    """
    database = Database.of(settings.database.url, settings.data_folder)
    try:
        await database.start()
        await check_agreement(redis, database, settings.redis.accept_loss)
        await check_secret(database, settings)
        await next_generation(redis, database, settings.redis.accept_loss)
    finally:
        await database.close()


async def refuse_apart(settings: Settings) -> None:
    """As `bring_up`, before there is a connection to Valkey/Redis.

    Raises:
        StoresApart, Unavailable, SettingsError
    """
    redis = await connect_store(settings.redis.url)
    try:
        await bring_up(redis, settings)
    finally:
        await redis.aclose()
