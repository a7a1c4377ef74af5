"""State from the ledger: what it leads to, what differs, and that what is written anew is the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from livecommerce.stock import keys
from livecommerce.stock.connection import Connection
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.ledger import decode
from livecommerce.stock.operations import Cancel, Close, Confirm, Line, Reserve, Restock
from livecommerce.stock.rebuild import (
    NotCompared,
    commands,
    last_ledger_id,
    read_ledger,
    read_stored,
    rebuild,
    replay,
    verify,
)
from livecommerce.stock_command import TRIES_MAX, compared
from tests.stock.older_entries import LEDGER
from tests.stock.servers import SHOP, SHOW


def want(number: int, viewer: str, item: str = "A01/紅", units: int = 1) -> Reserve:
    return Reserve(f"identity-{number}", SHOP, SHOW, viewer, (Line(item, units, 100, "TWD", "", 2),))


@pytest.fixture
async def connection(engine: StockEngine) -> Connection:
    """After a short life: two bought, one waits, one has gone, one item is closed."""
    await engine.submit_all([Restock("restock-1", SHOP, SHOW, "A01/紅", 2), Restock("restock-2", SHOP, SHOW, "B02", 3)])
    first, *_ = await engine.submit_all([want(1, "ann"), want(2, "bob"), want(3, "cid"), want(4, "dee", "B02")])
    await engine.submit(Confirm("confirm-1", SHOP, SHOW, first.lines[0].reservation or ""))
    await engine.submit(Cancel("cancel-12", SHOP, SHOW, "dee"))
    await engine.submit(Close("close-123", SHOP, SHOW, "B02"))
    return await engine._servers.connection(SHOP)


def test_a_ledger_from_before_leads_to_its_state() -> None:
    state = replay([decode(b"1-0", LEDGER)])
    assert sorted(viewer for _, viewer in state.records) == ["old-v0", "old-v1", "old-v2"]
    assert state.lines["A01/藍"] == {1: "old-v0", 2: "old-v1", 3: "old-v2"}
    assert state.waiting == {"A01/藍": {"3/s/old-v2": 3}}
    assert len(state.due) == 2, "one deadline for the run, one for the others"


async def test_ledger_and_state_agree_and_are_the_same_after_writing_anew(connection: Connection, store: Redis) -> None:
    assert await verify(connection, SHOP) == []
    told = await read_ledger(connection, SHOP)
    for key in await store.keys("lc:*:stock:*"):
        await store.delete(key)
    for command in commands(SHOP, told):
        await connection.call(*command)
    assert await verify(connection, SHOP) == []
    stored = await read_stored(connection, SHOP)
    assert stored.counters == told.counters
    assert stored.due == told.due
    assert {item: counters.closed for item, (counters, _, _) in stored.counters.items()} == {
        "A01/紅": False,
        "B02": True,
    }


Damage = Callable[[Redis], Any]
DAMAGES: dict[str, tuple[Damage, str]] = {
    "a lost record": (lambda store: store.hdel(keys.viewers(SHOP, SHOW), "ann"), "in the ledger, not stored"),
    "somebody's record": (
        lambda store: store.hset(
            keys.viewers(SHOP, SHOW), "eve", b"o\x0aidentity-9abcd\x0a\x00" + bytes([1] + [0] * 9)
        ),
        "stored, not in the ledger",
    ),
    "a lost item": (lambda store: store.hdel(keys.items(SHOP), "B02"), "item B02: not stored"),
    "a wrong counter": (
        lambda store: store.hset(keys.items(SHOP), "B02", (9).to_bytes(4, "little") + bytes(25)),
        "item B02: available is 9, by the ledger 3",
    ),
    "lost deadlines": (lambda store: store.delete(keys.due(SHOP)), "would never expire"),
    "a lost offer": (lambda store: store.delete(keys.offers(SHOP)), "is not stored"),
    "a lost line": (lambda store: store.delete(keys.line(SHOP, "A01/紅")), "the line of viewers differs"),
    "a lost waitlist": (lambda store: store.delete(keys.waitlist(SHOP, "A01/紅")), "the waitlist differs"),
    "a lost answer of staff": (lambda store: store.delete(keys.staff_ids(SHOP, SHOW)), "staff operation restock-1"),
    "a closed shop": (lambda store: store.hset(keys.items(SHOP), keys.CLOSED, "1"), "the shop is closed"),
}


@pytest.mark.parametrize("what", DAMAGES)
async def test_damage_is_found_and_mended(what: str, connection: Connection, store: Redis) -> None:
    damage, words = DAMAGES[what]
    await damage(store)
    assert any(words in sentence for sentence in await verify(connection, SHOP))
    assert any(words in sentence for sentence in await rebuild(connection, SHOP))
    assert await verify(connection, SHOP) == []


async def test_the_newest_entry_is_known(connection: Connection, store: Redis) -> None:
    ((newest, _),) = await store.xrevrange(keys.ledger(SHOP), count=1)
    assert await last_ledger_id(connection, SHOP) == newest.decode()
    assert await last_ledger_id(connection, "no-such-shop") == "0-0"


async def test_a_shop_that_sells_all_the_time_is_not_said_to_differ(
    connection: Connection, engine: StockEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sold = iter(range(1_000))

    async def moves(_: Connection, __: str) -> str:
        return f"{next(sold)}-0"

    monkeypatch.setattr("livecommerce.stock.rebuild.last_ledger_id", moves)
    with pytest.raises(NotCompared, match="not compared"):
        await verify(connection, SHOP)
    await connection.call("HSET", keys.items(SHOP), keys.FENCE, "the-server-before")
    caplog.clear()
    assert "not compared" in await engine._reconcile(SHOP, connection)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    real = connection.call

    async def another_process_was_done_meanwhile(*parts: bytes | str | int) -> Any:
        answer = await real(*parts)
        if parts[0] == "HGET":
            await real("HSET", keys.items(SHOP), keys.FENCE, connection.run_id)
        return answer

    await connection.call("HSET", keys.items(SHOP), keys.FENCE, "the-server-before")
    monkeypatch.setattr(connection, "call", another_process_was_done_meanwhile)
    assert await engine._reconcile(SHOP, connection) == "", "its fence stands: the shop sells on"


async def test_a_comparison_is_tried_again_for_a_while(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[str] = []

    async def busy_twice(_: Connection, shop: str, __: str) -> list[str]:
        tries.append(shop)
        if len(tries) < 3:
            raise NotCompared
        return ["it differs"]

    async def always_busy(_: Connection, shop: str, __: str) -> list[str]:
        tries.append(shop)
        raise NotCompared

    monkeypatch.setattr("livecommerce.stock_command.TRY_AGAIN_SECONDS", 0)
    monkeypatch.setattr("livecommerce.stock_command.verify", busy_twice)
    assert await compared(connection, SHOP, "") == ["it differs"]
    tries.clear()
    monkeypatch.setattr("livecommerce.stock_command.verify", always_busy)
    with pytest.raises(NotCompared):
        await compared(connection, SHOP, "")
    assert len(tries) == TRIES_MAX
