"""Natural batching: one call is in flight, and what is asked meanwhile goes with the next.

A single one waits for nobody, and a crowd costs as many calls as the store can answer, not as many as there are people.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from livecommerce.errors import Busy, Unavailable

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Waiting = list[tuple[Item, "asyncio.Future[Answer]"]]


class Gathering(Generic[Item, Answer]):
    """Calls of one kind, one in flight for each key. One per process and kind."""

    def __init__(
        self, name: str, call: Callable[[str, list[Item]], Awaitable[Sequence[Answer]]], *, at_once: int, waiting: int
    ) -> None:
        """`call(key, items)` answers each in order; it is given `at_once` items at most, and `waiting` may wait."""
        self._name, self._call = name, call
        self._at_once, self._waiting_max = at_once, waiting
        self._by_key: dict[str, Waiting[Item, Answer]] = {}
        self._waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, key: str, item: Item) -> Answer:
        """
        Raises:
            Busy: as many wait as may; and what the call raises.
        """
        if self._waiting >= self._waiting_max:
            raise Busy(retry_after_ms=1_000)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting += 1
        waiting = self._by_key.get(key)
        if waiting is not None:
            waiting.append((item, future))
        else:
            self._by_key[key] = [(item, future)]
            task = asyncio.create_task(self._drain(key), name=f"{self._name} {key}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def _drain(self, key: str) -> None:
        while waiting := self._by_key[key]:
            sent, self._by_key[key] = waiting[: self._at_once], waiting[self._at_once :]
            self._waiting -= len(sent)
            try:
                answers = await self._call(key, [item for item, _ in sent])
            except Exception as error:
                if isinstance(error, Unavailable):  # who came meanwhile has waited as long: nobody waits for two calls
                    late, self._by_key[key] = self._by_key[key], []
                    self._waiting -= len(late)
                    sent += late
                for _, future in sent:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), answer in zip(sent, answers, strict=True):
                if not future.done():
                    future.set_result(answer)
        del self._by_key[key]

    async def settle(self, seconds: float) -> None:
        """Waits for what is in flight."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
