"""The page of a replay, its video with ranges, its chat and chapters, and the shop's download of a recording.

GET /replay/{show}                       the page; leads to the live page while the show is on air
GET /replay/{show}/video.mp4             the recording (RFC 9110 section 14: one range)
GET /replay/{show}/events.json           chat, products and chapters on the recording's time
GET /api/shows/{show}/replay             {"replay": its address or null}: for a page that has just seen the end
GET /api/shows/{show}/recording.mp4      the whole recording as a download for the shop's staff, also during the show

The files lie below the data folder, which web processes share with the relay of their machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import quote

from aiohttp import hdrs, web

from livecommerce.errors import LiveCommerceError, ShowUnknown
from livecommerce.http.answers import is_known, json_answer
from livecommerce.http.site import need_staff, public_base, public_path, render, still_staff
from livecommerce.media.recording.reader import Movie
from livecommerce.records.audit import AuditEntry
from livecommerce.records.rows import now_ms
from livecommerce.replay.errors import RangeWrong, ReplayMissing
from livecommerce.replay.recordings import Recorded, Recordings
from livecommerce.shows.routes import SHOWS

# The page may be read by everyone; a moderator's hiding must reach it soon.
EVENTS_AGE_SECONDS = 60
# A download takes minutes; whoever is no staff any more gets no more of it.
RIGHT_SECONDS = 0.5

RECORDINGS: web.AppKey[Recordings] = web.AppKey("livecommerce.replay", Recordings)


async def _is_live(request: web.Request, show: str) -> bool:
    try:
        snapshot = await request.app[SHOWS].snapshots.get(show)
    except ShowUnknown:  # long over and forgotten by the live store; its recording stays
        return False
    return bool(snapshot["show"]["stage"] == "live")


async def _finished(request: web.Request) -> tuple[Recorded, Movie]:
    """The recording of a show that is not on air, and what of it everyone may see.

    Raises:
        ReplayMissing
    """
    show = request.match_info["show"]
    recorded = await request.app[RECORDINGS].get(show)
    if await _is_live(request, show):
        raise ReplayMissing("The show is on air now; the replay comes after it.")
    if recorded.movie is None:
        raise ReplayMissing
    return recorded, recorded.movie


async def get_replay(request: web.Request) -> web.Response:
    show = request.match_info["show"]
    if await _is_live(request, show):
        return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": public_path(request, f"/live/{show}")})
    recorded, movie = await _finished(request)
    shown = {"id": show, "title": show, "shop_name": "", "currency": "TWD", **recorded.show}
    urls = {
        "video": public_path(request, f"/replay/{show}/video.mp4?v={quote(movie.mark)}"),
        "events": public_path(request, f"/replay/{show}/events.json"),
        "watch": f"{public_base(request)}/replay/{show}",
    }
    return render(request, "replay", {"snapshot": None, "urls": urls}, show=shown)


async def get_address(request: web.Request) -> web.Response:
    """Where the replay is once the show is over; a page that saw the end asks for it."""
    show = request.match_info["show"]
    there = not await _is_live(request, show) and await request.app[RECORDINGS].has_replay(show)
    return json_answer({"replay": public_path(request, f"/replay/{show}") if there else None})


async def get_events(request: web.Request) -> web.Response:
    recorded, _ = await _finished(request)
    answer = web.Response(
        body=recorded.replay,
        content_type="application/json",
        headers={"Cache-Control": f"public, max-age={EVENTS_AGE_SECONDS}", "Vary": "Accept-Encoding"},
    )
    answer.enable_compression()
    return answer


async def get_video(request: web.Request) -> web.StreamResponse:
    _, movie = await _finished(request)
    exact = request.query.get("v") == movie.mark
    return await _send_movie(request, movie, "public, max-age=86400" if exact else "no-cache")


async def get_recording(request: web.Request) -> web.StreamResponse:
    staff = await need_staff(request)
    show = (await request.app[SHOWS].setups.own(staff.shop, request.match_info["show"])).id
    recorded = await request.app[RECORDINGS].get(show)
    if request.method != "HEAD" and request.app[RECORDINGS].is_new_download(
        staff.login, show, _begins(request, recorded.whole)
    ):
        entry = AuditEntry(staff.shop, now_ms(), staff.login, "recording_downloaded", show)
        await request.app[SHOWS].audit.add(entry)
    headers = {"Content-Disposition": f'attachment; filename="{show}.mp4"'}
    return await _send_movie(request, recorded.whole, "private, no-cache", headers)


def _range(request: web.Request, movie: Movie) -> tuple[int, int] | None:
    """(start, end) of the one range asked for; None for the whole. A range of other content counts as none.

    Raises:
        RangeWrong
    """
    condition = request.headers.get(hdrs.IF_RANGE)
    if hdrs.RANGE not in request.headers or (condition is not None and condition != f'"{movie.mark}"'):
        return None
    try:
        asked = request.http_range
    except ValueError:  # several ranges, other units: RFC 9110 section 14.2 lets us send everything
        return None
    start, end, _ = asked.indices(movie.size)
    if start >= end:
        raise RangeWrong
    return start, end


def _begins(request: web.Request, movie: Movie) -> bool:
    """Whether the first byte is asked for, however the range is spelled."""
    with contextlib.suppress(RangeWrong):
        return (_range(request, movie) or (0, 0))[0] == 0
    return False


async def _send_movie(
    request: web.Request, movie: Movie, cache_control: str, more: dict[str, str] | None = None
) -> web.StreamResponse:
    """The movie or the range of it that was asked for; 304 where the browser has it, 416 for a range outside it."""
    etag = f'"{movie.mark}"'
    headers = {"Accept-Ranges": "bytes", "ETag": etag, "Cache-Control": cache_control, **(more or {})}
    if hdrs.RANGE not in request.headers and is_known(request, etag):
        return web.Response(status=304, headers=headers)
    try:
        asked = _range(request, movie)
    except RangeWrong as error:
        length = {"Content-Range": f"bytes */{movie.size}"}
        return web.json_response({"error": error.as_dict()}, status=error.http_status, headers=length)
    start, end = asked if asked is not None else (0, movie.size)
    if asked is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{movie.size}"
    answer = web.StreamResponse(status=200 if asked is None else 206, headers=headers)
    answer.content_type = "video/mp4"
    answer.content_length = end - start
    await answer.prepare(request)
    if request.method != "HEAD":
        pieces = movie.read(start, end)
        asked_at = time.monotonic()
        while (piece := await asyncio.to_thread(_next, pieces)) is not None:
            if time.monotonic() - asked_at > RIGHT_SECONDS:
                asked_at = time.monotonic()
                try:
                    await still_staff(request)
                except LiveCommerceError:
                    if request.transport is not None:  # half a file must not pass for the whole
                        request.transport.abort()
                    return answer
            await answer.write(piece)
    await answer.write_eof()
    return answer


def _next(pieces: Iterator[bytes]) -> bytes | None:
    return next(pieces, None)


_SHOW = "{show:[a-z0-9-]{1,40}}"
routes: list[web.RouteDef] = [
    web.get(f"/replay/{_SHOW}", get_replay),
    web.get(f"/replay/{_SHOW}/video.mp4", get_video),
    web.get(f"/replay/{_SHOW}/events.json", get_events),
    web.get(f"/api/shows/{_SHOW}/recording.mp4", get_recording),
    web.get(f"/api/shows/{_SHOW}/replay", get_address),
]
