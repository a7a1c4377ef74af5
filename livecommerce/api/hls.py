"""LL-HLS for pages and CDNs: the relay is asked once for what many viewers ask at the same moment.

GET /live/{show}/hls/index.m3u8            multivariant playlist
GET /live/{show}/hls/{variant}/index.m3u8  media playlist; blocks by _HLS_msn and _HLS_part
GET /live/{show}/hls/{variant}/{file}      set-up, segment or part; never changes
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import hdrs, web

from livecommerce.api.context import Context
from livecommerce.errors import Busy, LiveCommerceError
from livecommerce.media.client.control import RelayControl

# The relay holds a request back for three target durations; ours must not end before its answer.
ANSWER_SECONDS = 16.0
# Two variants of 33 s at 4 Mbit/s are 33 MB a show; what falls out is asked for again.
CACHE_BYTES = 96 * 1024 * 1024
# A playlist asked for by number is as good for everyone who asks until the next part is there.
BLOCKING_SECONDS, PLAIN_SECONDS, MEDIA_SECONDS = 2.0, 0.2, 40.0
# A thousand viewers ask for some ten addresses at a time, all the same ones; more is a flood of made-up numbers, which
# must leave room for the other shows.
REQUESTS_MAX, REQUESTS_PER_SHOW_MAX = 1_000, 150
DIRECTIVES = ("_HLS_msn", "_HLS_part")


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
            headers.get(hdrs.CONTENT_TYPE, "application/octet-stream").partition(";")[0],
            headers.get(hdrs.CACHE_CONTROL, "no-store"),
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


HLS: web.AppKey[HlsDoor] = web.AppKey("livecommerce.api.hls", HlsDoor)


async def _answer(request: web.Request, path: str, seconds: float) -> web.Response:
    kept = await request.app[HLS].get(request.match_info["show"], path, seconds)
    return web.Response(
        body=kept.body,
        content_type=kept.content_type,
        headers={
            "Cache-Control": kept.cache_control,
            # Players on the shop's own site, and a CDN in front, may read it: it is as public as the show's page.
            "Access-Control-Allow-Origin": "*",
            "Cross-Origin-Resource-Policy": "cross-origin",
        },
    )


async def get_multivariant(request: web.Request) -> web.Response:
    return await _answer(request, "index.m3u8", PLAIN_SECONDS)


async def get_playlist(request: web.Request) -> web.Response:
    asked = {name: request.query[name] for name in DIRECTIVES if name in request.query}
    query = f"?{urlencode(asked)}" if asked else ""
    path = f"{request.match_info['variant']}/index.m3u8{query}"
    return await _answer(request, path, BLOCKING_SECONDS if asked else PLAIN_SECONDS)


async def get_media(request: web.Request) -> web.Response:
    return await _answer(request, f"{request.match_info['variant']}/{request.match_info['file']}", MEDIA_SECONDS)


_BASE = "/live/{show:[a-z0-9-]{1,40}}/hls"
routes: list[web.RouteDef] = [
    web.get(f"{_BASE}/index.m3u8", get_multivariant),
    web.get(_BASE + "/{variant:opus|aac}/index.m3u8", get_playlist),
    web.get(_BASE + r"/{variant:opus|aac}/{file:[a-z0-9.-]{1,60}\.(?:m4s|mp4)}", get_media),
]


def add_hls(app: web.Application, context: Context) -> None:
    """What the routes need; they are in `routes`."""
    app[HLS] = HlsDoor(context.relay_for)
