"""The stock engine: what other rooms call.

    engine = StockEngine(redis, settings.stock)
    await engine.start()
    answer = await engine.submit(Reserve(...))

`submit` never raises for expected outcomes. Operations of a shop go out in the order of the calls.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import hiredis
from msgspec import Struct

from livecommerce.stock import keys
from livecommerce.stock.batch import Bulk, Part
from livecommerce.stock.batcher import ShopQueue
from livecommerce.stock.connection import Connection, ConnectionLost, address_of
from livecommerce.stock.encoding import NAME, Refused, Template, Templates, alike, id_text, raw_ids
from livecommerce.stock.operations import Operation
from livecommerce.stock.outcomes import CLAIM_STATES, Answer, Claim, Counters, Outcome
from livecommerce.stock.rebuild import NotCompared, verify
from livecommerce.stock.records import (
    ACTIVE,
    CONFIRMED,
    EXTENDED,
    StoredClaim,
    StoredOperation,
    parse_item,
    parse_record,
)
from livecommerce.stock.servers import Servers
from livecommerce.stock.settings import Stock
from livecommerce.stock.skus import product_of
from livecommerce.stock.wire import OfferFields, pack, unpack

log = logging.getLogger(__name__)

SHOPS_MAX = 10_000  # queues in one process; a queue without work is small, but names come from outside
SWEEP_SECONDS = 1.0  # how late a lapsed hold is told to pages; correctness never waits for it
SWEEP_TOLD_SECONDS = 60.0  # between two lines about the same trouble
SWEEPS_AT_ONCE_MAX = 100  # calls in a row while a server says that more is due: 200,000 claims
CLAIMS_MAX = 1000  # tickets one call of `claims` returns
SCAN_COUNT = 500  # records a round when all viewers of a show are asked for
NO_TEMPLATE = Template(b"", ())
NO_OPERATIONS = pack([[], [], []])  # of a call that only expires what is due
READ_SECONDS_MAX = 5.0  # in all attempts: a page waits for it
ATTEMPTS_MAX = 5  # of a read; a lost connection or a moved slot is found again at once or not at all

Offer = tuple[str, int, str, str, str]


class StockUnavailable(Exception):
    """A read could not be answered: no server."""


class Standing(Struct, frozen=True):
    """What became of a viewer's operations in a show: {operation: {product: pieces}}, of claims that are active or
    confirmed, by the operation that made the claim. An operation that made none, or whose claims ended, has none.
    """

    operations: dict[str, dict[str, int]]

    def pieces(self, product: str) -> int:
        return sum(made.get(product, 0) for made in self.operations.values())


class StockEngine:
    """One a process. `redis` tells where the server (or any node of a cluster) is; `settings` the limits."""

    def __init__(self, redis: Any, settings: Stock, *, library: tuple[str, bytes] | None = None) -> None:
        self._settings = settings
        self._servers = Servers(address_of(redis), library)
        self._queues: dict[str, ShopQueue] = {}
        self._templates = Templates()
        self._offers: dict[bytes, Offer] = {}
        self._sweeper: asyncio.Task[None] | None = None
        self._closed = False
        self._sweep_told: dict[str, float] = {}

    async def start(self) -> None:
        """Starts the sweeper. Connections are made when first needed."""
        if self._sweeper is None:
            self._sweeper = asyncio.create_task(self._sweep_forever())

    async def close(self) -> None:
        """Waits shortly for what is under way, then ends; operations after this are refused as `unavailable`."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
            self._sweeper = None
        queues, self._queues = self._queues, {}  # what comes now finds none, and is refused
        for queue in queues.values():
            await queue.close()
        self._servers.close()

    def figures(self) -> dict[str, float]:
        """Of this process, all shops: calls and operations sent, calls sent again after a fault, operations waiting."""
        queues = self._queues.values()
        return {
            "batches_total": sum(queue.batches for queue in queues),
            "operations_total": sum(queue.operations for queue in queues),
            "batches_again_total": sum(queue.batches_again for queue in queues),
            "queue_length": sum(queue.length for queue in queues),
            "shops": len(queues),
        }

    def enqueue(self, operation: Operation) -> asyncio.Future[Answer]:
        """`submit` without a coroutine: the future of the answer."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        try:
            template = self._templates.of(operation)
            queue = self._queues.get(operation.shop) or self._queue(operation.shop)
        except Refused as refusal:
            Part(NO_TEMPLATE, [operation], 0, 1, futures=[future]).refuse(refusal.outcome, refusal.reason)
            return future
        queue.put_one(operation, template, future)
        return future

    async def submit(self, operation: Operation) -> Answer:
        """Does the operation once, however often it is sent. Batched with what others submit at the time."""
        return await self.enqueue(operation)

    async def submit_all(self, operations: Sequence[Operation]) -> list[Answer]:
        """Many operations, in order; their answers in the same order. Cheaper than as many `submit`."""
        if not operations:
            return []
        given, start = list(operations), 0
        bulk = Bulk(len(given))
        while start < len(given):
            operation = given[start]
            try:
                template = self._templates.of(operation)
                queue = self._queues.get(operation.shop) or self._queue(operation.shop)
            except Refused as refusal:
                Part(NO_TEMPLATE, given, start, start + 1, bulk=bulk).refuse(refusal.outcome, refusal.reason)
                start += 1
            else:
                stop = alike(given, start)
                queue.put(Part(template, given, start, stop, bulk=bulk))
                start = stop
        return await bulk.future

    def _queue(self, shop: str) -> ShopQueue:
        if not isinstance(shop, str) or not NAME.fullmatch(shop):
            raise Refused(Outcome.INPUT_BAD, "shop is not of the form [a-z0-9-]{1,40}")
        if self._closed:
            raise Refused(Outcome.UNAVAILABLE, "the engine is closed")
        if len(self._queues) >= SHOPS_MAX:
            raise Refused(Outcome.BUSY, "too many shops in this process")
        queue = ShopQueue(shop, self._servers, self._settings, self._reconcile)
        self._queues[shop] = queue
        return queue

    async def _reconcile(self, shop: str, connection: Connection) -> str:
        """Another server answers for the shop: sales stay closed until ledger and state agree. Words if they do not."""
        key = keys.items(shop)
        seen = await connection.call("HGET", key, keys.FENCE) or b""
        if seen == connection.run_id.encode():
            return ""  # another process was faster
        log.warning("shop %s: server %s instead of %s, comparing the ledger", shop, connection.run_id, seen.decode())
        try:
            found = await verify(connection, shop, self._queues[shop].last_ledger_id if shop in self._queues else "")
        except NotCompared as busy:
            # Who sells is another process, which has compared: the fence then stands where we would move it.
            if await connection.call("HGET", key, keys.FENCE) == connection.run_id.encode():
                return ""
            log.warning("shop %s: %s", shop, busy)
            return str(busy)
        if seen == keys.REBUILDING.encode():
            found.append("the shop is being rebuilt from its ledger, or was and did not finish: run stock rebuild")
        if found:
            for words in found:
                log.error("shop %s stays closed: %s", shop, words)
            return "; ".join(found[:3])
        try:
            await connection.call("FCALL", f"{self._servers.function}_fence", 1, key, seen, connection.run_id)
        except hiredis.ReplyError as error:
            if not str(error).startswith("FENCED"):  # that one: somebody else has compared and moved it
                raise
        log.warning("shop %s: ledger and state agree, sales go on", shop)
        return ""

    # ---- reads

    async def _read(self, shop: str, *commands: tuple[bytes | str | int, ...]) -> list[Any]:
        """Answers of commands sent at once to the shop's server, after everything that is due there has expired.

        Raises:
            StockUnavailable: no server answers.
        """
        key = keys.items(shop)
        reason: Exception | None = None
        until = asyncio.get_running_loop().time() + READ_SECONDS_MAX
        for attempt in range(ATTEMPTS_MAX):
            connection: Connection | None = None
            try:
                async with asyncio.timeout_at(until):
                    connection = await self._servers.connection(shop)
                    await self._expire(connection, key)
                    return list(await asyncio.gather(*(connection.call(*command) for command in commands)))
            except TimeoutError:
                if connection is not None:  # its answers would come in the midst of others'
                    connection.close()
                raise StockUnavailable(f"stock of shop {shop}: no answer in {READ_SECONDS_MAX:.0f} s") from None
            except ConnectionLost as error:
                reason = error
            except hiredis.ReplyError as error:
                reason = error
                if "Function not found" in str(error) and connection is not None:
                    await self._servers.load_library(connection)
                elif str(error).startswith("MOVED "):
                    self._servers.moved(shop, str(error))
                elif "READONLY" in str(error):
                    self._servers.forget(shop)
            await asyncio.sleep(0.05 * attempt)
        raise StockUnavailable(f"stock of shop {shop} cannot be read: {reason}")

    async def _expire(self, connection: Connection, key: str) -> None:
        """Calls with no operation until nothing is due. A fenced shop or a full server can still be read."""
        empty, seconds = pack([]), self._settings.offer_seconds
        call = ("FCALL", self._servers.function, 1, key, connection.run_id, empty, NO_OPERATIONS, b"", seconds)
        for _ in range(SWEEPS_AT_ONCE_MAX):
            try:
                if not unpack(await connection.call(*call))[1]:
                    return
            except hiredis.ReplyError as error:
                if not str(error).startswith(("FENCED", "OOM", "MISCONF", "NOREPLICAS")):
                    raise
                return

    async def sweep(self, shop: str) -> None:
        """Expires what is due and serves who waits. Every operation does so too; this is for quiet shops."""
        await self._read(shop)

    async def _sweep_forever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            for shop in list(self._queues):
                try:
                    await self.sweep(shop)
                except (StockUnavailable, ConnectionLost, hiredis.ReplyError, OSError) as error:
                    self._sweep_failed(shop, error)  # the next one comes in a second
                else:
                    self._sweep_told.pop(shop, None)

    def _sweep_failed(self, shop: str, error: Exception) -> None:
        """Once when it begins and once a minute: a store that is away is away for every shop, every second."""
        now = time.monotonic()
        if now - self._sweep_told.get(shop, -1e9) >= SWEEP_TOLD_SECONDS:
            self._sweep_told[shop] = now
            log.warning("sweep of shop %s: %s", shop, error)

    async def counters(self, shop: str, items: Sequence[str] = ()) -> dict[str, Counters]:
        """Counters by item, of `items` or (empty) of all; unknown items are left out.

        Raises:
            StockUnavailable: no server answers.
        """
        key = keys.items(shop)
        if items:
            (found,) = await self._read(shop, ("HMGET", key, *items))
            pairs = zip((item.encode() for item in items), found, strict=True)
        else:
            (found,) = await self._read(shop, ("HGETALL", key))
            pairs = zip(found[::2], found[1::2], strict=True)
        return {
            name.decode(): parse_item(data)[0] for name, data in pairs if data is not None and not name.startswith(b"#")
        }

    async def claims(
        self, shop: str, *, show: str | None = None, viewer: str | None = None, limit: int = CLAIMS_MAX
    ) -> list[Claim]:
        """Claims of a viewer, of a show, or of a viewer in a show; newest first, at most `limit` (1000 at most).

        Raises:
            StockUnavailable: no server answers.
        """
        shows = (
            [show]
            if show is not None
            else sorted(s.decode() for s in (await self._read(shop, ("SMEMBERS", keys.shows(shop))))[0])
        )
        found: list[tuple[int, int, int, Any]] = []
        order = 0  # no two entries are equal, so that a heap never has to compare claims
        limit = min(limit, CLAIMS_MAX)
        for name in shows:
            async for who, data in self._records(shop, keys.viewers(shop, name), viewer):
                for operation in parse_record(data, {}):
                    for claim in operation.claims:
                        order += 1
                        entry = (operation.at, claim.number, order, (name, who, operation, claim))
                        if len(found) < limit:
                            heapq.heappush(found, entry)
                        elif entry[:3] > found[0][:3]:
                            heapq.heapreplace(found, entry)
        newest = [entry[3] for entry in sorted(found, key=lambda entry: entry[:3], reverse=True)]
        await self._load_offers(shop, {claim.offer for _, _, _, claim in newest})
        positions = await self._positions(shop, newest)
        return [self._claim(parts, positions.get((parts[3].offer, parts[3].number), 0)) for parts in newest]

    async def is_done(self, shop: str, show: str, viewer: str, operation: str) -> bool:
        """Whether an operation of this viewer came before under this id, and its answer is kept.

        Raises:
            StockUnavailable: no server answers.
        """
        (stored,) = raw_ids([operation])
        async for _, data in self._records(shop, keys.viewers(shop, show), viewer):
            return any(one.id == stored for one in parse_record(data, {}))
        return False

    async def standings(self, shop: str, show: str, viewers: Sequence[str]) -> dict[str, Standing]:
        """How each of these viewers stands in a show now.

        Raises:
            StockUnavailable: no server answers.
        """
        if not viewers:
            return {}
        (found,) = await self._read(shop, ("HMGET", keys.viewers(shop, show), *viewers))
        records = [parse_record(data or b"", {}) for data in found]
        counting = (*ACTIVE, CONFIRMED)
        claims = [claim for record in records for one in record for claim in one.claims if claim.state in counting]
        await self._load_offers(shop, {claim.offer for claim in claims})
        standings: dict[str, Standing] = {}
        for viewer, record in zip(viewers, records, strict=True):
            operations: dict[str, dict[str, int]] = {}
            for one in record:
                made = operations[id_text(one.id)] = Counter[str]()
                for claim in one.claims:
                    if claim.state in counting:
                        made[product_of(self._offers[claim.offer][0])] += claim.held + claim.waiting
            standings[viewer] = Standing(operations)
        return standings

    async def line(self, shop: str, item: str) -> dict[str, int]:
        """Who waits for an item now: {reservation: place from 1}, of all shows of the shop.

        Raises:
            StockUnavailable: no server answers.
        """
        (found,) = await self._read(shop, ("ZRANGE", keys.waitlist(shop, item), 0, -1))
        return {f"{item}#{member.decode().split('/', 1)[0]}": place for place, member in enumerate(found, start=1)}

    async def open_claims(self, shop: str, show: str, product: str) -> list[tuple[str, int, str]]:
        """(reservation, price in minor units, source) of every active claim of a show on a product, over its options.

        Raises:
            StockUnavailable: no server answers.
        """
        found: list[StoredClaim] = []
        async for _, data in self._records(shop, keys.viewers(shop, show), None):
            for operation in parse_record(data, {}):
                found += [claim for claim in operation.claims if claim.state in ACTIVE]
        await self._load_offers(shop, {claim.offer for claim in found})
        priced = [(self._offers[claim.offer], claim.number) for claim in found]
        return [
            (f"{offer[0]}#{number}", offer[1], offer[4]) for offer, number in priced if product_of(offer[0]) == product
        ]

    async def _records(self, shop: str, key: str, viewer: str | None) -> Any:
        if viewer is not None:
            (data,) = await self._read(shop, ("HGET", key, viewer))
            if data is not None:
                yield viewer, data
            return
        cursor: bytes = b"0"
        seen: set[bytes] = set()
        while True:
            ((cursor, rows),) = await self._read(shop, ("HSCAN", key, cursor, "COUNT", SCAN_COUNT))
            for who, data in zip(rows[::2], rows[1::2], strict=True):
                if who not in seen:  # a scan may show a field twice while the hash grows
                    seen.add(who)
                    yield who.decode(), data
            if cursor == b"0":
                return

    async def _load_offers(self, shop: str, wanted: set[bytes]) -> None:
        missing = [key for key in wanted if key not in self._offers]
        if not missing:
            return
        (found,) = await self._read(shop, ("HMGET", keys.offers(shop), *missing))
        for key, data in zip(missing, found, strict=True):
            offer = OfferFields(*unpack(data))
            self._offers[key] = (
                offer.item.decode(), offer.price, offer.currency.decode(), offer.text.decode(), offer.source.decode()
            )  # fmt: skip

    async def _positions(
        self, shop: str, claims: list[tuple[str, str, StoredOperation, StoredClaim]]
    ) -> dict[tuple[bytes, int], int]:
        waiting = [(s, v, claim) for s, v, _, claim in claims if claim.waiting and claim.state in ACTIVE]
        if not waiting:
            return {}
        commands = [
            (
                "ZRANK",
                keys.waitlist(shop, self._offers[claim.offer][0]),
                f"{claim.number}/{show}/{viewer}",
            )
            for show, viewer, claim in waiting
        ]
        ranks = await self._read(shop, *commands)
        return {
            (claim.offer, claim.number): rank + 1
            for (_, _, claim), rank in zip(waiting, ranks, strict=True)
            if rank is not None
        }

    def _claim(self, parts: tuple[str, str, StoredOperation, StoredClaim], position: int) -> Claim:
        show, viewer, operation, claim = parts
        item, price, currency, text, source = self._offers[claim.offer]
        return Claim(
            reservation=f"{item}#{claim.number}",
            item=item,
            number=claim.number,
            show=show,
            viewer=viewer,
            id=id_text(operation.id),
            state=CLAIM_STATES[claim.state - 1],
            quantity=claim.held + claim.waiting,
            reserved=claim.held,
            waiting=claim.waiting,
            position=position,
            unit_price_minor=price,
            currency=currency,
            text=text,
            source=source,
            deadline_ms=claim.deadline,
            at_ms=operation.at,
            extended=bool(claim.flags & EXTENDED),
        )
