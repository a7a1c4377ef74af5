"""`livecommerce stock verify` and `rebuild`, as an operator runs them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from redis.asyncio import Redis

from livecommerce.cli import main
from livecommerce.ops.valkey import EmbeddedValkey
from livecommerce.records.audit import AuditRepository
from livecommerce.records.database import Database
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.operations import Line, Reserve, Restock
from tests.stock.servers import SHOP, SHOW


async def run(server: EmbeddedValkey, folder: Path, *words: str) -> int:
    """The command has an event loop of its own, so it runs in a thread."""
    return await asyncio.to_thread(
        main, ["stock", *words, "--set", f"redis.url={server.url}", "--set", f"data_folder={folder}"]
    )


async def test_an_operator_finds_and_mends_a_wrong_state(
    engine: StockEngine, store: Redis, stock_server: EmbeddedValkey, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(stock_server, tmp_path, "verify") == 1, "there is no shop yet"
    await engine.submit(Restock("restock-1", SHOP, SHOW, "A", 5))
    await engine.submit(Reserve("good-id-1", SHOP, SHOW, "ann", (Line("A", 2, 100, "TWD"),)))
    assert await run(stock_server, tmp_path, "verify") == 0
    assert "shop: agrees with its ledger" in capsys.readouterr().out

    await store.hdel(f"lc:{{{SHOP}}}:stock:viewers:{SHOW}", "ann")
    await store.delete(f"lc:{{{SHOP}}}:stock:due")
    assert await run(stock_server, tmp_path, "verify", "--shop", SHOP) == 1
    words = capsys.readouterr().out
    assert "viewer ann, operation good-id-1: in the ledger, not stored" in words
    assert "would never expire" in words

    assert await run(stock_server, tmp_path, "rebuild") == 0
    database = Database.of("", str(tmp_path))
    [noted] = await AuditRepository(database).newest(SHOP)
    await database.close()
    assert (noted.do, noted.actor[:4], noted.details) == ("stock_rebuilt", "cli:", {"put_right": 2})
    assert await run(stock_server, tmp_path, "verify") == 0
    assert (await engine.counters(SHOP))["A"].held == 2
    assert [claim.quantity for claim in await engine.claims(SHOP, viewer="ann")] == [2]
