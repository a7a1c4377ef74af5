"""The loop of a worker's readers: what waits is read, a reader that fails rests, old facts go.

It polls. Facts are appended by web processes and read by workers, so there is no one to be woken within a process, and
one statement tells all that waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence

import structlog
from msgspec import Struct
from sqlalchemy.exc import SQLAlchemyError

from livecommerce.errors import DatabaseAway, StorageFull, in_words
from livecommerce.ops.log_limit import warn_seldom
from livecommerce.records.database import Database
from livecommerce.records.errors import FactRefused
from livecommerce.records.fact_readers import HANDLED_MAX, WAITING_ALARM, FactReaders, Progress, Reader, Waiting
from livecommerce.records.rows import now_ms

log = structlog.get_logger(__name__)

IDLE_SECONDS = 0.2  # between looks when nothing waits: what follows from an order is there before a person reloads
BACKOFF_SECONDS = (0.5, 1.0, 2.0, 5.0, 15.0, 60.0)  # after failures in a row; a mended reader goes on within a minute
STEPS_IN_A_ROW_MAX = 20  # of one reader in one shop, then the next has its turn: 2,000 facts
PRUNE_SECONDS = 600.0  # between clean-ups; they are small then
KEPT_DAYS = 400  # a year's figures can be made again from facts, with a month to notice that they must


class Rest(Struct):
    """A reader that failed in a shop: alone with one fact at a time up to `careful_until`, at rest until `ends_at`
    (seconds of the monotonic clock)."""

    failures: int = 0
    ends_at: float = 0.0
    careful_until: int = 0


class FactLoop:
    """Runs readers until told to stop. Several processes may run the same ones: a fact is still counted once.

    A reader that fails at a fact is told in the log with a number and rests in that shop alone; its other shops and all
    other readers go on.
    """

    def __init__(self, database: Database, readers: Sequence[Reader]) -> None:
        self._facts = FactReaders(database)
        self._readers = {reader.name: reader for reader in readers}
        self._rests: dict[tuple[str, str], Rest] = {}
        self._pruned_at = -PRUNE_SECONDS
        self._figures = {"read": 0.0, "refused": 0.0, "pruned": 0.0, "faults": 0.0, "waiting": 0.0, "stopped": 0.0}

    def figures(self) -> dict[str, float]:
        """Facts read and pruned, refusals and faults met here; the most facts that wait for one reader in one shop
        (of all registered readers), and readers that rest in a shop because they failed."""
        return dict(self._figures)

    async def run(self, stop: asyncio.Event) -> None:
        """Registers its readers, then reads until `stop`."""
        registered = False
        faults = 0
        while not stop.is_set():
            try:
                if not registered:
                    for name in self._readers:
                        if await self._facts.register(name):
                            log.info("a reader of facts is registered", reader=name)
                    registered = True
                more = await self.step()
                await self._prune_sometimes()
                faults = 0
                await _wait(stop, 0.0 if more else IDLE_SECONDS)
            except Exception as error:  # mostly a database that is away; nothing was half done, facts go on after it
                pause = BACKOFF_SECONDS[min(faults, len(BACKOFF_SECONDS) - 1)]
                faults += 1
                self._figures["faults"] += 1
                warn_seldom(log, "facts cannot be read", error=in_words(error), seconds=pause)
                await _wait(stop, pause)

    async def step(self) -> bool:
        """One look: each reader gets its turn in each shop where something waits. Whether more is waiting."""
        waiting = await self._facts.waiting()
        self._measure(waiting)
        more = False
        for entry in waiting:
            reader = self._readers.get(entry.reader)
            if reader is not None and self._may_read(entry):
                more = await self._turn(reader, entry.shop) or more
        return more

    def _may_read(self, entry: Waiting) -> bool:
        rest = self._rests.get((entry.reader, entry.shop))
        return rest is None or rest.ends_at <= time.monotonic()

    async def _turn(self, reader: Reader, shop: str) -> bool:
        """Whether this reader has more here after its turn."""
        rest = self._rests.get((reader.name, shop))
        for _ in range(STEPS_IN_A_ROW_MAX):
            try:
                progress = await self._facts.read(reader, shop, 1 if rest else HANDLED_MAX)
            except FactRefused as refusal:
                return self._refused(refusal)
            except (
                SQLAlchemyError,
                DatabaseAway,
                StorageFull,
            ) as error:  # at the commit, or the handle spoiled its transaction: others go on
                pause = self._rested(reader.name, shop)
                log.warning(
                    "facts of a reader cannot be counted",
                    reader=reader.name,
                    shop=shop,
                    error=in_words(error),
                    seconds=pause,
                )
                return False
            if progress is None:
                return False
            self._figures["read"] += progress.handled
            rest = self._went_on(reader.name, shop, rest, progress)
            if not progress.more:
                return False
        return True

    def _went_on(self, reader: str, shop: str, rest: Rest | None, progress: Progress) -> Rest | None:
        """What is left of a rest after facts were handled."""
        if rest is None or progress.position < rest.careful_until:
            return rest
        del self._rests[reader, shop]
        if rest.failures:
            log.info("a reader of facts goes on", reader=reader, shop=shop, position=progress.position)
        return None

    def _refused(self, refusal: FactRefused) -> bool:
        """Rests the reader in this shop; of several facts first finds out which it is. Whether to try again at once."""
        told = refusal.details
        self._figures["refused"] += 1
        rest = self._rests.setdefault((told["reader"], told["shop"]), Rest())
        rest.careful_until = max(rest.careful_until, told["last"])
        if told["first"] != told["last"]:
            return True
        pause = self._rested(told["reader"], told["shop"])
        log.error(
            "a reader of facts stands still", number=refusal.number, code=refusal.code, reader=told["reader"],
            shop=told["shop"], fact=told["first"], seconds=pause, error=in_words(refusal.__cause__ or refusal),
            exc_info=rest.failures == 1,
        )  # fmt: skip
        return False

    def _rested(self, reader: str, shop: str) -> float:
        """Lets a reader rest in a shop, longer each time; for how many seconds."""
        rest = self._rests.setdefault((reader, shop), Rest())
        pause = BACKOFF_SECONDS[min(rest.failures, len(BACKOFF_SECONDS) - 1)]
        rest.failures += 1
        rest.ends_at = time.monotonic() + pause
        return pause

    def _measure(self, waiting: Sequence[Waiting]) -> None:
        behind = {(entry.reader, entry.shop) for entry in waiting}
        self._rests = {key: rest for key, rest in self._rests.items() if key in behind}  # others read it, or forgotten
        self._figures["waiting"] = max((entry.facts for entry in waiting), default=0)
        self._figures["stopped"] = sum(rest.failures > 0 for rest in self._rests.values())

    async def _prune_sometimes(self) -> None:
        if time.monotonic() - self._pruned_at < PRUNE_SECONDS:
            return
        done = await self._facts.prune(now_ms() - KEPT_DAYS * 86_400_000)
        self._figures["pruned"] += done.deleted
        if not done.more:
            self._pruned_at = time.monotonic()
        for entry in await self._facts.waiting():
            if entry.facts >= WAITING_ALARM:
                log.error("a reader of facts is far behind", reader=entry.reader, shop=entry.shop, facts=entry.facts)
        if done.held_by:
            log.warning("facts are kept past their time for readers", readers=sorted(done.held_by), days=KEPT_DAYS)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
