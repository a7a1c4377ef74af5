"""A role's database: opened when it answers, waited for when it does not. Claims and pictures need no SQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.exceptions import RedisError

from livecommerce.errors import DatabaseAway, LiveCommerceError, StorageFull, in_words
from livecommerce.ops.health import Check, Degraded
from livecommerce.ops.log_limit import warn_seldom
from livecommerce.ops.logs import logger
from livecommerce.records.database import Database, refused_login
from livecommerce.roles.agreement import bring_up
from livecommerce.roles.process import Frame

log = logger(__name__)

AGAIN_SECONDS = 2.0  # between two tries: as long as a refused request is told to wait


def _sql_storage_check(database: Database) -> Check:
    async def check() -> str | None:
        """Whether it stored what it was given last. A full one is read, and what writes nothing goes on."""
        return Degraded(database.full) if database.full else None

    return check


async def _start_later(frame: Frame, database: Database, redis: Redis) -> None:
    """Until it answers. One that does not belong to our Valkey, or cannot be migrated, ends the process, as it does at
    a start."""
    while not database.is_open:
        try:
            await bring_up(redis, frame.settings)
            database.is_open = True
        except (DatabaseAway, StorageFull) as away:
            database.closed_why = in_words(away)
            warn_seldom(log, "waiting for the database", key="sql at start", why=away.for_operators)
            await asyncio.sleep(AGAIN_SECONDS)
        except RedisError as away:
            database.closed_why = in_words(away)
            words = "waiting for Valkey/Redis, to hold the database against it"
            warn_seldom(log, words, key="sql at start", why=in_words(away))
            await asyncio.sleep(AGAIN_SECONDS)
        except LiveCommerceError as error:
            return frame.fail(error.for_operators)
        except Exception as error:
            log.exception("the database cannot be used")
            return frame.fail(f"the database cannot be used: {in_words(error)}")
    log.info("the database answers; what needs it goes on")


@asynccontextmanager
async def open_database(frame: Frame, redis: Redis) -> AsyncIterator[Database]:
    """The configured database, its schema brought up to date and in agreement with Valkey. While one of the two is away
    it is tried again; until then each use of it is refused (6003), and the check `sql` of the process says so.

    Raises:
        StoresApart: it is not of the same shop as `redis`.
        DatabaseAway: it refuses our login, which no waiting mends.
    """
    database = Database.of(frame.settings.database.url, frame.settings.data_folder)
    database.is_open = False
    starting: asyncio.Task[None] | None = None
    try:
        try:
            await bring_up(redis, frame.settings)
            database.is_open = True
        except (DatabaseAway, StorageFull, RedisError) as away:
            database.closed_why = in_words(away)
            if away.__cause__ is not None and refused_login(away.__cause__):
                raise
            starting = asyncio.create_task(_start_later(frame, database, redis), name="database")
        frame.health.checks["sql"] = database.ping
        frame.health.checks["sql_storage"] = _sql_storage_check(database)
        yield database
    finally:
        if starting is not None:
            starting.cancel()
        await database.close()
