"""Fixtures that every room uses: a real Valkey and both databases, empty for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from livecommerce.ops.valkey import EmbeddedValkey
from livecommerce.records.database import Database
from tests.postgres_server import PostgresServer


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """One embedded server a test run; tests that kill or fill it start their own."""
    server = EmbeddedValkey(Path(tmp_path_factory.mktemp("valkey")))
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def valkey(valkey_server: EmbeddedValkey) -> AsyncIterator[Redis]:
    """A client on an empty server: all keys and function libraries gone."""
    client = Redis.from_url(valkey_server.url)
    await client.flushall()
    await client.function_flush("SYNC")
    yield client
    await client.aclose()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """One PostgreSQL server a test run."""
    server = PostgresServer()
    try:
        server.start()
        yield server.url
    finally:
        server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'shop.db'}"
    url = request.getfixturevalue("postgres_url")
    database = Database(url)
    async with database.write() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    await database.close()
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated database without rows, on SQLite and on PostgreSQL in turn."""
    database = Database(database_url)
    await database.start()
    yield database
    await database.close()
