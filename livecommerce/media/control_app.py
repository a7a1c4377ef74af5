"""The relay's control door: WHIP (RFC 9725) and WHEP on a Unix socket or a private address, for the web role.

The web role has checked tokens, cookies and rate limits; here the media plane says yes or no. Errors are
{"error": {"number", "code", "reason"}} with the matching status.
"""

from __future__ import annotations

import hmac
import logging
import re
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from livecommerce.errors import BadInput, LiveCommerceError
from livecommerce.http.errors import LoginNeeded
from livecommerce.media.client.control import (
    FRAGMENT_TYPE,
    ORIGIN_HEADER,
    PUBLISHER_HEADER,
    RANK_HEADER,
    RIGHT_HEADER,
    WATCHER_HEADER,
)
from livecommerce.media.errors import EntityTagMissing, EntityTagStale, FragmentExpected, SdpRefused
from livecommerce.media.ingest.source import Publisher
from livecommerce.media.plane import Accepted, MediaPlane
from livecommerce.media.wire.freezes import FreezeReport
from livecommerce.media.wire.layer_wish import parse_wish
from livecommerce.media.wire.sdp import OFFER_BYTES_MAX

log = logging.getLogger(__name__)

_SHOW = re.compile(r"[a-z0-9-]{1,40}")
RANKS = ("0", "1", "2")  # token, host, owner
_ROLES = {"whip": "host", "whep": "viewer"}


def error_response(error: LiveCommerceError) -> web.Response:
    headers = {}
    if error.retry_after_ms is not None:
        headers["Retry-After"] = str(max(1, error.retry_after_ms // 1_000))
    return web.json_response({"error": error.as_dict()}, status=error.http_status, headers=headers)


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except LiveCommerceError as error:
        return error_response(error)
    except web.HTTPException:
        raise
    except Exception:
        log.exception("%s %s", request.method, request.path)
        return error_response(LiveCommerceError())


class ControlApp:
    """Routes over a media plane.

    Args:
        secret: where not empty, every request needs `Authorization: Bearer <secret>` (TCP addresses).
    """

    def __init__(self, plane: MediaPlane, *, secret: str = "") -> None:
        self._plane = plane
        self._secret = secret

    def app(self) -> web.Application:
        middlewares = [_errors, self._guard] if self._secret else [_errors]
        app = web.Application(client_max_size=OFFER_BYTES_MAX, middlewares=middlewares)
        app.add_routes(
            [
                web.post("/{kind:whip|whep}/{show}", self.offer),
                web.patch("/{kind:whip|whep}/{show}/{session}", self.patch),
                web.delete("/{kind:whip|whep}/{show}/{session}", self.delete),
                web.post("/whep/{show}/{session}/freezes", self.freezes),
                web.post("/whep/{show}/{session}/layer", self.choose_layer),
                web.get("/streams", self.streams),
                web.get("/streams/{show}/viewers", self.viewers),
                web.get("/health", self.health),
            ]
        )
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, b"Bearer " + self._secret.encode()):
            raise LoginNeeded
        return await handler(request)

    @staticmethod
    def _show(request: web.Request) -> str:
        show = request.match_info["show"]
        if not _SHOW.fullmatch(show):
            raise BadInput("A show id has 1 to 40 characters a-z, 0-9 and '-'.")
        return show

    @staticmethod
    async def _body(request: web.Request) -> str:
        try:
            return (await request.read()).decode()
        except UnicodeDecodeError:
            raise SdpRefused("The offer is not UTF-8.") from None

    async def offer(self, request: web.Request) -> web.Response:
        """201 with the answer; Location is relative to the server's root."""
        show, kind = self._show(request), request.match_info["kind"]
        if request.content_type != "application/sdp":
            raise SdpRefused("The Content-Type of an offer is application/sdp.")
        body = await self._body(request)
        accepted: Accepted
        if kind == "whip":
            rank = request.headers.get(RANK_HEADER, "0")
            publisher = Publisher(
                request.headers.get(PUBLISHER_HEADER, ""),
                int(rank) if rank in RANKS else 0,
                request.headers.get(RIGHT_HEADER, ""),
            )
            accepted = self._plane.publish(show, body, publisher)
        else:
            if origin := request.headers.get(ORIGIN_HEADER, ""):
                await self._plane.pull(show, origin)
            watcher, right = request.headers.get(WATCHER_HEADER, ""), request.headers.get(RIGHT_HEADER, "")
            accepted = self._plane.play(show, body, watcher=watcher, right=right)
        return web.Response(
            status=201,
            body=accepted.answer.encode(),
            headers={
                "Content-Type": "application/sdp",
                "Location": f"/{kind}/{show}/{accepted.session}",
                "ETag": accepted.etag,
                "Accept-Patch": FRAGMENT_TYPE,
            },
        )

    async def patch(self, request: web.Request) -> web.Response:
        """Trickle (204) or ICE restart (200). If-Match as RFC 9725 section 4.3.1: 428 missing, 412 stale."""
        show, session = self._show(request), request.match_info["session"]
        role = _ROLES[request.match_info["kind"]]
        if request.content_type != FRAGMENT_TYPE:
            raise FragmentExpected
        peer = self._plane.session(show, session, role)
        match = request.headers.get("If-Match")
        if match is None:
            raise EntityTagMissing
        # A list of tags is allowed, weak ones are not equal to any (RFC 9110 section 13.1.1).
        if not {"*", peer.etag} & {tag.strip() for tag in match.split(",")}:
            raise EntityTagStale
        fragment, etag = self._plane.patch(show, session, role, await self._body(request))
        if not fragment:
            return web.Response(status=204)  # without an ETag: the ICE session is the same (RFC 9725 section 4.3.2)
        return web.Response(status=200, body=fragment.encode(), headers={"Content-Type": FRAGMENT_TYPE, "ETag": etag})

    async def delete(self, request: web.Request) -> web.Response:
        self._plane.stop(self._show(request), request.match_info["session"], _ROLES[request.match_info["kind"]])
        return web.Response(status=200)

    async def freezes(self, request: web.Request) -> web.Response:
        """204; a viewer's page reports its freezes (a `FreezeReport`)."""
        try:
            report = msgspec.json.decode(await request.read(), type=FreezeReport)
        except msgspec.DecodeError as error:
            raise BadInput(f"The report is not of the expected form: {error}") from None
        self._plane.note_freezes(self._show(request), request.match_info["session"], report)
        return web.Response(status=204)

    async def choose_layer(self, request: web.Request) -> web.Response:
        """WHEP's layer extension: 200 where it is taken."""
        wish = parse_wish(await request.read())
        self._plane.choose_layer(self._show(request), request.match_info["session"], wish)
        return web.Response(status=200)

    async def streams(self, _request: web.Request) -> web.Response:
        return web.json_response(self._plane.statistics())

    async def viewers(self, request: web.Request) -> web.Response:
        return web.json_response({"viewers": self._plane.viewers(self._show(request))})

    async def health(self, _request: web.Request) -> web.Response:
        return web.json_response({"ok": True, "peers": len(self._plane.peers), "streams": len(self._plane.streams)})
