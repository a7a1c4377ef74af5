"""Waiting for a store that may stall, for a time that our own work does not use up.

In a rush the loop of this process is busy for longer than anybody would wait for an answer that has long been there;
who then went elsewhere (to the database) made the rush twice as long. So patience is a number of turns of the loop,
each as long as its part of the time at least.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

Answer = TypeVar("Answer")
TURNS = 15  # an answer of several questions, one after another, takes two turns each


async def patiently(call: Awaitable[Answer], seconds: float) -> Answer:
    """
    Raises:
        TimeoutError: nothing came; and what the call raises.
    """
    task = asyncio.ensure_future(call)
    try:
        for _ in range(TURNS):
            done, _ = await asyncio.wait((task,), timeout=seconds / TURNS)
            if done:
                return task.result()
        raise TimeoutError
    finally:
        task.cancel()
