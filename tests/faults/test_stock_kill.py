"""kill -9 of server and client at random points under load: nothing acknowledged is lost, nothing is oversold."""

from __future__ import annotations

import asyncio
import random
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path

import pytest

from livecommerce.ops.valkey import EmbeddedValkey
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.operations import Restock
from livecommerce.stock.outcomes import Answer
from livecommerce.stock.rebuild import verify
from tests.faults import stock_client
from tests.stock.servers import KINDS, SHOP, SHOW, engine_on, server

SUPPLY = {"A": 400, "B": 150}
ROUNDS = 5  # on each kind of server: ten in all
ROUNDS_NIGHTLY = 100


async def start_client(found: EmbeddedValkey, seed: int) -> Process:
    program = [sys.executable, "-m", stock_client.__name__, found.url, str(seed)]
    root = Path(__file__).resolve().parents[2]
    return await asyncio.create_subprocess_exec(*program, stdout=PIPE, stderr=DEVNULL, cwd=root)


async def acknowledged(client: Process, into: list[list[str]]) -> None:
    assert client.stdout is not None
    while line := await client.stdout.readline():
        if line.endswith(b"\n"):  # the kill may cut the last one
            into.append(line.decode().split())


async def one_round(found: EmbeddedValkey, chance: random.Random, number: int) -> list[list[str]]:
    """A client under load; the server is killed at a random moment and comes back; then the client is killed."""
    told: list[list[str]] = []
    client = await start_client(found, number)
    reader = asyncio.create_task(acknowledged(client, told))
    try:
        async with asyncio.timeout(60):
            while not told:
                await asyncio.sleep(0.01)
        await asyncio.sleep(chance.random() * 0.3)
        if number % 2 == 0:
            found.kill()
            await asyncio.sleep(chance.random() * 0.2)
            await found.start_async()
            before = len(told)
            async with asyncio.timeout(30):
                while len(told) == before:
                    await asyncio.sleep(0.01)
        await asyncio.sleep(chance.random() * 0.2)
    finally:
        client.kill()
        await client.wait()
        await reader
    return told


async def check(engine: StockEngine, told: list[list[str]]) -> None:
    for item, counters in (await engine.counters(SHOP)).items():
        assert counters.supplied == SUPPLY[item]
        assert counters.available + counters.held + counters.sold == counters.supplied
        assert counters.available >= 0, f"{item} is oversold"
    ids: dict[str, dict[str, str]] = {}
    assert await verify(await engine._servers.connection(SHOP), SHOP) == []
    for viewer, identity, outcome, reservation, _ in told:
        ids.setdefault(viewer, {})[identity] = outcome
        if outcome in ("cancelled", "confirmed"):
            (claim,) = [c for c in await engine.claims(SHOP, show=SHOW, viewer=viewer) if c.reservation == reservation]
            assert claim.state == outcome, f"acknowledged and lost: {viewer} {identity}"
        elif outcome in ("reserved", "partly", "waiting"):
            made = {claim.id: claim.reservation for claim in await engine.claims(SHOP, show=SHOW, viewer=viewer)}
            assert made.get(identity) == reservation, f"acknowledged and lost: {viewer} {identity}"


async def run(found: EmbeddedValkey, rounds: int, seed: int) -> None:
    chance, told = random.Random(seed), []
    found.start()
    engine = engine_on(found.url)
    try:
        for item, units in SUPPLY.items():
            answer: Answer = await engine.submit(Restock(f"restock-{item}", SHOP, SHOW, item, units))
            assert answer.outcome == "restocked"
        for number in range(rounds):
            told = await one_round(found, chance, number)
            assert told, "the client sold nothing"
            await check(engine, told)
    finally:
        await engine.close()
        found.stop()


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_acknowledged_is_lost(kind: str, tmp_path: Path) -> None:
    await run(server(kind, tmp_path), ROUNDS, seed=7)


@pytest.mark.nightly
@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_acknowledged_is_lost_in_two_hundred_rounds(kind: str, tmp_path: Path) -> None:
    await run(server(kind, tmp_path), ROUNDS_NIGHTLY, seed=8)
