"""The line between a child process and its supervisor: a pipe on which the child says `ready`, then beats.

The child writes one byte `R` when it serves, then `.` every BEAT_SECONDS from its event loop. So the supervisor knows
three things no exit code tells: that it is ready, that its loop still turns, and (the child sees the pipe break) that
the supervisor is gone.
"""

from __future__ import annotations

import asyncio
import os

DESCRIPTOR_VARIABLE = "LC_NOTIFY_DESCRIPTOR"  # not LIVECOMMERCE_*: those are settings and unknown ones are refused
BEAT_SECONDS = 1.0
READY = b"R"
BEAT = b"."


class Notifier:
    """The child's end. Without the variable (a role started alone) every call does nothing."""

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        text = (os.environ if environment is None else environment).get(DESCRIPTOR_VARIABLE, "")
        self._descriptor: int | None = int(text) if text.isdigit() else None
        if self._descriptor is not None:
            os.set_inheritable(self._descriptor, False)
            os.set_blocking(self._descriptor, False)

    @property
    def supervised(self) -> bool:
        return self._descriptor is not None

    def _write(self, byte: bytes) -> bool:
        """False when the supervisor is gone."""
        if self._descriptor is None:
            return True
        try:
            os.write(self._descriptor, byte)
        except BlockingIOError:
            return True  # the supervisor has not read for a while; a full pipe already says that we are alive
        except OSError:
            return False
        return True

    def ready(self) -> None:
        self._write(READY)

    async def beat(self, gone: asyncio.Event) -> None:
        """Beats until cancelled; sets `gone` and returns when the supervisor is dead."""
        if self._descriptor is None:
            return
        while self._write(BEAT):
            await asyncio.sleep(BEAT_SECONDS)
        gone.set()
