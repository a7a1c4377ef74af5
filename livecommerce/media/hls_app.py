"""LL-HLS over HTTP, beside WHIP and WHEP on the control door: playlists that block, parts and segments by name.

The web role (or a CDN behind it) asks once for all its viewers. What is asked for is begun by the asking.
"""

from __future__ import annotations

import re
import time

from aiohttp import web

from livecommerce.errors import BadInput, NotFound, Unavailable
from livecommerce.media.errors import PictureClosed, StreamUnknown
from livecommerce.media.hls.playlist import media_playlist, multivariant_playlist
from livecommerce.media.hls.window import AAC, OPUS, HlsStream
from livecommerce.media.outputs import Outputs
from livecommerce.media.stream import StreamState

PLAYLIST_TYPE, MEDIA_TYPE = "application/vnd.apple.mpegurl", "video/mp4"
# RFC 8216bis appendix B.1: blocking answers never change and may be kept for six target durations; others hardly.
BLOCKING_AGE_SECONDS, PLAIN_AGE_SECONDS = 24, 1
# They never change, but nobody asks for them after the window has passed.
MEDIA_AGE_SECONDS = 3_600
# Players may ask for the next segment, or by the standard one more (section 6.2.5.2).
AHEAD_MAX = 2
# A segment of four seconds has 13 parts; more is no player's question (the standard allows three seconds ahead).
PART_MAX = 40
_NUMBER = re.compile(r"[0-9]{1,12}")
_MEDIA = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,3}))?\.m4s")
_INITIALIZATION = re.compile(r"init-[0-9]{1,12}-[0-9]{1,6}\.mp4")


class HlsApp:
    """Routes over what leaves the relay."""

    def __init__(self, outputs: Outputs) -> None:
        self._outputs = outputs

    def routes(self) -> list[web.RouteDef]:
        """For the relay's control app."""
        return [
            web.get("/hls/{show:[a-z0-9-]{1,40}}/index.m3u8", self.get_multivariant),
            web.get("/hls/{show:[a-z0-9-]{1,40}}/{variant:opus|aac}/index.m3u8", self.get_playlist),
            web.get("/hls/{show:[a-z0-9-]{1,40}}/{variant:opus|aac}/{file}", self.get_media),
        ]

    def _hls(self, request: web.Request) -> HlsStream:
        output, now = self._outputs.output(request.match_info["show"]), time.monotonic()
        if output.hls is None and output.stream.state is not StreamState.LIVE:
            raise StreamUnknown(retry_after_ms=2_000)
        hls = output.play(now)
        if not hls.segments:
            self._refuse_closed(request)
        if request.match_info.get("variant") == AAC:
            output.play_aac(now)
        return hls

    def _refuse_closed(self, request: web.Request) -> None:
        """Says so where waiting would not help.

        Raises:
            PictureClosed.
        """
        if self._outputs.output(request.match_info["show"]).stream.is_dark(time.monotonic()):
            raise PictureClosed(retry_after_ms=2_000)

    async def get_multivariant(self, request: web.Request) -> web.Response:
        hls = self._hls(request)
        if not await hls.wait_until_playable(OPUS) or not (text := multivariant_playlist(hls)):
            self._refuse_closed(request)
            raise Unavailable("The stream has no picture yet.", retry_after_ms=2_000)
        return _playlist(text, PLAIN_AGE_SECONDS)

    async def get_playlist(self, request: web.Request) -> web.Response:
        """Blocks until the segment or part that `_HLS_msn` and `_HLS_part` name is there (section 6.2.5.2)."""
        hls, variant = self._hls(request), request.match_info["variant"]
        number, part = _directive(request, "_HLS_msn"), _directive(request, "_HLS_part")
        if number is None:
            if part is not None:
                raise BadInput("_HLS_part needs _HLS_msn.")
            if not await hls.wait_until_playable(variant):
                self._refuse_closed(request)
                raise Unavailable("The stream has no picture yet.", retry_after_ms=2_000)
            return _playlist(media_playlist(hls, variant), PLAIN_AGE_SECONDS)
        if number > hls.last_number(variant) + AHEAD_MAX:
            raise BadInput("_HLS_msn is more than two segments ahead.")
        if part is not None and part > PART_MAX:
            raise BadInput("_HLS_part is beyond any segment.")
        if not await hls.wait_for(variant, number, part):
            self._refuse_closed(request)
            raise Unavailable("The stream stands still.", retry_after_ms=1_000)
        return _playlist(media_playlist(hls, variant), BLOCKING_AGE_SECONDS)

    async def get_media(self, request: web.Request) -> web.Response:
        hls, variant, file = self._hls(request), request.match_info["variant"], request.match_info["file"]
        body: bytes | None = None
        if _INITIALIZATION.fullmatch(file):
            body = hls.initialization(variant, file)
        elif found := _MEDIA.fullmatch(file):
            number = int(found[1])
            body = hls.segment(variant, number) if found[2] is None else await hls.part(variant, number, int(found[2]))
        if body is None:
            raise NotFound("This segment is not, or no more, in the window.")
        return web.Response(
            body=body,
            content_type=MEDIA_TYPE,
            headers={"Cache-Control": f"public, max-age={MEDIA_AGE_SECONDS}, immutable"},
        )


def _directive(request: web.Request, name: str) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise BadInput(f"{name} is a number.")
    return int(text)


def _playlist(text: str, age_seconds: int) -> web.Response:
    return web.Response(
        text=text, content_type=PLAYLIST_TYPE, headers={"Cache-Control": f"public, max-age={age_seconds}"}
    )
