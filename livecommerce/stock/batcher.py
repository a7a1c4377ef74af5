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
from itertools import groupby
from typing import Any

import hiredis

from livecommerce.stock.connection import Connection, ConnectionLost, encode
from livecommerce.stock.encoding import (
    ID,
    NAME,
    RUN_FIELDS,
    Template,
    decode_answer,
    pack,
    raw_ids,
    unpack,
)
from livecommerce.stock.operations import Operation, Reserve
from livecommerce.stock.outcomes import Answer, LineAnswer, Outcome
from livecommerce.stock.servers import Servers

log = logging.getLogger(__name__)

IN_FLIGHT_MAX = (
    4  # batches of a shop on the wire: two keep the server busy while answers are handed out, four cover jitter
)
ANSWER_SECONDS_MAX = 10.0  # an operation waits at most so long for a store that does not answer
RETRY_SECONDS = (0.01, 0.05, 0.1, 0.2, 0.4)  # pauses between attempts; the last one repeats
WAIT_MS_MAX = 1000  # for replicas; on one network they follow within a millisecond
UNEXPECTED_MAX = 3  # attempts at a call the server refuses for a reason not known here
VIEWER_LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789-\n"


class Bulk:
    """The answers of many operations submitted together: one future for all of them."""

    __slots__ = ("answers", "future", "left")

    def __init__(self, count: int) -> None:
        self.answers: list[Answer] = [NO_ANSWER] * count
        self.left = count
        self.future: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()

    def put(self, place: int, answer: Answer) -> None:
        self.answers[place] = answer
        self.left -= 1
        if self.left == 0 and not self.future.done():
            self.future.set_result(self.answers)


NO_ANSWER = Answer("", Outcome.UNAVAILABLE, (), 0)
RESERVED = Outcome.RESERVED
Pending = tuple[Operation, Template, "asyncio.Future[Answer] | None", "Bulk | None", int]
"""An operation, its template, and where its answer goes: a future, or a place in a Bulk."""

WAIT = re.compile("LOADING|BUSY |CLUSTERDOWN|TRYAGAIN|MASTERDOWN|ASK ")
FULL = re.compile("OOM |MISCONF")
REASON_FULL = "The store is out of memory or disk. Nothing was changed."
REASON_GONE = "The store did not answer in time. Send the same id again to learn what became of it."


def refuse(pending: Pending, outcome: Outcome, reason: str = "", retry_after_ms: int = 0) -> None:
    """Answers an operation that was not applied (or, `unavailable`, perhaps was)."""
    answer_id = pending[0].id if isinstance(pending[0].id, str) else ""
    deliver(pending, Answer(answer_id, outcome, (), 0, retry_after_ms, reason))


def deliver(pending: Pending, answer: Answer) -> None:
    """Hands an answer to who waits for it; who has stopped waiting gets none."""
    _, _, future, bulk, place = pending
    if future is not None:
        if not future.done():
            future.set_result(answer)
    elif bulk is not None:
        bulk.put(place, answer)


class Batch:
    """Operations on their way, with the bytes of the call; sent again unchanged where need be."""

    __slots__ = ("arguments", "pending")

    def __init__(self, pending: list[Pending], offer_seconds: int) -> None:
        templates = dict.fromkeys([p[1] for p in pending])
        for number, template in enumerate(templates, start=1):
            template.number = number
        ids = [p[0].id for p in pending]
        chats = [p[0].chat for p in pending]
        rows = [part for number, same in groupby([p[1].number for p in pending]) for part in (number, len(list(same)))]
        operations = [rows, raw_ids(ids), [viewer_of(p[0]) for p in pending]]
        self.pending = pending
        if not set(map(type, chats)) <= {bytes}:  # anything else would spoil the log entry of the whole batch
            raise TypeError("a chat event is bytes")
        told = pack(chats) if any(chats) else b""
        self.arguments = (pack([template.data for template in templates]), pack(operations), told, offer_seconds)

    def answered(self, reply: bytes) -> tuple[bool, str]:
        """Hands out the answers; returns (more work is due, ledger id)."""
        now, more, runs, results, ledger_id = unpack(reply)
        pending = self.pending
        for at in range(0, len(runs), RUN_FIELDS):
            first, length, number, available, _ = runs[at : at + RUN_FIELDS]
            template = pending[first - 1][1]
            item, quantity, deadline = template.item, template.quantity, now + template.hold_ms
            for operation, _, future, bulk, place in pending[first - 1 : first - 1 + length]:
                line = LineAnswer(item, RESERVED, f"{item}#{number}", quantity, 0, number, 0, deadline, available)
                answer = Answer(operation.id, RESERVED, (line,), now)
                if future is not None:  # `deliver`, without the call: this loop runs once a comment
                    if not future.done():
                        future.set_result(answer)
                elif bulk is not None:
                    bulk.put(place, answer)
                number += 1
                available -= quantity
        for at in range(0, len(results), 2):
            answered = pending[results[at] - 1]
            deliver(answered, decode_answer(answered[0].id, results[at + 1]))
        return more, ledger_id.decode()


def viewer_of(operation: Operation) -> str:
    return getattr(operation, "viewer", "")


def _well_formed(pending: list[Pending]) -> bool:
    """Whether all ids and viewers are of the right form, looked at in bulk; False means look at each."""
    try:
        viewers = "\n".join([p[0].viewer for p in pending])  # type: ignore[union-attr]
        ids = "".join([p[0].id for p in pending])
        if viewers.encode("ascii").translate(None, VIEWER_LETTERS) or len(ids) != 36 * len(pending):
            return False
        lengths = set(map(len, viewers.split("\n")))
        return min(lengths) > 0 and max(lengths) <= 40 and ids.replace("-", "").isalnum() and ids.isascii()
    except (AttributeError, TypeError, UnicodeEncodeError):
        return False


def _bad(operation: Operation) -> str:
    """What is wrong with id, viewer or chat; empty when nothing is."""
    viewer = viewer_of(operation)
    if not isinstance(operation.id, str) or not ID.fullmatch(operation.id):
        return "an id has 8-64 of A-Z a-z 0-9 _ -"
    if not isinstance(viewer, str) or ((viewer or isinstance(operation, Reserve)) and not NAME.fullmatch(viewer)):
        return "viewer is not of the form [a-z0-9-]{1,40}"
    return ""


class ShopQueue:
    """The operations of one shop on their way to its server, in order."""

    def __init__(
        self,
        shop: str,
        servers: Servers,
        *,
        batch_max: int,
        length_max: int,
        offer_seconds: int,
        replicas_wait: int,
        reconcile: Callable[[str, Connection], Awaitable[str]],
    ) -> None:
        self.shop = shop
        self.queue: deque[Pending] = deque()
        self.connection: Connection | None = None
        self._servers = servers
        self._batch_max = batch_max
        self._length_max = length_max
        self._offer_seconds = offer_seconds
        self._replicas_wait = replicas_wait
        self._reconcile = reconcile
        self._key = f"lc:{{{shop}}}:stock:items"
        self._in_flight = 0
        self._scheduled = False
        self._again: list[Batch] = []
        self._recovering: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._words = ""
        self.more = False
        self.last_ledger_id = ""
        self.batches = self.operations = self.batches_again = 0  # sent since the start, for the metrics

    def put(self, pending: Pending) -> None:
        if len(self.queue) >= self._length_max:
            # by the time half of the queue is gone at 20,000/s, a quiet retry finds room
            refuse(pending, Outcome.BUSY, "Very busy right now.", 200 + len(self.queue) // 40)
            return
        self.queue.append(pending)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _take(self) -> Batch | None:
        queue = self.queue
        count = min(len(queue), self._batch_max)
        taken = [queue.popleft() for _ in range(count)]
        if not _well_formed(taken):
            kept = []
            for pending in taken:
                bad = _bad(pending[0])
                if bad:
                    refuse(pending, Outcome.INPUT_BAD, bad)
                else:
                    kept.append(pending)
            taken = kept
        try:
            return Batch(taken, self._offer_seconds) if taken else None
        except (TypeError, ValueError, OverflowError):  # a chat that is not bytes: find whose
            for pending in taken:
                try:
                    Batch([pending], self._offer_seconds)
                except (TypeError, ValueError, OverflowError):
                    refuse(pending, Outcome.INPUT_BAD, "the chat event is not bytes")
                else:
                    self.queue.append(pending)
            return None

    def _flush(self) -> None:
        self._scheduled = False
        if self._recovering is not None:
            return
        connection = self.connection
        while self.queue and (
            self._in_flight == 0 or (len(self.queue) >= self._batch_max and self._in_flight < IN_FLIGHT_MAX)
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
        self.operations += len(batch.pending)
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
                reply = ConnectionLost(f"the write reached {count} of {self._replicas_wait} replicas")
            done(reply)

        connection.send(command, replies.append)
        connection.send(encode(("WAIT", self._replicas_wait, WAIT_MS_MAX)), waited)

    def _answered(self, batch: Batch, reply: Any) -> None:
        self._in_flight -= 1
        if isinstance(reply, bytes):
            self.more, ledger_id = batch.answered(reply)
            self.last_ledger_id = ledger_id or self.last_ledger_id
        else:
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
        give_up = time.monotonic() + ANSWER_SECONDS_MAX
        attempt, unexpected = 0, 0
        while True:
            try:
                connection = await self._servers.connection(self.shop)
                self.batches_again += 1
                reply = await self._once(connection, batch)
            except ConnectionLost as error:
                refusal = f"lost: {error}"
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
                self._give_up(refusal)
                return False
            await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            attempt += 1

    async def _once(self, connection: Connection, batch: Batch) -> Any:
        future: asyncio.Future[Any] = self._loop.create_future()

        def done(reply: Any) -> None:
            if not future.done():
                if isinstance(reply, ConnectionLost):
                    future.set_exception(reply)
                else:
                    future.set_result(reply)

        self._call(connection, batch, done)
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                return await future
        except TimeoutError:
            connection.close()
            raise ConnectionLost("no answer in time") from None

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
        for pending in batch.pending:
            refuse(pending, outcome, reason, 0 if outcome is Outcome.INPUT_BAD else 1000)

    def _give_up(self, refusal: str) -> None:
        """The store is away for long: all that waited is told so; new operations try anew."""
        log.error("stock of shop %s not reachable: %s", self.shop, refusal)
        for batch in self._again:
            self._refuse_batch(batch, Outcome.UNAVAILABLE, REASON_GONE)
        self._again.clear()
        while self.queue:
            refuse(self.queue.popleft(), Outcome.UNAVAILABLE, REASON_GONE, 1000)

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
        while self.queue:
            refuse(self.queue.popleft(), Outcome.UNAVAILABLE, REASON_GONE, 1000)
