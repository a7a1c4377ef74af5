"""LL-HLS for pages and CDNs: the relay is asked once for what many viewers ask at the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from livecommerce.errors import Busy, LiveCommerceError
from livecommerce.media.client.control import RelayControl

# The relay holds a request back for three target durations; ours must not end before its answer.
ANSWER_SECONDS = 16.0
# Two variants of 33 s at 4 Mbit/s are 33 MB a show; what falls out is asked for again.
CACHE_BYTES = 96 * 1024 * 1024
# A thousand viewers ask for some ten addresses at a time, all the same ones; more is a flood of made-up numbers, which
# must leave room for the other shows.
REQUESTS_MAX, REQUESTS_PER_SHOW_MAX = 1_000, 150


@dataclass(frozen=True)
class Kept:
    """An answer of the relay and until when (loop time) it stands."""

    body: bytes
    content_type: str
    cache_control: str
    until: float


class HlsDoor:
    """Args:
    relay_for: the control door of the relay that carries a show.
    """

    def __init__(self, relay_for: Callable[[str], Awaitable[RelayControl]]) -> None:
        self._relay_for = relay_for
        self._kept: dict[str, Kept] = {}
        self._asked: dict[str, asyncio.Task[Kept]] = {}
        self._octets = 0

    async def get(self, show: str, path: str, seconds: float) -> Kept:
        """
        Raises:
            StreamUnknown, NotFound, BadInput, Busy, Unavailable.
        """
        key = f"/hls/{show}/{path}"
        kept = self._kept.get(key)
        if kept is not None and kept.until > asyncio.get_running_loop().time():
            return kept
        asked = self._asked.get(key)
        if asked is None:
            of_show = sum(one.startswith(f"/hls/{show}/") for one in self._asked)
            if len(self._asked) >= REQUESTS_MAX or of_show >= REQUESTS_PER_SHOW_MAX:
                raise Busy(retry_after_ms=1_000)
            asked = self._asked[key] = asyncio.create_task(self._fetch(show, key, seconds), name=f"hls {show}")
            asked.add_done_callback(lambda task: self._settled(key, task))
        # Shielded: one who leaves must not end what the others wait for.
        return await asyncio.shield(asked)

    def _settled(self, key: str, task: asyncio.Task[Kept]) -> None:
        self._asked.pop(key, None)
        if not task.cancelled():
            task.exception()  # seen: everybody who waited may have left

    async def _fetch(self, show: str, key: str, seconds: float) -> Kept:
        relay = await self._relay_for(show)
        status, headers, body = await relay.fetch(key, ANSWER_SECONDS)
        if status != 200:
            raise LiveCommerceError
        kept = Kept(
            body,
            headers.get("Content-Type", "application/octet-stream").partition(";")[0],
            headers.get("Cache-Control", "no-store"),
            asyncio.get_running_loop().time() + seconds,
        )
        self._keep(key, kept)
        return kept

    def _keep(self, key: str, kept: Kept) -> None:
        before = self._kept.pop(key, None)
        self._octets += len(kept.body) - (len(before.body) if before is not None else 0)
        self._kept[key] = kept
        now = asyncio.get_running_loop().time()
        while self._kept:
            oldest = next(iter(self._kept))
            if self._octets <= CACHE_BYTES and self._kept[oldest].until > now:
                return
            self._octets -= len(self._kept.pop(oldest).body)
