from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from tests.intake.demo_show import Stage, opened_stage


@pytest.fixture
async def stage(valkey: Redis) -> AsyncIterator[Stage]:
    """The demo show, live. People may say as much as a test wants."""
    async with opened_stage(valkey, per_window=1_000) as stage:
        await stage.command("start")
        yield stage
