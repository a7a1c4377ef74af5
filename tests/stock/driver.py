"""A long random life of a shop from one seed: the model beside the real server, compared after every batch.

Quicker than the hypothesis machine (which shrinks what it finds) and aimed: it asks for little stock by few viewers,
and names reservations that exist, so that rare turns come soon.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

from msgspec.structs import replace
from redis.asyncio import Redis

from livecommerce.stock.engine import StockEngine
from livecommerce.stock.model import Model
from livecommerce.stock.operations import (
    Adjust,
    Cancel,
    Close,
    Confirm,
    Expire,
    Extend,
    Limits,
    Open,
    Operation,
    Reduce,
    Release,
    Reserve,
    Restock,
    SetAvailable,
    SetQuantity,
    Swap,
)
from livecommerce.stock.rebuild import verify
from tests.stock.machine import ITEMS, LIMITS_PER_VIEWER, OFFER_SECONDS, START_MS, VIEWERS, line, told
from tests.stock.servers import CLOCK, OTHER_SHOW, SHOP, SHOW

LIMITS = (Limits(), Limits(), Limits(per_item=3), Limits(per_show=6), Limits(per_comment=3), Limits(hold_max=4))


class Player:
    """Makes the next operation."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.count = 0
        self.known: list[tuple[str, str, str]] = []  # show, viewer, reservation
        self.sent: list[Operation] = []

    def identity(self) -> str:
        self.count += 1
        if self.random.random() < 0.5:
            return f"operation-{self.count}"
        digits = f"{self.random.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def operation(self) -> Operation:
        chance = self.random.random()
        if self.sent and chance < 0.06:
            return self.random.choice(self.sent)
        if self.sent and chance < 0.08:
            return replace(self.fresh(), id=self.random.choice(self.sent).id)
        return self.fresh()

    def fresh(self) -> Operation:
        pick, show = self.random.random(), self.random.choice((SHOW, SHOW, SHOW, OTHER_SHOW))
        if pick < 0.45:
            return self._reserve(show)
        if pick < 0.58 or not self.known:
            return self._supply(show)
        return self._of_claim()

    def _reserve(self, show: str) -> Reserve:
        choice = self.random.choice
        count = choice((1, 1, 1, 2, 3))
        return Reserve(
            self.identity(),
            SHOP,
            show,
            choice(VIEWERS),
            tuple(line(choice(ITEMS), choice((1, 1, 2, 3)), choice(LIMITS_PER_VIEWER)) for _ in range(count)),
            fill=choice(("any", "any", "all")),
            repeat=choice(("add", "add", "add", "set", "once")),
            waitlist=self.random.random() < 0.6,
            limits=choice(LIMITS),
            hold_seconds=choice((10, 30, 60)),
        )

    def _supply(self, show: str) -> Operation:
        choice, identity, item = self.random.choice, self.identity(), self.random.choice(ITEMS)
        pick = self.random.random()
        if pick < 0.6:
            return Restock(identity, SHOP, show, item, choice((0, 1, 2, 3, 5)))
        if pick < 0.75:
            return Adjust(identity, SHOP, show, item, choice((-3, -1, 1)), "counted")
        if pick < 0.85:
            return SetAvailable(identity, SHOP, show, item, choice((0, 1, 3)), choice((None, None, 0, 1)))
        kind = choice((Close, Open, Open))
        return kind(identity, SHOP, show, choice((*ITEMS, "")))

    def _of_claim(self) -> Operation:
        choice = self.random.choice
        show, owner, reservation = choice(self.known[-25:])
        viewer = choice((owner, owner, owner, "", choice(VIEWERS)))
        identity, quantity, own = self.identity(), choice((1, 1, 2, 3)), choice(LIMITS_PER_VIEWER)
        makers: tuple[Callable[[], Operation], ...] = (
            lambda: Cancel(identity, SHOP, show, viewer, reservation),
            lambda: Cancel(identity, SHOP, show, owner, "", choice((*ITEMS, ""))),
            lambda: Reduce(identity, SHOP, show, quantity, viewer, reservation),
            lambda: Reduce(identity, SHOP, show, quantity, owner, "", choice(ITEMS)),
            lambda: SetQuantity(identity, SHOP, show, reservation, quantity, viewer, choice(LIMITS), own),
            lambda: Swap(
                identity, SHOP, show, reservation, line(choice(ITEMS), quantity, own), viewer, choice(LIMITS), 30
            ),
            lambda: Confirm(identity, SHOP, show, reservation, viewer),
            lambda: Release(identity, SHOP, show, reservation, viewer),
            lambda: Extend(identity, SHOP, show, reservation, choice((20, 90)), viewer),
            lambda: Extend(identity, SHOP, show, reservation, choice((20, 90)), owner),
            lambda: Expire(identity, SHOP, show, reservation),
        )
        return choice(makers)()


async def play(seed: int, engine: StockEngine, store: Redis, batches: int) -> None:
    """Raises AssertionError at the first answer, counter, claim or ledger entry that is not as the model says."""
    player, model, now = Player(seed), Model(OFFER_SECONDS), START_MS
    for batch_number in range(batches):
        if player.random.random() < 0.25:
            now += player.random.choice((1, 9, 10, 21, 31, 100)) * 1000
        await store.set(CLOCK, now)
        here = f"seed {seed}, batch {batch_number}"
        batch = [player.operation() for _ in range(player.random.choice((1, 2, 4, 8, 12)))]
        for operation, answer in zip(batch, await engine.submit_all(batch), strict=True):
            expected = model.submit(operation, now)
            where = f"{here}: {operation}\n  server {answer}\n  model  {expected}"
            assert told(answer) == told(expected), where
            viewer = getattr(operation, "viewer", "")
            player.known += [(operation.show, viewer, one.reservation) for one in answer.lines if one.reservation]
        player.sent = (player.sent + batch)[-60:]
        await same_counters(engine, model, now, here)
        if batch_number % 10 == 9:
            assert await verify(await engine._servers.connection(SHOP), SHOP) == [], (
                f"seed {seed}, batch {batch_number}"
            )
            await same_claims(engine, model)


async def play_all(seeds: Iterable[int], engine: StockEngine, store: Redis, batches: int) -> None:
    """One life after the other, each on an empty server."""
    for seed in seeds:
        await store.flushall()
        await play(seed, engine, store, batches)


async def same_counters(engine: StockEngine, model: Model, now: int, where: str) -> None:
    real = await engine.counters(SHOP)
    model.expire_due(now)
    assert real == {name: item.counters() for name, item in model.items.items()}, where
    for name, found in real.items():
        assert found.available + found.held + found.sold == found.supplied, f"{where}: {name}"
        assert found.available >= 0, f"{where}: {name} is oversold"


async def same_claims(engine: StockEngine, model: Model) -> None:
    for show in (SHOW, OTHER_SHOW):
        found = await engine.claims(SHOP, show=show)
        real = {(c.viewer, c.reservation, c.state, c.reserved, c.waiting, c.deadline_ms, c.position) for c in found}
        expected = set()
        for claim in model.claims:
            if claim.show == show:
                queue = model.items[claim.item].line
                position = queue.index(claim) + 1 if claim in queue else 0
                name = f"{claim.item}#{claim.number}"
                expected.add((claim.viewer, name, claim.state, claim.held, claim.waiting, claim.deadline, position))
        assert real == expected
