"""Worlds from a seed: several web processes sell from one shop over a network that loses, doubles, delays and cuts,
crash in the middle, and send again. At the end every last word is compared with the ledger, and nothing is oversold.

A failing seed is printed by pytest as the test's name; put it into KEPT.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path

import pytest
from redis.asyncio import Redis

from livecommerce.ops.valkey import EmbeddedValkey
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.operations import Cancel, Confirm, Line, Operation, Reserve, Restock
from livecommerce.stock.outcomes import RETRYABLE, Answer, Outcome
from livecommerce.stock.rebuild import verify
from tests.simulation.stock_network import Chances, Network
from tests.stock.servers import KINDS, SHOP, SHOW, engine_on, server

KEPT = (1, 2)
FRESH = (501, 502, 503, 504)
PROCESSES = 3
VIEWERS = 30
SUPPLY = {"A/red": 25, "A/blue": 10}  # options of one product
LIMIT_PER_VIEWER = 3  # of both together
ROUNDS = 6
COUNTED = ("held", "waiting", "offered", "confirmed")
TRIES_MAX = 60  # of one operation; with every tenth call lost it takes two or three


class World:
    def __init__(self, seed: int, networks: list[Network]) -> None:
        self.random = random.Random(seed)
        self.networks = networks
        self.engines: list[StockEngine] = []
        self.heard: dict[tuple[str, str], set[Answer]] = {}
        self.crashes = 0

    async def start(self) -> None:
        for network in self.networks:
            await network.start()
            self.engines.append(engine_on(f"unix://{network.path}"))

    async def stop(self) -> None:
        for engine in self.engines:
            await engine.close()
        for network in self.networks:
            await network.stop()

    async def crash(self, number: int) -> None:
        """A web process dies between its batcher and the server: nothing is waited for, nothing told."""
        old = self.engines[number]
        self.engines[number] = engine_on(f"unix://{self.networks[number].path}")
        for queue in old._queues.values():
            if queue._recovering is not None:
                queue._recovering.cancel()
            queue.drop()
        old._servers.close()
        self.crashes += 1

    async def insist(self, operation: Operation) -> Answer:
        """Sends until there is a real answer, by any process, as a page does; sometimes again after it."""
        for _ in range(TRIES_MAX):
            engine = self.random.choice(self.engines)
            try:
                async with asyncio.timeout(2):
                    answer = await engine.submit(operation)
            except TimeoutError:  # that process has crashed; the page reconnects to another
                continue
            if answer.outcome in RETRYABLE:
                continue
            self.heard.setdefault((getattr(operation, "viewer", ""), operation.id), set()).add(answer)
            if self.random.random() < 0.3:
                continue  # the answer was lost on the way to the viewer
            return answer
        raise AssertionError(f"no answer for {operation}")

    async def viewer(self, number: int) -> None:
        name = f"viewer-{number}"
        for turn in range(ROUNDS):
            item = self.random.choice(tuple(SUPPLY))
            line = Line(item, self.random.choice((1, 1, 2)), 100, "TWD", limit_per_viewer=LIMIT_PER_VIEWER)
            made = await self.insist(Reserve(f"{name}-{turn}-r", SHOP, SHOW, name, (line,)))
            reservation = made.lines[0].reservation if made.lines else None
            if reservation and self.random.random() < 0.5:
                await self.insist(Cancel(f"{name}-{turn}-c", SHOP, SHOW, name, reservation))
            elif reservation and self.random.random() < 0.5:
                await self.insist(Confirm(f"{name}-{turn}-p", SHOP, SHOW, reservation, name))

    async def trouble(self) -> None:
        while True:
            await asyncio.sleep(self.random.random() * 0.2)
            await self.crash(self.random.randrange(PROCESSES))

    async def live(self) -> None:
        for item, units in SUPPLY.items():
            await self.insist(Restock(f"restock-{item[2:]}", SHOP, SHOW, item, units))
        trouble = asyncio.create_task(self.trouble())
        try:
            await asyncio.gather(*(self.viewer(number) for number in range(VIEWERS)))
        finally:
            trouble.cancel()
            await asyncio.gather(trouble, return_exceptions=True)


async def check(world: World, direct: StockEngine) -> None:
    for (viewer, operation), answers in world.heard.items():
        assert len(answers) == 1, f"{viewer} heard different answers for {operation}: {answers}"
    for item, counters in (await direct.counters(SHOP)).items():
        assert counters.supplied == SUPPLY[item], "a restock was applied twice or not at all"
        assert counters.available + counters.held + counters.sold == counters.supplied
        assert counters.available >= 0
    claims = {claim.reservation: claim for claim in await direct.claims(SHOP, show=SHOW)}
    had: Counter[str] = Counter()
    for claim in claims.values():
        had[claim.viewer] += claim.quantity if claim.state in COUNTED else 0
    assert max(had.values()) == LIMIT_PER_VIEWER, f"somebody has more of the product than allowed: {had}"
    for answers in world.heard.values():
        for line in next(iter(answers)).lines:
            if line.outcome is Outcome.RESERVED:
                assert line.reservation in claims, f"acknowledged and lost: {line}"
            if line.outcome in (Outcome.CANCELLED, Outcome.CONFIRMED):
                assert claims[line.reservation or ""].state == line.outcome, f"acknowledged and lost: {line}"
    assert await verify(await direct._servers.connection(SHOP), SHOP) == []


async def run(seed: int, found: EmbeddedValkey, folder: Path) -> None:
    store = Redis.from_url(found.url)
    await store.flushall()
    await store.function_flush("SYNC")
    networks = [
        Network(folder / f"{seed}-{n}.sock", str(found.socket), seed * 10 + n, Chances()) for n in range(PROCESSES)
    ]
    world, direct = World(seed, networks), engine_on(found.url)
    try:
        await world.start()
        await world.live()
        await check(world, direct)
        for fate in ("lost", "unheard", "doubled", "late"):
            assert sum(network.happened[fate] for network in networks) > 0, f"the seed saw no {fate} call"
    finally:
        await world.stop()
        await direct.close()
        await store.aclose()


@pytest.fixture(scope="module", params=KINDS)
def quick_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    found = server(request.param, tmp_path_factory.mktemp("w"), fsync="off")
    found.start()
    yield found
    found.stop()


@pytest.mark.parametrize("seed", KEPT + FRESH)
async def test_a_world(seed: int, quick_server: EmbeddedValkey, tmp_path_factory: pytest.TempPathFactory) -> None:
    await run(seed, quick_server, tmp_path_factory.mktemp("n"))


@pytest.mark.nightly
async def test_a_thousand_worlds(quick_server: EmbeddedValkey, tmp_path_factory: pytest.TempPathFactory) -> None:
    for seed in range(10_000, 11_000):
        await run(seed, quick_server, tmp_path_factory.mktemp("n"))
