"""Child processes of a load test: started apart, pinned to a core, told what to do over a pipe."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import resource
from collections.abc import Callable
from typing import Any

ANSWER_SECONDS_MAX = 600.0  # the longest order: a step of a soak, all coming back after a cut
DESCRIPTORS_WANTED = 65_536  # of the server or a crowd: one a viewer, and some


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


def raise_descriptor_limit() -> None:
    """A socket is a descriptor: allows this process as many as it may have, and more where it may change that."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (max(hard, DESCRIPTORS_WANTED), hard):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
            return


def cores() -> tuple[int | None, int | None]:
    """A core for the server and one for the crowd; None on a machine with one."""
    available = sorted(os.sched_getaffinity(0))
    return (available[0], available[1]) if len(available) > 1 else (None, None)


def rss_kib() -> int:
    """Resident memory of this process."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
