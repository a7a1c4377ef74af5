from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from tests.realtime.world import World, serving


@pytest.fixture(params=["fast", "stock"])
async def world(request: pytest.FixtureRequest, valkey: Redis) -> AsyncIterator[World]:
    """The demo show on a web process, once per broadcast path."""
    async with serving(valkey, fast=request.param == "fast") as world:
        yield world


@pytest.fixture
async def fast_world(valkey: Redis) -> AsyncIterator[World]:
    async with serving(valkey) as world:
        yield world
