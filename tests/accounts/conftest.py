"""A shop with its accounts on a real Valkey and a real SQLite file; argon2 runs at its least cost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from redis.asyncio import Redis

from livecommerce.accounts.accounts import Accounts
from livecommerce.records.repositories import Repositories
from livecommerce.records.structs import Shop
from livecommerce.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_folder=str(tmp_path / "data"))


@pytest.fixture
async def records(settings: Settings) -> AsyncIterator[Repositories]:
    repositories = await Repositories.open(settings)
    await repositories.shops.put(Shop(id="lingling", name="玲玲的小舖"))
    yield repositories
    await repositories.close()


@pytest.fixture
async def accounts(settings: Settings, valkey: Redis, records: Repositories) -> AsyncIterator[Accounts]:
    room = Accounts(settings, valkey, records, hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    yield room
    room.close()
