"""Child processes of a load test: started apart, pinned to a core, told what to do over a pipe."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from typing import Any

ANSWER_SECONDS_MAX = 2_400.0  # a soak of half an hour is one order


class Child:
    def __init__(self, target: Callable[..., None], *arguments: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=target, args=(theirs, *arguments), daemon=True)
        self._process.start()
        theirs.close()

    def tell(self, name: str, *arguments: Any) -> None:
        """Gives an order without waiting; `answer` fetches what came of it."""
        self._pipe.send((name, arguments))

    def answer(self) -> Any:
        if not self._pipe.poll(ANSWER_SECONDS_MAX):
            raise TimeoutError("a child process of the load test does not answer")
        answer = self._pipe.recv()
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def call(self, name: str, *arguments: Any) -> Any:
        self.tell(name, *arguments)
        return self.answer()

    def close(self) -> None:
        try:
            if self._process.is_alive():
                self.call("close")
        except (OSError, EOFError, TimeoutError):
            pass
        self._process.join(10)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(5)


def cores() -> tuple[int | None, int | None]:
    """A core for the server and one for the crowd; None on a machine with one."""
    available = sorted(os.sched_getaffinity(0))
    return (available[0], available[1]) if len(available) > 1 else (None, None)


def rss_kib() -> int:
    """Resident memory of this process."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
