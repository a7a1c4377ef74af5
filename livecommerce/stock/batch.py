"""A batch on its way: operations in columns, the bytes of the call, and where the answers go. Pure.

All is done for many operations at once: a rush is one template, a column of ids, a column of viewers; answers are made
column by column too. What is said an operation costs ten times as much.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from itertools import repeat

from livecommerce.stock.encoding import (
    ID,
    NAME,
    Template,
    decode_answer,
    packed_uuids,
    raw_ids,
)
from livecommerce.stock.operations import Operation, Reserve
from livecommerce.stock.outcomes import Answer, LineAnswer, Outcome
from livecommerce.stock.wire import Run, pack, runs_of, unpack

VIEWER_LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789-"
RESERVED = Outcome.RESERVED
NO_ANSWER = Answer("", Outcome.UNAVAILABLE, (), 0)


class Malformed(ValueError):
    """An id, a viewer or a chat in the batch is not of the right form; `bad` says what of which."""


class Bulk:
    """The answers of many operations submitted together: one future for all of them."""

    __slots__ = ("answers", "future", "left")

    def __init__(self, count: int) -> None:
        self.answers: list[Answer] = [NO_ANSWER] * count
        self.left = count
        self.future: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()

    def put(self, place: int, answers: list[Answer]) -> None:
        self.answers[place : place + len(answers)] = answers
        self.left -= len(answers)
        if self.left == 0 and not self.future.done():
            self.future.set_result(self.answers)


class Part:
    """Operations in a row that share a template, and where their answers go: into a Bulk, or to a future each.

    Attributes:
        operations: of a Bulk the whole list submitted, which other parts share; else this part's own, as `futures`.
        start, stop: which of them.
    """

    __slots__ = ("bulk", "futures", "operations", "start", "stop", "template")

    def __init__(
        self,
        template: Template,
        operations: list[Operation],
        start: int,
        stop: int,
        *,
        bulk: Bulk | None = None,
        futures: list[asyncio.Future[Answer]] | None = None,
    ) -> None:
        self.template = template
        self.operations = operations
        self.start = start
        self.stop = stop
        self.bulk = bulk
        self.futures = futures or []

    def __len__(self) -> int:
        return self.stop - self.start

    def add(self, operation: Operation, future: asyncio.Future[Answer]) -> None:
        """One more of the same template, awaited on its own; for a part without a Bulk that is still in the queue."""
        self.operations.append(operation)
        self.futures.append(future)
        self.stop += 1

    def take(self, count: int) -> Part:
        """The first `count` operations as a part of their own; they are no longer in this one."""
        stop = self.start + count
        first = Part(self.template, self.operations, self.start, stop, bulk=self.bulk, futures=self.futures)
        if self.bulk is None:  # lists of its own: what is added here later must not keep those that are gone
            first.operations, first.futures = self.operations[self.start : stop], self.futures[self.start : stop]
            first.start, first.stop = 0, count
            self.operations, self.futures = self.operations[stop:], self.futures[stop:]
            self.start, self.stop = 0, self.stop - stop
        else:
            self.start = stop
        return first

    def answer(self, answers: list[Answer]) -> None:
        """Hands out the answers, one an operation; who has stopped waiting gets none."""
        if self.bulk is not None:
            self.bulk.put(self.start, answers)
            return
        for future, answer in zip(self.futures[self.start : self.stop], answers, strict=True):
            if not future.done():
                future.set_result(answer)

    def refuse(self, outcome: Outcome, reason: str = "", retry_after_ms: int = 0) -> None:
        """Answers operations that were not applied (or, `unavailable`, perhaps were)."""
        ids = [operation.id for operation in self.operations[self.start : self.stop]]
        self.answer(
            [Answer(one if isinstance(one, str) else "", outcome, (), 0, retry_after_ms, reason) for one in ids]
        )


class Batch:
    """Operations on their way, with the bytes of the call; sent again unchanged where need be.

    Raises:
        Malformed: one of them is not of the right form.
    """

    __slots__ = ("arguments", "ids", "made_at", "may_stand", "parts", "templates")

    def __init__(self, parts: list[Part], offer_seconds: int) -> None:
        operations: list[Operation] = []
        for part in parts:
            operations += part.operations[part.start : part.stop]
        self.made_at = time.monotonic()
        self.may_stand = False  # sent, and its answer was lost: it may have been applied
        self.parts = parts
        self.ids = [operation.id for operation in operations]
        viewers = _viewers_of(operations)
        chats = [operation.chat for operation in operations]
        ids = packed_uuids(self.ids)
        if not (ids and _viewers_well_formed(viewers) and set(map(type, chats)) == {bytes}):
            if any(map(bad, operations)):
                raise Malformed
            ids = pack(raw_ids(self.ids))
        numbers: dict[Template, int] = {}
        rows: list[int] = []
        for part in parts:
            number = numbers.setdefault(part.template, len(numbers) + 1)
            if rows and rows[-2] == number:
                rows[-1] += len(part)
            else:
                rows += (number, len(part))
        self.templates = list(numbers)
        columns = b"".join((b"\x93", pack(rows), ids, pack(viewers)))
        told = pack(chats) if any(chats) else b""
        self.arguments = (pack([template.data for template in self.templates]), columns, told, offer_seconds)

    def __len__(self) -> int:
        return len(self.ids)

    def answered(self, reply: bytes) -> tuple[bool, str]:
        """Hands out the answers; returns (more work is due, ledger id)."""
        now, more, runs, results, ledger_id = unpack(reply)
        ids = self.ids
        answers = [NO_ANSWER] * len(ids)
        for run in runs_of(runs):
            rows = slice(run.first - 1, run.first - 1 + run.length)
            answers[rows] = _plain_answers(self.templates[run.template - 1], ids[rows], run, now)
        for at in range(0, len(results), 2):
            place = results[at] - 1
            answers[place] = decode_answer(ids[place], results[at + 1])
        start = 0
        for part in self.parts:
            part.answer(answers[start : start + len(part)])
            start += len(part)
        return more, ledger_id.decode()


def _plain_answers(template: Template, ids: list[str], run: Run, now: int) -> list[Answer]:
    """The answers of a run: numbers go up by one, what is available goes down by the quantity."""
    item, quantity, count = template.item, template.quantity, len(ids)
    numbers = range(run.number, run.number + count)
    left = range(run.available, run.available - quantity * count, -quantity)
    names = [f"{item}#{one}" for one in numbers]
    held, none, due = repeat(quantity), repeat(0), repeat(now + template.hold_ms)
    lines = map(LineAnswer, repeat(item), repeat(RESERVED), names, held, none, numbers, none, due, left)
    return list(map(Answer, ids, repeat(RESERVED), zip(lines), repeat(now)))


def viewer_of(operation: Operation) -> str:
    return getattr(operation, "viewer", "")


def _viewers_of(operations: list[Operation]) -> list[str]:
    try:
        return [operation.viewer for operation in operations]  # type: ignore[union-attr]
    except AttributeError:  # an Expire has none
        return [viewer_of(operation) for operation in operations]


def _viewers_well_formed(viewers: Sequence[str]) -> bool:
    """Whether all are `[a-z0-9-]{1,40}`, looked at in bulk; False means look at each."""
    try:
        joined = "".join(viewers).encode("ascii")
    except (TypeError, UnicodeEncodeError):
        return False
    lengths = set(map(len, viewers))
    return min(lengths) > 0 and max(lengths) <= 40 and not joined.translate(None, VIEWER_LETTERS)


def bad(operation: Operation) -> str:
    """What is wrong with id, viewer or chat; empty when nothing is."""
    viewer = viewer_of(operation)
    if not isinstance(operation.id, str) or not ID.fullmatch(operation.id):
        return "an id has 8-64 of A-Z a-z 0-9 _ -"
    if not isinstance(viewer, str) or ((viewer or isinstance(operation, Reserve)) and not NAME.fullmatch(viewer)):
        return "viewer is not of the form [a-z0-9-]{1,40}"
    if type(operation.chat) is not bytes:  # anything else would spoil the log entry of the whole batch
        return "the chat event is not bytes"
    return ""


def well_formed_parts(parts: list[Part]) -> list[Part]:
    """The operations that may be sent, each a part of its own; the others are refused as `input_bad`."""
    kept = []
    for part in parts:
        for _ in range(len(part)):
            one = part.take(1)
            reason = bad(one.operations[one.start])
            if reason:
                one.refuse(Outcome.INPUT_BAD, reason)
            else:
                kept.append(one)
    return kept
