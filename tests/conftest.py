"""Fixtures that every room uses: a real Valkey, empty for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from livecommerce.ops.valkey import EmbeddedValkey


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
