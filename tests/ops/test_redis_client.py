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


async def test_nobody_overtakes_those_who_wait(valkey_server: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch) -> None:
    """Callers who came in the moment in which a connection was given back had it before those who waited for it."""
    monkeypatch.setattr(redis_client, "CONNECTIONS_MAX", 1)
    client: Redis = connect(valkey_server.url)
    answered: list[str] = []

    async def greedy() -> None:
        for _ in range(100):
            await client.ping()
            answered.append("greedy")

    async def patient() -> None:
        await client.ping()
        answered.append("patient")

    try:
        await asyncio.gather(greedy(), patient())
    finally:
        await client.aclose()
    assert answered.index("patient") <= 2


async def test_waiting_for_a_turn_is_no_silence_of_the_store(
    valkey_server: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait counted as the command's own time: the last of a crowd were told that the store does not answer."""
    monkeypatch.setattr(redis_client, "CONNECTIONS_MAX", 1)
    client: Redis = connect(valkey_server.url)
    client.seconds_max = 1.0  # type: ignore[attr-defined]
    try:
        calls = [client.blpop([f"nothing comes here {number}"], timeout=0.3) for number in range(5)]
        assert await asyncio.gather(*calls) == [None] * 5
        pipeline = client.pipeline(transaction=False)
        pipeline.ping()
        held = asyncio.create_task(client.blpop(["nor here"], timeout=0.3))
        await asyncio.sleep(0)
        assert await pipeline.execute() == [True]
        await held
    finally:
        await client.aclose()


async def test_a_turn_comes_later_than_the_limit_while_others_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tail of a rush was refused on a slow machine, though the store had answered all before it."""
    monkeypatch.setattr(redis_client, "WAIT_SECONDS_MAX", 0.2)
    turns, order = redis_client.Turns(1), []

    async def served(number: int) -> None:
        async with turns:
            await asyncio.sleep(0.05)
            order.append(number)

    await asyncio.gather(*(served(number) for number in range(12)))
    assert order == list(range(12))


async def test_a_turn_given_to_one_who_leaves_is_the_next_ones() -> None:
    turns = redis_client.Turns(1)
    await turns.__aenter__()
    leaver, next_one = asyncio.create_task(turns.__aenter__()), asyncio.create_task(turns.__aenter__())
    await asyncio.sleep(0)
    await turns.__aexit__(None)
    leaver.cancel()
    await asyncio.wait([leaver, next_one], timeout=5)
    assert leaver.cancelled()
    assert next_one.done()
    await turns.__aexit__(None)
    assert turns._free == 1


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
