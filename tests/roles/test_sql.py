"""A role's database: nobody uses one that has not been held against Valkey, and both are waited for."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError

from livecommerce.accounts.rows import ShopRepository
from livecommerce.configuration.tree import Settings
from livecommerce.errors import DatabaseAway, in_words
from livecommerce.ops.errors import StoresApart
from livecommerce.records.database import Database
from livecommerce.roles import sql
from livecommerce.roles.process import Frame


class Stores:
    """What is found at each try: a fault, or "" for two that agree. It looks whether somebody may use the database."""

    def __init__(self, *found: Exception | None) -> None:
        self.found = list(found)
        self.tries = 0
        self.is_asked = asyncio.Event()

    async def bring_up(self, _redis: Redis, settings: Settings) -> None:
        self.tries += 1
        self.is_asked.set()
        database = Database.of(settings.database.url, settings.data_folder)
        await database.start()
        await database.close()
        if self.found and (fault := self.found.pop(0)) is not None:
            raise fault


@pytest.fixture
def frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Frame:
    monkeypatch.setattr(sql, "AGAIN_SECONDS", 0.05)
    return Frame(Settings(data_folder=str(tmp_path)), "web", 0)


@pytest.mark.parametrize("away", [DatabaseAway(), ConnectionError("Valkey is gone")], ids=["sql", "valkey"])
async def test_either_store_is_waited_for_and_nothing_is_read_before(
    frame: Frame, valkey: Redis, monkeypatch: pytest.MonkeyPatch, away: Exception
) -> None:
    stores = Stores(away, away, away, None)
    monkeypatch.setattr(sql, "bring_up", stores.bring_up)
    async with sql.open_database(frame, valkey) as database:
        shops = ShopRepository(database)
        with pytest.raises(DatabaseAway):
            await shops.all()
        with pytest.raises(DatabaseAway) as told:
            await frame.health.checks["sql"]()
        assert in_words(away) in told.value.for_operators, "the cause of the try before"
        async with asyncio.timeout(10):
            while not database.is_open:
                await asyncio.sleep(0.02)
        assert stores.tries == 4
        assert await shops.all() == []
        assert await frame.health.checks["sql"]() is None
    assert not frame.failed


async def test_another_shops_database_is_never_open_and_ends_the_process(
    frame: Frame, valkey: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its schema was brought up to date by then; between that and the comparison nobody reads it either."""
    stores = Stores(DatabaseAway(), StoresApart("the database is another shop's"))
    monkeypatch.setattr(sql, "bring_up", stores.bring_up)
    async with sql.open_database(frame, valkey) as database:
        async with asyncio.timeout(10):
            await frame.stop_asked.wait()
        assert (frame.failed, frame.reason) == (True, "the database is another shop's")
        with pytest.raises(DatabaseAway):
            await ShopRepository(database).all()
    monkeypatch.setattr(sql, "bring_up", Stores(StoresApart("the database is another shop's")).bring_up)
    with pytest.raises(StoresApart):
        async with sql.open_database(frame, valkey):
            pass
