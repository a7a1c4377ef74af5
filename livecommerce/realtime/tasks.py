"""Ending a background task for sure."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

log = structlog.get_logger(__name__)

# Each try waits a second. A library in the task can swallow a cancellation (asyncio.wait_for of Python 3.11 does, when
# its future is done at the same moment); several in a row are not swallowed.
TRIES_MAX = 5


async def end(task: asyncio.Task[Any] | None) -> None:
    """Cancels a task until it has ended."""
    if task is None:
        return
    for _ in range(TRIES_MAX):
        task.cancel()
        done, _pending = await asyncio.wait([task], timeout=1.0)
        if done:
            return
    log.error("a task does not end", task=task.get_name())
