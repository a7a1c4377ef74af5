"""The page of a replay, and the shop's download of a recording; the room `replay` has the rest.

GET /replay/{show}                       the page; leads to the live page while the show is on air
GET /api/shows/{show}/recording.mp4      the whole recording as a download for the shop's staff, also during the show
"""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

from aiohttp import web

from livecommerce.api import pages, shows
from livecommerce.api.context import Context, context_of
from livecommerce.api.links import public_base
from livecommerce.errors import ShowUnknown
from livecommerce.replay.recordings import Recordings
from livecommerce.replay.routes import IS_LIVE, RECORDINGS, SHOW, finished, send_movie
from livecommerce.replay.routes import routes as replay_routes


async def _is_live(request: web.Request, show: str) -> bool:
    try:
        snapshot = await shows.snapshot_of(request, show)
    except ShowUnknown:  # long over and forgotten by the live store; its recording stays
        return False
    return bool(snapshot["show"]["stage"] == "live")


async def get_replay(request: web.Request) -> web.Response:
    show = request.match_info["show"]
    if await _is_live(request, show):
        return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": f"/live/{show}"})
    recorded, movie = await finished(request)
    shown = {"id": show, "title": show, "shop_name": "", "currency": "TWD", **recorded.show}
    urls = {
        "video": f"/replay/{show}/video.mp4?v={quote(movie.mark)}",
        "events": f"/replay/{show}/events.json",
        "watch": f"{public_base(request)}/replay/{show}",
    }
    return pages.render(request, "replay", {"snapshot": None, "urls": urls}, show=shown)


async def get_recording(request: web.Request) -> web.StreamResponse:
    context = context_of(request)
    staff = await context.accounts.need_staff(request)
    show = (await shows.own_show(context, staff, request.match_info["show"])).id
    recorded = await request.app[RECORDINGS].get(show)
    headers = {"Content-Disposition": f'attachment; filename="{show}.mp4"'}
    return await send_movie(request, recorded.whole, "private, no-cache", headers)


routes: list[web.RouteDef] = [
    web.get(f"/replay/{SHOW}", get_replay),
    *replay_routes,
    web.get(f"/api/shows/{SHOW}/recording.mp4", get_recording),
]


def add_replay(app: web.Application, context: Context) -> None:
    """What the routes need; they are in `routes`."""
    app[RECORDINGS] = Recordings(context.settings.data_folder)
    app[IS_LIVE] = _is_live
