"""The state machine: model and real server side by side, every answer compared, the invariant after every step."""

from __future__ import annotations

import asyncio

import redis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import replace

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
    Line,
    Open,
    Operation,
    Reduce,
    Release,
    Reprice,
    Reserve,
    Restock,
    SetAvailable,
    SetQuantity,
    Swap,
    Unconfirm,
)
from livecommerce.stock.outcomes import Answer
from livecommerce.stock.rebuild import verify
from tests.stock.servers import CLOCK, OTHER_SHOW, SHOP, SHOW, engine_on

ITEMS = ("A01", "B02/紅色/M", "B02/藍色/M")  # two options of one product share its limit
VIEWERS = ("ann", "bob", "cid", "dee")
START_MS = 1_700_000_000_000
OFFER_SECONDS = 40
PRICES = {"A01": 100, "B02/紅色/M": 250, "B02/藍色/M": 260}
LIMITS_PER_VIEWER = (0, 0, 2, 4)

items = st.sampled_from(ITEMS)
viewers = st.sampled_from(VIEWERS)
shows = st.sampled_from((SHOW, SHOW, SHOW, OTHER_SHOW))
quantities = st.integers(1, 4)
numbers = st.integers(1, 9)
limits = st.sampled_from(
    (Limits(), Limits(), Limits(per_item=3), Limits(per_show=5), Limits(per_comment=3), Limits(hold_max=4))
)
reservations = st.builds(lambda item, number: f"{item}#{number}", items, numbers)


def line(item: str, quantity: int, limit_per_viewer: int = 0) -> Line:
    return Line(item, quantity, PRICES[item], "TWD", f"{item} 現貨", limit_per_viewer)


own_limits = st.sampled_from(LIMITS_PER_VIEWER)
lines = st.builds(line, items, quantities, own_limits)
some_lines = st.one_of(
    lines.map(lambda one: (one,)), lines.map(lambda one: (one,)), st.lists(lines, min_size=2, max_size=3).map(tuple)
)
maybe_staff = st.one_of(viewers, st.just(""))

operations: st.SearchStrategy[Operation] = st.one_of(
    *[
        st.builds(
            Reserve,
            st.just(""),
            st.just(SHOP),
            shows,
            viewers,
            some_lines,
            fill=st.sampled_from(("any", "any", "all")),
            repeat=st.sampled_from(("add", "add", "set", "once")),
            waitlist=st.booleans(),
            limits=limits,
            hold_seconds=st.sampled_from((10, 30, 60)),
        )
    ]
    * 6,
    st.builds(Cancel, st.just(""), st.just(SHOP), shows, maybe_staff, reservations),
    st.builds(Cancel, st.just(""), st.just(SHOP), shows, viewers, st.just(""), st.one_of(items, st.just(""))),
    st.builds(Reduce, st.just(""), st.just(SHOP), shows, quantities, maybe_staff, reservations),
    st.builds(Reduce, st.just(""), st.just(SHOP), shows, quantities, viewers, st.just(""), items),
    st.builds(
        SetQuantity, st.just(""), st.just(SHOP), shows, reservations, quantities, maybe_staff, limits, own_limits
    ),
    st.builds(Swap, st.just(""), st.just(SHOP), shows, reservations, lines, maybe_staff, limits, st.just(30)),
    st.builds(Reprice, st.just(""), st.just(SHOP), shows, reservations, lines),
    st.builds(
        Reprice, st.just(""), st.just(SHOP), shows, reservations, lines, expected_minor=st.sampled_from((90, 100, 110))
    ),
    st.builds(Confirm, st.just(""), st.just(SHOP), shows, reservations, maybe_staff),
    st.builds(Unconfirm, st.just(""), st.just(SHOP), shows, reservations, st.sampled_from((20, 90)), maybe_staff),
    st.builds(Release, st.just(""), st.just(SHOP), shows, reservations, maybe_staff),
    st.builds(Extend, st.just(""), st.just(SHOP), shows, reservations, st.sampled_from((20, 90)), maybe_staff),
    st.builds(Extend, st.just(""), st.just(SHOP), shows, reservations, st.just(90), only_offered=st.just(True)),
    st.builds(Expire, st.just(""), st.just(SHOP), shows, reservations),
    *[st.builds(Restock, st.just(""), st.just(SHOP), shows, items, st.integers(0, 6))] * 2,
    st.builds(
        SetAvailable,
        st.just(""),
        st.just(SHOP),
        shows,
        items,
        st.integers(0, 4),
        st.one_of(st.none(), st.integers(0, 4)),
    ),
    st.builds(Adjust, st.just(""), st.just(SHOP), shows, items, st.integers(-4, 3), st.just("counted")),
    st.builds(Close, st.just(""), st.just(SHOP), shows, st.one_of(items, st.just(""))),
    *[st.builds(Open, st.just(""), st.just(SHOP), shows, st.one_of(items, st.just("")))] * 2,
)


def told(answer: Answer) -> Answer:
    """An answer without when to try again, of which the model knows nothing."""
    return replace(answer, retry_after_ms=0)


class StockMachine(RuleBasedStateMachine):
    """`url` and `library` are set by who runs it."""

    url = ""
    library: tuple[str, bytes]

    def __init__(self) -> None:
        super().__init__()
        self.store = redis.Redis.from_url(self.url)
        self.store.flushall()
        self.now = START_MS
        self.store.set(CLOCK, self.now)
        self.runner = asyncio.Runner()
        self.engine: StockEngine = self.runner.run(self._engine())
        self.model = Model(OFFER_SECONDS)
        self.sent: list[Operation] = []
        self.count = 0

    async def _engine(self) -> StockEngine:
        return engine_on(self.url, library=self.library, offer_seconds=OFFER_SECONDS)

    async def _submit(self, batch: list[Operation]) -> list[Answer]:
        return await self.engine.submit_all(batch)

    def _both(self, batch: list[Operation]) -> None:
        real = self.runner.run(self._submit(batch))
        for operation, answer in zip(batch, real, strict=True):
            expected = self.model.submit(operation, self.now)
            assert told(answer) == told(expected), f"{operation}\n  server {answer}\n  model  {expected}"
        self.sent = (self.sent + batch)[-60:]

    def _named(self, operation: Operation) -> Operation:
        self.count += 1
        return replace(operation, id=f"operation-{self.count}")

    @initialize(supplies=st.tuples(st.integers(0, 6), st.integers(0, 6)))
    def stock_comes(self, supplies: tuple[int, int]) -> None:
        self._both(
            [
                self._named(Restock("", SHOP, SHOW, item, supply))
                for item, supply in zip(ITEMS[:2], supplies, strict=True)
            ]
        )

    @rule(operation=operations)
    def one(self, operation: Operation) -> None:
        self._both([self._named(operation)])

    @rule(batch=st.lists(operations, min_size=2, max_size=8))
    def many_at_once(self, batch: list[Operation]) -> None:
        self._both([self._named(operation) for operation in batch])

    @rule(picks=st.lists(st.integers(0, 59), min_size=1, max_size=4))
    def sent_again(self, picks: list[int]) -> None:
        self._both([self.sent[pick % len(self.sent)] for pick in picks])

    @rule(pick=st.integers(0, 59), operation=operations)
    def id_used_for_something_else(self, pick: int, operation: Operation) -> None:
        self._both([replace(operation, id=self.sent[pick % len(self.sent)].id)])

    @rule(seconds=st.sampled_from((1, 9, 10, 29, 31, 100)))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds * 1000
        self.store.set(CLOCK, self.now)

    @rule()
    def ledger_agrees(self) -> None:
        async def check() -> list[str]:
            return await verify(await self.engine._servers.connection(SHOP), SHOP)

        assert self.runner.run(check()) == []

    @rule(viewer=viewers)
    def claims_agree(self, viewer: str) -> None:
        found = self.runner.run(self.engine.claims(SHOP, show=SHOW, viewer=viewer))
        self.model.expire_due(self.now)
        mine = [claim for claim in self.model.claims if (claim.show, claim.viewer) == (SHOW, viewer)]
        real = {(c.reservation, c.state, c.reserved, c.waiting, c.deadline_ms, c.unit_price_minor) for c in found}
        assert real == {
            (f"{c.item}#{c.number}", c.state, c.held, c.waiting, c.deadline, c.line.unit_price_minor) for c in mine
        }
        in_line = {f"{c.item}#{c.number}": c.position for c in found if c.position}
        assert in_line == {
            f"{c.item}#{c.number}": self.model.items[c.item].line.index(c) + 1 for c in mine if c.active and c.waiting
        }

    @invariant()
    def counters_agree(self) -> None:
        real = self.runner.run(self.engine.counters(SHOP))
        self.model.expire_due(self.now)
        assert real == {name: item.counters() for name, item in self.model.items.items()}
        for name, found in real.items():
            assert found.available + found.held + found.sold == found.supplied, name
            assert found.available >= 0, f"{name} is oversold"

    def teardown(self) -> None:
        self.runner.run(self.engine.close())
        self.runner.close()
        self.store.close()
