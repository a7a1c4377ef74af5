"""An empty or older store beside a full one is refused by name before anything is sold from it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from livecommerce.accounts.rows import Shop, ShopRepository
from livecommerce.configuration.tree import Settings
from livecommerce.ops.errors import StoresApart
from livecommerce.ops.settings import Redis as RedisSettings
from livecommerce.ops.valkey import EmbeddedValkey
from livecommerce.records.database import Database
from livecommerce.roles.agreement import check_agreement
from livecommerce.roles.process import Frame
from livecommerce.roles.worker import worker_role
from livecommerce.shows.model import Keys

LEDGER = "lc:{shop}:ledger"


async def note_position(database: Database, position: str) -> None:
    async with database.write() as connection:
        statement = text("INSERT INTO ledger_position (shop, position, updated_ms) VALUES ('shop', :position, 1)")
        await connection.execute(statement, {"position": position})


@pytest.fixture
async def shop(database: Database) -> Database:
    await ShopRepository(database).put(Shop("shop", "小店"))
    return database


async def test_two_fresh_ones_and_two_that_know_each_other_are_good(valkey: Redis, shop: Database) -> None:
    await check_agreement(valkey, shop, "none")
    await valkey.hset(Keys.SHOWS, "demo", "shop")
    await valkey.xadd(LEDGER, {"v": "1"}, id="5-1")
    await note_position(shop, "5-1")
    await check_agreement(valkey, shop, "none")


async def test_an_empty_database_beside_a_full_store(valkey: Redis, shop: Database) -> None:
    await valkey.hset(Keys.SHOWS, "demo", "shop")
    with pytest.raises(StoresApart, match=r"the database is empty.*restore"):
        await check_agreement(valkey, shop, "all")


@pytest.mark.parametrize("ledger", [None, "4-9"])
async def test_an_empty_or_older_store_beside_a_full_database(
    valkey: Redis, shop: Database, ledger: str | None
) -> None:
    if ledger is not None:
        await valkey.hset(Keys.SHOWS, "demo", "shop")
        await valkey.xadd(LEDGER, {"v": "1"}, id=ledger)
    await note_position(shop, "5-1")
    with pytest.raises(StoresApart, match="older than the database"):
        await check_agreement(valkey, shop, "second")
    await check_agreement(valkey, shop, "all")


async def test_a_role_does_not_start_on_them(valkey_server: EmbeddedValkey, valkey: Redis, tmp_path: Path) -> None:
    settings = Settings(
        data_folder=str(tmp_path), secret="words that sign cookies", redis=RedisSettings(valkey_server.url)
    )
    await valkey.hset(Keys.SHOWS, "demo", "shop")
    with pytest.raises(StoresApart):
        async with worker_role(Frame(msgspec.structs.replace(settings), "worker", 0)):
            pass
