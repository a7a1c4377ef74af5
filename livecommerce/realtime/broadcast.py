"""Writes one frame to many viewers, in the two ways there are, and deals with those who do not keep up.

Back-pressure per viewer, by bytes that wait in its transport (the kernel holds `SEND_BUFFER_BYTES` before that):
    under 64 KiB   everything
    64-128 KiB     frames without chat and claims (same offsets, so that nothing else is lost)
    128-256 KiB    nothing; when it has drained, one frame with the latest counters, pins and the rest but chat
    over 256 KiB, or over 64 KiB for 10 s: closed with the code `slow`; the page comes back by its offset
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from msgspec import Struct

from livecommerce.realtime.close_codes import SLOW
from livecommerce.realtime.viewers import Viewer

LEAN_BYTES = 64 * 1024  # some thirty frames of a busy show: seconds of it, not a hiccup
NOTHING_BYTES = 128 * 1024
CLOSE_BYTES = 256 * 1024
SLOW_SECONDS_MAX = 10.0
WRITES_PER_TURN = 400  # some 3 ms of kernel time, then others have their turn


class Delivery(Struct):
    """What one broadcast did. `seconds` of CPU went into writing; waiting for others' turns is left out."""

    seconds: float = 0.0
    written: int = 0
    lean: int = 0
    skipped: int = 0


async def broadcast(
    viewers: Sequence[Viewer],
    full: bytes,
    lean: Callable[[], bytes],
    before: str,
    catch_up: Callable[[Viewer], bytes | None],
) -> Delivery:
    """Writes `full` to every viewer that keeps up. `viewers` must not change while this runs (hand in a copy).

    Args:
        full: the frame from offset `before` to now.
        lean: makes the same frame without chat, once, when somebody needs it.
        catch_up: one conflated frame from `viewer.behind` to now (written by it when it returns None).
    """
    delivery = Delivery()
    slow: list[Viewer] = []
    everyone = iter(viewers)
    for start in range(0, len(viewers), WRITES_PER_TURN):
        if start:
            await asyncio.sleep(0)
        started = time.thread_time()
        _write_all(islice(everyone, WRITES_PER_TURN), full, slow)
        delivery.seconds += time.thread_time() - started
    delivery.written = len(viewers) - len(slow)
    started = time.thread_time()
    for viewer in slow:
        _write_slow(viewer, full, lean, before, catch_up, delivery)
    delivery.seconds += time.thread_time() - started
    return delivery


def _write_all(viewers: Iterator[Viewer], full: bytes, slow: list[Viewer]) -> None:
    """The innermost loop of a show, for every viewer and tick: not a word more than needed. Who cannot take `full`
    simply goes to `slow`."""
    while True:
        try:
            for viewer in viewers:
                pipe = viewer.pipe
                if pipe.get_write_buffer_size() < LEAN_BYTES:
                    pipe.write(full)
                else:
                    slow.append(viewer)
            return
        except RuntimeError:  # uvloop: this one's connection is gone, its handler will notice in a moment
            continue


def _write_slow(
    viewer: Viewer,
    full: bytes,
    lean: Callable[[], bytes],
    before: str,
    catch_up: Callable[[Viewer], bytes | None],
    delivery: Delivery,
) -> None:
    if viewer.door is None:
        return
    buffered = viewer.door.buffered()
    if buffered < LEAN_BYTES:
        viewer.set_slow_since(0.0)
        frame = catch_up(viewer) if viewer.behind is not None else full
        viewer.behind = None
        if frame is not None:
            viewer.door.write(frame)
        delivery.written += 1
        return
    now = time.monotonic()
    if not viewer.since_slow:
        viewer.set_slow_since(now)
    if buffered > CLOSE_BYTES or now - viewer.since_slow > SLOW_SECONDS_MAX:
        viewer.goodbye(SLOW)
    elif buffered < NOTHING_BYTES and viewer.behind is None:
        viewer.door.write(lean())
        delivery.lean += 1
    else:
        if viewer.behind is None:
            viewer.behind = before
        delivery.skipped += 1
