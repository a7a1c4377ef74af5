"""The store has troubles: full, read-only, without our functions, killed in the middle, another one than before."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from livecommerce.errors import OutcomeUnknown
from livecommerce.intake.orders import refusal_of
from livecommerce.ops.valkey import EmbeddedValkey
from livecommerce.stock import batcher
from livecommerce.stock.engine import StockEngine, StockUnavailable
from livecommerce.stock.operations import Line, Reserve, Restock
from livecommerce.stock.outcomes import Outcome
from livecommerce.stock.rebuild import rebuild, verify
from tests.stock.servers import KINDS, SHOP, SHOW, engine_on, library_with, server

GOOD = Reserve("good-id-1", SHOP, SHOW, "ann", (Line("A", 1, 100, "TWD"),))
RESTOCK = Restock("restock-1", SHOP, SHOW, "A", 50)
ITEMS = f"lc:{{{SHOP}}}:stock:items"


async def test_a_server_without_the_functions_is_given_them(engine: StockEngine, store: Redis) -> None:
    assert (await engine.submit(RESTOCK)).outcome is Outcome.RESTOCKED
    await store.function_flush("SYNC")
    assert (await engine.submit(GOOD)).outcome is Outcome.RESERVED
    await store.function_flush("SYNC")
    assert (await engine.counters(SHOP))["A"].held == 1


async def test_an_older_and_a_newer_version_work_side_by_side(
    engine: StockEngine, stock_server: EmbeddedValkey
) -> None:
    other = engine_on(stock_server.url, library=library_with(("local WAIT_CHUNK = 64", "local WAIT_CHUNK = 65")))
    try:
        await engine.submit(RESTOCK)
        first = await other.submit(GOOD)
        assert first.outcome is Outcome.RESERVED
        assert await engine.submit(GOOD) == first
    finally:
        await other.close()


async def test_out_of_memory_is_said_and_nothing_changes(engine: StockEngine, store: Redis) -> None:
    await engine.submit(RESTOCK)
    await store.config_set("maxmemory", "1mb")
    try:
        answer = await engine.submit(GOOD)
        assert answer.outcome is Outcome.STORAGE_FULL
        assert answer.retry_after_ms > 0
        assert (await engine.counters(SHOP))["A"].held == 0, "a full store can be read"
    finally:
        await store.config_set("maxmemory", "0")
    assert (await engine.submit(GOOD)).outcome is Outcome.RESERVED


async def test_a_read_only_replica_refuses_and_serves_again_when_it_is_primary(tmp_path: Path) -> None:
    first, second = server("valkey", tmp_path / "a"), server("valkey", tmp_path / "b")
    first.start()
    second.start()
    engine, store = engine_on(second.url), Redis.from_url(second.url)
    try:
        await engine.submit(RESTOCK)
        await store.execute_command("REPLICAOF", "127.0.0.1", "1")
        waiting = asyncio.create_task(engine.submit(GOOD))
        await asyncio.sleep(0.3)
        assert not waiting.done(), "a failover takes seconds: the comment waits for it"
        await store.execute_command("REPLICAOF", "NO", "ONE")
        assert (await waiting).outcome is Outcome.RESERVED
    finally:
        await engine.close()
        await store.aclose()
        first.stop()
        second.stop()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batcher, "ANSWER_SECONDS_MAX", 0.5)
    monkeypatch.setattr(batcher, "WAIT_MS_MAX", 50)


async def test_without_enough_replicas_nobody_says_that_nothing_was_changed(
    impatient: None, engine: StockEngine, stock_server: EmbeddedValkey, caplog: pytest.LogCaptureFixture
) -> None:
    await engine.submit(RESTOCK)
    waiting = engine_on(stock_server.url, replicas_wait=1)
    try:
        answer = await waiting.submit(GOOD)
        assert answer.outcome is Outcome.UNAVAILABLE
        told = refusal_of(answer)
        assert (type(told), told and told.number) == (OutcomeUnknown, 6004)
        assert (await engine.counters(SHOP))["A"].held == 1, "and it stands"
        assert "the write reached 0 of 1 replicas" in caplog.text
    finally:
        await waiting.close()
    assert (await engine.submit(GOOD)).outcome is Outcome.RESERVED, "the same again tells"
    assert (await engine.counters(SHOP))["A"].held == 1


async def test_a_store_that_fills_up_after_a_lost_answer_is_no_denial(
    impatient: None, engine: StockEngine, stock_server: EmbeddedValkey, store: Redis
) -> None:
    """The first try was applied and its answer lost; the second is refused as the store is full now."""
    await engine.submit(RESTOCK)
    waiting = engine_on(stock_server.url, replicas_wait=1)
    try:
        under_way = asyncio.create_task(waiting.submit(GOOD))
        async with asyncio.timeout(20):
            while (await engine.counters(SHOP))["A"].held == 0:
                await asyncio.sleep(0)
        await store.config_set("maxmemory", "1mb")
        assert (await under_way).outcome is Outcome.UNAVAILABLE
    finally:
        await store.config_set("maxmemory", "0")
        await waiting.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_full_disk_is_said(kind: str, tmp_path: Path) -> None:
    """A server whose files cannot be written answers MISCONF; here a folder stands where its snapshot belongs."""
    found = server(kind, tmp_path)
    found.start()
    engine, store = engine_on(found.url), Redis.from_url(found.url)
    try:
        await engine.submit(RESTOCK)
        await store.config_set("save", "1 1")
        (tmp_path / "dump.rdb").mkdir()
        (tmp_path / "dump.rdb" / "in the way").touch()
        await store.bgsave()
        async with asyncio.timeout(20):
            while (await store.info("persistence"))["rdb_last_bgsave_status"] == "ok":
                await asyncio.sleep(0.02)
        answer = await engine.submit(GOOD)
        assert answer.outcome is Outcome.STORAGE_FULL, answer
        await store.config_set("save", "")
        assert (await engine.submit(GOOD)).outcome is Outcome.RESERVED
    finally:
        await engine.close()
        await store.aclose()
        found.stop()


async def test_a_killed_connection_is_made_anew(engine: StockEngine, store: Redis) -> None:
    await engine.submit(RESTOCK)
    many = [replace(GOOD, id=f"identity-{n}", viewer=f"viewer-{n}") for n in range(40)]
    tasks = [asyncio.create_task(engine.submit(operation)) for operation in many]
    await asyncio.sleep(0)
    await store.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    answers = await asyncio.gather(*tasks)
    assert {answer.outcome for answer in answers} == {Outcome.RESERVED}
    assert (await engine.counters(SHOP))["A"].held == 40


async def test_a_paused_server_answers_late_but_once(engine: StockEngine, store: Redis) -> None:
    await engine.submit(RESTOCK)
    await store.execute_command("CLIENT", "PAUSE", "300", "WRITE")
    first, second = await asyncio.gather(engine.submit(GOOD), engine.submit(GOOD))
    assert first == second
    assert (await engine.counters(SHOP))["A"].held == 1


async def test_a_long_queue_is_busy_at_once(stock_server: EmbeddedValkey, store: Redis) -> None:
    engine = engine_on(stock_server.url, queue_length_max=10)
    try:
        await engine.submit(RESTOCK)
        many = [replace(GOOD, id=f"identity-{n}", viewer=f"viewer-{n}") for n in range(30)]
        answers = await engine.submit_all(many)
        busy = [answer for answer in answers if answer.outcome is Outcome.BUSY]
        assert len(busy) == 20
        assert all(answer.retry_after_ms > 0 for answer in busy)
        assert (await engine.counters(SHOP))["A"].held == 10
        again = await engine.submit(replace(GOOD, id=busy[0].id, viewer="viewer-29"))
        assert again.outcome is Outcome.RESERVED, "busy was not stored"
    finally:
        await engine.close()


async def test_another_server_keeps_the_shop_closed_until_the_ledger_agrees(
    engine: StockEngine, store: Redis, stock_server: EmbeddedValkey
) -> None:
    await engine.submit(RESTOCK)
    await store.hset(ITEMS, "#fence", "the-server-before")
    assert (await engine.submit(GOOD)).outcome is Outcome.RESERVED, "ledger and state agree: sales go on"
    assert await store.hget(ITEMS, "#fence") == b"local"
    assert await store.hget(ITEMS, "#epoch") == b"1"

    await store.hset(ITEMS, "#fence", "the-server-before")
    await store.hdel(f"lc:{{{SHOP}}}:stock:viewers:{SHOW}", "ann")
    other = replace(GOOD, id="good-id-2", viewer="bob")
    answer = await engine.submit(other)
    assert answer.outcome is Outcome.RECONCILING
    assert "in the ledger, not stored" in answer.reason
    assert (await engine.counters(SHOP))["A"].held == 1, "a closed shop can be read"

    connection = await engine._servers.connection(SHOP)
    assert await rebuild(connection, SHOP) != []
    assert await verify(connection, SHOP) == []
    assert (await engine.submit(other)).outcome is Outcome.RESERVED


async def test_a_ledger_that_ends_too_early_is_seen(engine: StockEngine) -> None:
    await engine.submit(RESTOCK)
    connection = await engine._servers.connection(SHOP)
    (words,) = await verify(connection, SHOP, seen_id="9999999999999-0")
    assert "entries are lost" in words


async def test_a_server_that_never_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livecommerce.stock.batcher.ANSWER_SECONDS_MAX", 0.3)
    engine = engine_on(f"unix://{tmp_path}/nobody.sock")
    try:
        answer = await engine.submit(GOOD)
        assert answer.outcome is Outcome.UNAVAILABLE
        assert answer.retry_after_ms > 0
        with pytest.raises(StockUnavailable):
            await engine.counters(SHOP)
    finally:
        await engine.close()
