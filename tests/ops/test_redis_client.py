"""The pool of connections to the store: more callers than connections take turns."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError, TimeoutError

from livecommerce.ops import redis_client
from livecommerce.ops.redis_client import CONNECTIONS_MAX, connect, connect_store
from livecommerce.ops.valkey import EmbeddedValkey


async def test_more_callers_than_connections_wait_for_their_turn(valkey_server: EmbeddedValkey) -> None:
    """It raised at once: 150 joins in one moment were 86 refusals."""
    client = connect(valkey_server.url)
    try:
        callers = [client.eval("return 1", 0) for _ in range(CONNECTIONS_MAX * 10)]
        assert await asyncio.gather(*callers) == [1] * (CONNECTIONS_MAX * 10)
        connected = await client.client_list()
        assert len(connected) <= CONNECTIONS_MAX + 1
    finally:
        await client.aclose()


async def test_a_person_waits_for_a_stalled_server_as_long_as_the_lane_says(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path)
    server.start()
    client = await connect_store(server.url, seconds_max=0.2)
    try:
        assert server.pid is not None
        await client.set("kept", "1")
        os.kill(server.pid, signal.SIGSTOP)
        # the limit of one try is far above, and that of other clients too: it is this lane's that ends the wait
        with pytest.raises(TimeoutError, match="no answer within 0 s"):
            await client.get("kept")
        with pytest.raises(TimeoutError, match="no answer within 0 s"):
            await client.pipeline().get("kept").execute()
        os.kill(server.pid, signal.SIGCONT)
        assert await client.get("kept") == b"1"
    finally:
        await client.aclose()
        server.kill()


async def test_who_waits_too_long_is_refused(valkey_server: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_client, "CONNECTIONS_MAX", 1)
    monkeypatch.setattr(redis_client, "WAIT_SECONDS_MAX", 0.05)
    client: Redis = connect(valkey_server.url)
    blocking = asyncio.create_task(client.blpop(["nothing comes here"], timeout=1))
    await asyncio.sleep(0.02)
    with pytest.raises(ConnectionError):
        await client.ping()
    await blocking
    await client.aclose()
