"""How many open files this process has, of how many: a full table takes no connection and writes no word about it.

One descriptor is kept in reserve, so that the count can be read when the table is full.
"""

from __future__ import annotations

import contextlib
import math
import os
import resource
import time
from pathlib import Path

from livecommerce.ops import metrics
from livecommerce.ops.logs import logger

log = logger(__name__)

SCARCE_SHARE = 0.9  # from here on no new viewers: what is left is for the stores, the files and the internal port
# The last ones: connections of the public port are closed at accept, so that the internal port is never deaf.
RESERVE_SHARE, RESERVE_LEAST = 1 / 32, 16
CALM_SHARE = 0.8
# Counting costs a millisecond for 3,000: far from a large limit it is done seldom.
SELDOM_SECONDS, SMALL_LIMIT, NEAR_SHARE = 10.0, 4096, 0.5
SPARE = 200  # of a process besides its viewers' sockets
UNLIMITED = 1 << 62


def needed(viewers: int) -> int:
    """How many open files a web process must be allowed for so many viewers, before the last ones are turned away."""
    return math.ceil((viewers + SPARE) / SCARCE_SHARE)


def allowed() -> int:
    """How many this process and its children can have: they raise the soft limit to the hard one."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return UNLIMITED if hard == resource.RLIM_INFINITY else hard


def count_of(pid: int | str) -> tuple[int, int] | None:
    """(open, limit) of a process; None where the system does not tell (it is gone, another user's, no /proc)."""
    try:
        opened = len(os.listdir(f"/proc/{pid}/fd"))
        for line in Path(f"/proc/{pid}/limits").read_text("ascii").splitlines():
            if line.startswith("Max open files"):
                limit = line.split()[3]
                return opened, (UNLIMITED if limit == "unlimited" else int(limit))
    except (OSError, ValueError, IndexError):
        return None
    return None


class Descriptors:
    """The one of this process; `scarce` is what the doors ask."""

    def __init__(self) -> None:
        self.scarce = False
        self.opened = 0
        self.limit = 0
        self._spare: int | None = None
        self._due = 0.0

    @property
    def is_full(self) -> bool:
        """Whether only the reserve is left. Who opens many between two looks adds them to `opened`."""
        return 0 < self.limit <= self.opened + max(RESERVE_LEAST, int(self.limit * RESERVE_SHARE))

    def _count(self) -> tuple[int, int]:
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if limit == resource.RLIM_INFINITY:
            limit = UNLIMITED
        if self._spare is None:
            with contextlib.suppress(OSError):
                self._spare = os.open(os.devnull, os.O_RDONLY)
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None
        try:
            opened = len(os.listdir("/proc/self/fd"))
        except FileNotFoundError:  # no /proc on this system
            return 0, limit
        except OSError:  # full to the last one
            opened = limit
        with contextlib.suppress(OSError):
            self._spare = os.open(os.devnull, os.O_RDONLY)
        return opened, limit

    def look(self) -> None:
        """Counts, tells the metrics, and says in the log when they become scarce and when there is room again."""
        now = time.monotonic()
        if now < self._due:
            return
        self.opened, self.limit = self._count()
        is_near = self.limit <= SMALL_LIMIT or self.opened > self.limit * NEAR_SHARE
        self._due = 0.0 if is_near else now + SELDOM_SECONDS
        metrics.DESCRIPTORS.set(self.opened)
        metrics.DESCRIPTORS_MAX.set(self.limit)
        scarce = self.opened >= self.limit * (CALM_SHARE if self.scarce else SCARCE_SHARE)
        if scarce != self.scarce:
            self.scarce = scarce
            if scarce:
                log.error(
                    "open files run out, new viewers are turned away",
                    open=self.opened, limit=self.limit, advice="raise LimitNOFILE (ulimit -n) and restart",
                )  # fmt: skip
            else:
                log.warning("open files: there is room again", open=self.opened, limit=self.limit)

    async def check(self) -> str | None:
        """For readiness."""
        if not self.scarce:
            return None
        return f"{self.opened} of {self.limit} open files are in use: raise LimitNOFILE (ulimit -n) and restart"


DESCRIPTORS = Descriptors()
