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
from livecommerce.records.errors import DatabaseNewer
from livecommerce.records.marks import GENERATION, SECRET, mark, put_mark
from livecommerce.roles.agreement import GENERATION_KEY, bring_up, check_agreement, next_generation
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


async def test_a_database_that_was_left_behind_is_refused_beside_the_valkey_that_went_on(
    valkey: Redis, shop: Database, tmp_path: Path
) -> None:
    await valkey.hset(Keys.SHOWS, "demo", "shop")
    left_behind = Database(f"sqlite+aiosqlite:///{tmp_path / 'old.db'}")
    await left_behind.start()
    try:
        await next_generation(valkey, left_behind, "none")
        await next_generation(valkey, left_behind, "none")
        async with left_behind.read() as reading, shop.write() as writing:
            await put_mark(writing, GENERATION, await mark(reading, GENERATION))  # a copy, which goes on
        await next_generation(valkey, shop, "none")
        with pytest.raises(StoresApart, match=r"older than the one that this Valkey.*payments"):
            await next_generation(valkey, left_behind, "second")
        await next_generation(valkey, shop, "none")
        await next_generation(valkey, left_behind, "all")
    finally:
        await left_behind.close()


async def test_a_valkey_without_shows_takes_any_database(valkey: Redis, shop: Database) -> None:
    await valkey.set(GENERATION_KEY, 10**15)
    await next_generation(valkey, shop, "none")


async def test_the_secret_belongs_to_the_shop(valkey_server: EmbeddedValkey, valkey: Redis, tmp_path: Path) -> None:
    settings = Settings(data_folder=str(tmp_path), redis=RedisSettings(valkey_server.url))
    await bring_up(valkey, settings)
    words = (tmp_path / "secret").read_text()
    await bring_up(valkey, settings)
    async with Database.of("", settings.data_folder).read() as connection:
        kept = await mark(connection, SECRET)
    assert kept
    assert kept not in words
    (tmp_path / "secret").unlink()
    with pytest.raises(StoresApart, match="is missing that this shop's cookies"):
        await bring_up(valkey, settings)
    assert not (tmp_path / "secret").exists(), "none is made in its place"
    other = msgspec.structs.replace(settings, secret="quite another one 0123456789")
    with pytest.raises(StoresApart, match="is not the one that this shop's cookies"):
        await bring_up(valkey, other)
    await bring_up(valkey, msgspec.structs.replace(settings, secret=words))
    accepted = msgspec.structs.replace(other, redis=RedisSettings(valkey_server.url, "all"))
    await bring_up(valkey, accepted)
    await bring_up(valkey, other)


async def test_a_database_of_a_newer_version_is_refused_by_number(tmp_path: Path) -> None:
    database = await Database.open("", str(tmp_path))
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseNewer, match=r"revision 9999.*restore the backup") as refused:
        await database.start()
    assert refused.value.number == 6211
    await database.close()
