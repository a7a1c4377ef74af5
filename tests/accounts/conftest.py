"""A shop with its accounts on a real Valkey and a real database; argon2 runs at its least cost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from redis.asyncio import Redis

from livecommerce.accounts.accounts import Accounts
from livecommerce.accounts.rows import Shop
from livecommerce.accounts.secret import load_secret
from livecommerce.configuration.tree import Settings
from livecommerce.records.database import Database
from tests.site import make_site, relay, site, site_settings

__all__ = ["make_site", "relay", "site", "site_settings"]


@pytest.fixture
async def accounts(tmp_path: Path, valkey: Redis) -> AsyncIterator[Accounts]:
    """On SQLite; what is in SQL is tested on both, in `test_rows.py`."""
    settings = Settings(data_folder=str(tmp_path / "data"))
    sqlite = await Database.open(settings.database.url, settings.data_folder)
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    room = Accounts(load_secret(settings.secret, settings.data_folder), valkey, sqlite, hasher=hasher)
    await room.shops.put(Shop(id="lingling", name="玲玲的小舖"))
    yield room
    room.close()
    await sqlite.close()
