"""Natural batching, one queue a shop: at low load a batch is one operation and waits for nothing; while calls are under
way the next batch fills.

A batch whose answer is unknown is sent again, with the same ids: what was applied answers as it did, what was not is
applied now. Everything is bounded: the queue, the batches in flight, the time an operation may wait.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import hiredis

from livecommerce.stock import keys
from livecommerce.stock.batch import Batch, Malformed, Part, well_formed_parts
from livecommerce.stock.connection import Connection, ConnectionLost, ReplicasLacking, encode
from livecommerce.stock.encoding import Template
from livecommerce.stock.operations import Operation
from livecommerce.stock.outcomes import Answer, Outcome
from livecommerce.stock.servers import Servers
from livecommerce.stock.settings import Stock

log = logging.getLogger(__name__)

IN_FLIGHT_MAX = (
    4  # batches of a shop on the wire: two keep the server busy while answers are handed out, four cover jitter
)
ANSWER_SECONDS_MAX = 10.0  # an operation waits at most so long for a store that does not answer
LAST_TRY_SECONDS = 0.2  # of an attempt that begins when the time is over already
RETRY_SECONDS = (0.01, 0.05, 0.1, 0.2, 0.4)  # pauses between attempts; the last one repeats
WAIT_MS_MAX = 1000  # for replicas; on one network they follow within a millisecond
UNEXPECTED_MAX = 3  # attempts at a call the server refuses for a reason not known here


WAIT = re.compile("LOADING|BUSY |CLUSTERDOWN|TRYAGAIN|MASTERDOWN|ASK ")
FULL = re.compile("OOM |MISCONF")
REASON_FULL = "The store is out of memory or disk. Nothing was changed."
REASON_GONE = "The store did not answer in time. Send the same id again to learn what became of it."


class ShopQueue:
    """The operations of one shop on their way to its server, in order."""

    def __init__(
        self,
        shop: str,
        servers: Servers,
        settings: Stock,
        reconcile: Callable[[str, Connection], Awaitable[str]],
    ) -> None:
        self.shop = shop
        self.queue: deque[Part] = deque()
        self.length = 0  # operations in the queue
        self.connection: Connection | None = None
        self._servers = servers
        self._batch_max = settings.batch_max
        self._length_max = settings.queue_length_max
        self._offer_seconds = settings.offer_seconds
        self._replicas_wait = settings.replicas_wait
        self._reconcile = reconcile
        self._key = keys.items(shop)
        self._in_flight = 0
        self._scheduled = False
        self._again: list[Batch] = []
        self._recovering: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._words = ""
        self.more = False
        self.last_ledger_id = ""
        self.batches = self.operations = self.batches_again = 0  # sent since the start, for the metrics

    def put(self, part: Part) -> None:
        """Takes what there is room for; the rest is refused as busy, at once."""
        room = self._length_max - self.length
        if len(part) > room:
            part, refused = part.take(room), part
            # by the time half of the queue is gone at 20,000/s, a quiet retry finds room
            refused.refuse(Outcome.BUSY, "Very busy right now.", 200 + self.length // 40)
            if room == 0:
                return
        self.queue.append(part)
        self.length += len(part)
        self._schedule()

    def put_one(self, operation: Operation, template: Template, future: asyncio.Future[Answer]) -> None:
        """`put` of one operation; those in a row that share a template make one part."""
        last = self.queue[-1] if self.queue else None
        if last is not None and last.template is template and last.bulk is None and self.length < self._length_max:
            last.add(operation, future)
            self.length += 1
            self._schedule()
        else:
            self.put(Part(template, [operation], 0, 1, futures=[future]))

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _next(self) -> list[Part]:
        """The operations of the next batch, out of the queue."""
        parts, left = [], self._batch_max
        while self.queue and left > 0:
            first = self.queue[0]
            part = self.queue.popleft() if len(first) <= left else first.take(left)
            parts.append(part)
            left -= len(part)
        self.length -= self._batch_max - left
        return parts

    def _take(self) -> Batch | None:
        parts = self._next()
        try:
            return Batch(parts, self._offer_seconds)
        except Malformed:
            good = well_formed_parts(parts)
            return Batch(good, self._offer_seconds) if good else None

    def _flush(self) -> None:
        self._scheduled = False
        if self._recovering is not None:
            return
        connection = self.connection
        while self.queue and (
            self._in_flight == 0 or (self.length >= self._batch_max and self._in_flight < IN_FLIGHT_MAX)
        ):
            batch = self._take()
            if batch is None:
                continue
            if connection is None or connection.lost:
                self._again.append(batch)
                self._recover()
                return
            self._send(connection, batch)

    def _command(self, connection: Connection, batch: Batch) -> bytes:
        return encode(("FCALL", self._servers.function, 1, self._key, connection.run_id, *batch.arguments))

    def _send(self, connection: Connection, batch: Batch) -> None:
        self._in_flight += 1
        self.batches += 1
        self.operations += len(batch)
        self._call(connection, batch, lambda reply: self._answered(batch, reply))

    def _call(self, connection: Connection, batch: Batch, done: Callable[[Any], None]) -> None:
        """Sends the call; where replicas are waited for, `done` comes when enough of them have it.

        With too few in time the answer counts as unknown: the batch is sent again and changes nothing the second time.
        """
        command = self._command(connection, batch)
        if self._replicas_wait == 0:
            connection.send(command, done)
            return
        replies: list[Any] = []

        def waited(count: Any) -> None:
            reply = replies[0]
            if isinstance(reply, bytes) and not (isinstance(count, int) and count >= self._replicas_wait):
                reply = ReplicasLacking(f"the write reached {count} of {self._replicas_wait} replicas")
            done(reply)

        connection.send(command, replies.append)
        connection.send(encode(("WAIT", self._replicas_wait, WAIT_MS_MAX)), waited)

    def _answered(self, batch: Batch, reply: Any) -> None:
        self._in_flight -= 1
        if isinstance(reply, bytes):
            self.more, ledger_id = batch.answered(reply)
            self.last_ledger_id = ledger_id or self.last_ledger_id
        else:
            batch.may_stand = batch.may_stand or isinstance(reply, ConnectionLost)
            self._again.append(batch)
        if self._again:
            if self._in_flight == 0:
                self._recover()
        elif self.queue:
            self._flush()

    def _recover(self) -> None:
        if self._recovering is None:
            self._recovering = self._loop.create_task(self._send_again())

    async def _send_again(self) -> None:
        try:
            while self._again:
                if await self._attempt_until_answered(self._again[0]):
                    self._again.pop(0)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("stock queue of shop %s", self.shop)
            for batch in self._again:
                self._refuse_batch(batch, Outcome.UNAVAILABLE, REASON_GONE)
            self._again.clear()
        finally:
            self._recovering = None
        self._flush()

    async def _attempt_until_answered(self, batch: Batch) -> bool:
        """Sends until there is an answer or the time is over; True when the batch is done with."""
        give_up = batch.made_at + ANSWER_SECONDS_MAX
        attempt, unexpected, lacking = 0, 0, ""
        while True:
            try:
                connection = await self._connected(give_up)
                self.batches_again += 1
                reply = await self._once(connection, batch, give_up)
            except ConnectionLost as error:
                refusal = f"lost: {error}"
                lacking = str(error) if isinstance(error, ReplicasLacking) else lacking
            else:
                if isinstance(reply, bytes):
                    self.more, ledger_id = batch.answered(reply)
                    self.last_ledger_id = ledger_id or self.last_ledger_id
                    self.connection = connection
                    return True
                refusal = str(reply)
                outcome = await self._understand(refusal, connection)
                if outcome == "again":
                    attempt = min(attempt, 1)
                elif outcome == "unexpected":
                    unexpected += 1
                    if unexpected >= UNEXPECTED_MAX:
                        log.error("stock call of shop %s refused: %s", self.shop, refusal)
                        self._refuse_batch(batch, Outcome.UNAVAILABLE, "The store refused the call.")
                        return True
                elif isinstance(outcome, Outcome) and (outcome is not Outcome.READ_ONLY or time.monotonic() > give_up):
                    self._refuse_batch(batch, outcome, self._reason(outcome, refusal))
                    return True
            if time.monotonic() > give_up:
                self._give_up(lacking or refusal)  # the last try, cut short by the time, says less
                return False
            await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            attempt += 1

    async def _connected(self, give_up: float) -> Connection:
        try:
            async with asyncio.timeout(max(LAST_TRY_SECONDS, give_up - time.monotonic())):
                return await self._servers.connection(self.shop)
        except TimeoutError:
            raise ConnectionLost("no connection in time") from None

    async def _once(self, connection: Connection, batch: Batch, give_up: float) -> Any:
        future: asyncio.Future[Any] = self._loop.create_future()

        def done(reply: Any) -> None:
            if not future.done():
                if isinstance(reply, ConnectionLost):
                    future.set_exception(reply)
                else:
                    future.set_result(reply)

        self._call(connection, batch, done)
        try:
            async with asyncio.timeout(max(LAST_TRY_SECONDS, give_up - time.monotonic())):
                return await future
        except TimeoutError:
            batch.may_stand = True
            connection.close()
            raise ConnectionLost("no answer in time") from None
        except ConnectionLost:
            batch.may_stand = True
            raise

    async def _understand(self, refusal: str, connection: Connection) -> Outcome | str:
        """What a refusal means: an Outcome for the batch, "again" soon, "wait" and try, or "unexpected"."""
        if "Function not found" in refusal:
            reply = await self._quietly(self._servers.load_library(connection))
            return reply or "again"
        if refusal.startswith("FENCED"):
            return await self._quietly(self._reconcile(self.shop, connection)) or "again"
        if refusal.startswith("MOVED "):
            self._servers.moved(self.shop, refusal)
            return "again"
        if FULL.match(refusal):
            return Outcome.STORAGE_FULL
        if refusal.startswith(("READONLY", "NOREPLICAS")):
            self._servers.forget(self.shop)
            return Outcome.READ_ONLY
        if refusal.startswith("INPUT"):
            return Outcome.INPUT_BAD
        return "wait" if WAIT.match(refusal) else "unexpected"

    async def _quietly(self, work: Awaitable[Any]) -> Outcome | str | None:
        """Does what recovery needs; None when it went well, else what to do with the batch."""
        try:
            result = await work
        except ConnectionLost:
            return "wait"
        except hiredis.ReplyError as error:
            if FULL.match(str(error)):
                return Outcome.STORAGE_FULL
            return "wait" if WAIT.match(str(error)) else "unexpected"
        if isinstance(result, str) and result:  # words about what differs: the shop stays closed
            self._words = result
            return Outcome.RECONCILING
        return None

    def _reason(self, outcome: Outcome, refusal: str) -> str:
        if outcome is Outcome.RECONCILING:
            return self._words
        return REASON_FULL if outcome is Outcome.STORAGE_FULL else refusal

    def _refuse_batch(self, batch: Batch, outcome: Outcome, reason: str) -> None:
        """A refusal says that nothing was changed. Of a batch whose earlier answer was lost nobody knows that."""
        if batch.may_stand:
            outcome, reason = Outcome.UNAVAILABLE, REASON_GONE
        for part in batch.parts:
            part.refuse(outcome, reason, 0 if outcome is Outcome.INPUT_BAD else 1000)

    def _give_up(self, refusal: str) -> None:
        """The store is away for long: all that waited is told so; new operations try anew."""
        log.error("stock of shop %s not reachable: %s", self.shop, refusal)
        for batch in self._again:
            self._refuse_batch(batch, Outcome.UNAVAILABLE, REASON_GONE)
        self._again.clear()
        self._refuse_queue()

    def _refuse_queue(self) -> None:
        while self.queue:
            part = self.queue.popleft()
            self.length -= len(part)
            part.refuse(Outcome.UNAVAILABLE, REASON_GONE, 1000)

    def drop(self) -> None:
        """Forgets what waits, unanswered: what the end of the process would do."""
        self.queue.clear()
        self.length = 0

    async def close(self) -> None:
        """Waits for what is on its way, a little; then refuses the rest."""
        until = time.monotonic() + 2.0  # an answer takes milliseconds; the store may be gone
        while (self.queue or self._in_flight or self._recovering) and time.monotonic() < until:
            await asyncio.sleep(0.005)
        if self._recovering is not None:
            self._recovering.cancel()
            await asyncio.gather(self._recovering, return_exceptions=True)
        self._give_up_quietly()

    def _give_up_quietly(self) -> None:
        for batch in self._again:
            self._refuse_batch(batch, Outcome.UNAVAILABLE, REASON_GONE)
        self._again.clear()
        self._refuse_queue()
