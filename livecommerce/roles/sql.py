"""A role's database: opened when it answers, waited for when it does not. Claims and pictures need no SQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.exceptions import RedisError

from livecommerce.errors import DatabaseAway, LiveCommerceError
from livecommerce.ops.health import Check
from livecommerce.ops.log_limit import warn_seldom
from livecommerce.ops.logs import logger
from livecommerce.records.database import Database, refused_login
from livecommerce.roles.agreement import check_agreement
from livecommerce.roles.process import Frame

log = logger(__name__)

AGAIN_SECONDS = 2.0  # between two tries: as long as a refused request is told to wait


def _sql_check(database: Database) -> Check:
    async def check() -> str | None:
        await database.ping()
        return None

    return check


async def _start(frame: Frame, database: Database, redis: Redis) -> None:
    await database.start()
    try:
        await check_agreement(redis, database, frame.settings.redis.accept_loss)
    except BaseException:
        database.is_started = False  # nobody may use one that is another shop's
        raise


async def _start_later(frame: Frame, database: Database, redis: Redis) -> None:
    """Until it answers. One that does not belong to our Valkey, or cannot be migrated, ends the process, as it does at
    a start."""
    while not database.is_started:
        try:
            await _start(frame, database, redis)
        except (DatabaseAway, RedisError, OSError) as away:
            why = away.text if isinstance(away, DatabaseAway) else repr(away)
            warn_seldom(log, "waiting for the database", key="sql at start", why=why)
            await asyncio.sleep(AGAIN_SECONDS)
        except LiveCommerceError as error:
            return frame.fail(error.text)
        except Exception as error:
            log.exception("the database cannot be used")
            return frame.fail(f"the database cannot be used: {error!r}")
    log.info("the database answers; what needs it goes on")


@asynccontextmanager
async def open_database(frame: Frame, redis: Redis) -> AsyncIterator[Database]:
    """The configured database, its schema brought up to date and in agreement with Valkey. One that is away is started
    as soon as it answers; until then each use of it is refused (6003), and the check `sql` of the process says so.

    Raises:
        StoresApart: it is not of the same shop as `redis`.
        DatabaseAway: it refuses our login, which no waiting mends.
    """
    database = Database.of(frame.settings.database.url, frame.settings.data_folder)
    database.is_started = False
    starting: asyncio.Task[None] | None = None
    try:
        try:
            await _start(frame, database, redis)
        except DatabaseAway as away:
            if away.__cause__ is not None and refused_login(away.__cause__):
                raise
            starting = asyncio.create_task(_start_later(frame, database, redis), name="database")
        frame.health.checks["sql"] = _sql_check(database)
        yield database
    finally:
        if starting is not None:
            starting.cancel()
        await database.close()
