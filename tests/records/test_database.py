"""The database comes up in one schema however many processes start it, and a transaction is whole or nothing."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError, OperationalError

from livecommerce.accounts.rows import Shop, ShopRepository
from livecommerce.accounts.tables import shops
from livecommerce.configuration.tree import Settings
from livecommerce.records.database import Database, database_url
from livecommerce.records.metadata import metadata
from livecommerce.shows.tables import show_items
from tests.records.every_table import import_tables

START = """
import asyncio, sys
from livecommerce.records.database import Database
async def main():
    database = Database(sys.argv[1])
    await database.start()
    await database.ping()
    await database.close()
asyncio.run(main())
"""


async def test_the_migrations_make_exactly_the_tables_of_the_code(database: Database) -> None:
    import_tables()
    async with database.read() as connection:
        difference = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), metadata)
        )
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    assert difference == []
    assert set(names) == set(metadata.tables) | {"alembic_version"}


def test_four_processes_that_start_together_all_come_up(database_url: str) -> None:
    starting = [subprocess.Popen([sys.executable, "-c", START, database_url], stderr=subprocess.PIPE) for _ in range(4)]
    said = [process.communicate(timeout=60)[1].decode() for process in starting]
    assert [process.returncode for process in starting] == [0, 0, 0, 0], said


async def test_a_second_start_changes_nothing(database: Database) -> None:
    await ShopRepository(database).put(Shop(id="lingling", name="玲玲的小舖"))
    await database.start()
    assert await ShopRepository(database).get("lingling") is not None


async def test_a_transaction_that_raises_leaves_nothing(database: Database) -> None:
    async def half() -> None:
        async with database.write() as connection:
            await connection.execute(
                shops.insert().values(id="half", name="half", currency="TWD", locale="en", packs=[], created_ms=1)
            )
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await half()
    assert await ShopRepository(database).get("half") is None


async def test_a_row_without_its_parent_is_refused(database: Database) -> None:
    with pytest.raises(IntegrityError):
        async with database.write() as connection:
            await connection.execute(
                show_items.insert().values(show="nowhere", code="A01", position=0, product={}, supply={})
            )


async def test_writers_of_one_process_take_turns(database: Database) -> None:
    await ShopRepository(database).put(Shop(id="counter", name="0"))

    async def add_one() -> None:
        async with database.write() as connection:
            row = await connection.execute(
                text("SELECT name FROM shops WHERE id = 'counter' FOR UPDATE")
                if not database.is_sqlite
                else text("SELECT name FROM shops WHERE id = 'counter'")
            )
            value = int(row.scalar_one())
            await asyncio.sleep(0)
            await connection.execute(text("UPDATE shops SET name = :n WHERE id = 'counter'"), {"n": str(value + 1)})

    await asyncio.gather(*(add_one() for _ in range(25)))
    shop = await ShopRepository(database).get("counter")
    assert shop is not None
    assert shop.name == "25"


async def test_sqlite_is_private_in_wal_and_its_readers_cannot_write(tmp_path: Path) -> None:
    settings = Settings(data_folder=str(tmp_path / "data"))
    database = Database(database_url(settings.database.url, settings.data_folder))
    await database.start()
    path = tmp_path / "data" / "shop.db"
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    async with database.read() as connection:
        assert (await connection.execute(text("PRAGMA journal_mode"))).scalar() == "wal"
        assert (await connection.execute(text("PRAGMA foreign_keys"))).scalar() == 1
        with pytest.raises(OperationalError, match="readonly"):
            await connection.execute(text("DELETE FROM shops"))
    await database.close()
