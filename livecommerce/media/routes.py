"""The doors to the media relay: WHIP for hosts (RFC 9725), WHEP for viewers, ICE servers, ingest tokens, LL-HLS.

Here is decided who may; the relay decides what can be. Players and encoders of other sites may come, without cookies.

GET /live/{show}/hls/index.m3u8            multivariant playlist
GET /live/{show}/hls/{variant}/index.m3u8  media playlist; blocks by _HLS_msn and _HLS_part
GET /live/{show}/hls/{variant}/{file}      set-up, segment or part; never changes
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from aiohttp import hdrs, web

from livecommerce.accounts.errors import TokenWrong
from livecommerce.accounts.ingest_tokens import IngestTokens, bearer, right_of
from livecommerce.accounts.rate_limit import Bucket, RateLimit
from livecommerce.accounts.rights import session_right
from livecommerce.errors import BadInput, ShowUnknown, TooMuch
from livecommerce.http.addresses import network_of
from livecommerce.http.answers import json_answer
from livecommerce.http.bodies import read_body, read_json
from livecommerce.http.errors import MediaTypeWrong
from livecommerce.http.site import identify, need_staff, public_base, public_path
from livecommerce.media.client.control import FRAGMENT_TYPE, Kind, RelayControl
from livecommerce.media.client.hls_door import HlsDoor
from livecommerce.media.client.ice_servers import ice_servers, link_headers, needs_renewal
from livecommerce.media.errors import ShowOver, StreamUnknown
from livecommerce.media.ingest.source import Publisher
from livecommerce.media.settings import Media
from livecommerce.media.wire.freezes import FreezeReport
from livecommerce.media.wire.layer_wish import LAYER_RELATION, WISH_BYTES_MAX
from livecommerce.records.audit import AuditEntry, AuditRepository
from livecommerce.records.rows import now_ms

SDP_TYPE = "application/sdp"
SDP_BYTES_MAX = 64_000  # an offer with many candidates has 10 kB
# Joins of one network: an office or a campus behind one NAT may come together, a flood may not.
JOINS_AT_ONCE, JOINS_PER_MINUTE = 200, 600.0

# A page reports at most every ten seconds, so this is an address with a thousand viewers.
REPORTS_AT_ONCE, REPORTS_PER_MINUTE = 1_000, 6_000.0
REPORT_BYTES_MAX = 200
WORST_VIEWERS = 10  # lines shown to staff; the relay has them worst first

CORS_ANSWER = {
    "Access-Control-Allow-Methods": "OPTIONS, POST, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Max-Age": "86400",
    "Accept-Post": SDP_TYPE,
}

# A playlist asked for by number is as good for everyone who asks until the next part is there.
BLOCKING_SECONDS, PLAIN_SECONDS, MEDIA_SECONDS = 2.0, 0.2, 40.0
HLS_DIRECTIVES = ("_HLS_msn", "_HLS_part")


@dataclass(frozen=True)
class MediaNeeds:
    """What these routes need. A show is a name to this room: others say whether it exists and whose it is.

    Attributes:
        relay_for: the control door of the relay that carries (or shall carry) a show. Raises Unavailable.
        place_of: the shop and the stage of a show. Raises ShowUnknown.
        refuse_banned: (show, viewer); raises for one whom a moderator has removed from the show.
        own_show: (shop, show); raises ShowUnknown where the show is not this shop's.
    """

    settings: Media
    relay_for: Callable[[str], Awaitable[RelayControl]]
    hls: HlsDoor
    place_of: Callable[[str], Awaitable[tuple[str, str]]]
    refuse_banned: Callable[[str, str], Awaitable[None]]
    own_show: Callable[[str, str], Awaitable[object]]
    ingest_tokens: IngestTokens
    rate_limit: RateLimit
    audit: AuditRepository

    def ice_servers(self, identity: str | None) -> list[dict[str, Any]]:
        """STUN and TURN servers; credentials of the latter are this identity's, for some minutes. None: no TURN."""
        return ice_servers(self.settings, identity, int(time.time()))

    @property
    def ice_needs_renewal(self) -> bool:
        return needs_renewal(self.settings)


MEDIA: web.AppKey[MediaNeeds] = web.AppKey("livecommerce.media", MediaNeeds)


async def _known_show(request: web.Request) -> str:
    show = request.match_info["show"]
    await request.app[MEDIA].place_of(show)
    return show


async def _may_see(request: web.Request, show: str) -> bool:
    """Whether everyone may see the show now; False where it is rehearsed and staff of its shop ask.

    Raises:
        ShowUnknown; StreamUnknown: not on air yet. ShowOver.
    """
    shop, stage = await request.app[MEDIA].place_of(show)
    if stage == "live":
        return True
    if stage == "ended":
        raise ShowOver
    staff = (await identify(request)).staff
    if staff is None or staff.shop != shop:
        raise StreamUnknown(retry_after_ms=2_000)
    return False


async def _publisher(request: web.Request, show: str) -> Publisher:
    """Who publishes: the holder of the show's ingest token, else a logged-in owner or host of its shop.

    Raises:
        TokenWrong, RoleTooLow, ShowUnknown
    """
    token = bearer(request.headers.get(hdrs.AUTHORIZATION))
    if token is not None:
        await request.app[MEDIA].ingest_tokens.check(show, token)
        return Publisher("token-" + hashlib.sha256(token.encode()).hexdigest()[:24], 0, right_of(token))
    if (await identify(request)).staff is None:
        raise TokenWrong
    staff = await need_staff(request, "owner", "host")
    await request.app[MEDIA].own_show(staff.shop, show)
    rank = 2 if staff.role == "owner" else 1
    return Publisher(f"staff-{staff.id}", rank, session_right((await identify(request)).session))


async def _limit(request: web.Request, name: str, at_once: int, per_minute: float) -> None:
    network = network_of((await identify(request)).address)
    wait_ms = await request.app[MEDIA].rate_limit.take([Bucket(f"{name}:{network}", at_once, per_minute)])
    if wait_ms:
        raise TooMuch(retry_after_ms=wait_ms)


async def _text(request: web.Request, content_type: str, bytes_max: int = SDP_BYTES_MAX) -> str:
    if request.content_type != content_type:
        raise MediaTypeWrong(f"Send {content_type}.")
    try:
        return (await read_body(request, bytes_max)).decode()
    except UnicodeDecodeError as error:
        raise BadInput("The body is not UTF-8.") from error


async def _who_may_relay(request: web.Request, show: str) -> str | None:
    """The identity that TURN credentials are made for; None for who gets none."""
    who = await identify(request)
    if who.staff is not None:
        with contextlib.suppress(ShowUnknown):
            await request.app[MEDIA].own_show(who.staff.shop, show)
            return who.staff.id
    if not who.is_known or (await request.app[MEDIA].place_of(show))[1] != "live":
        return None
    return who.viewer


def _kind(request: web.Request) -> Kind:
    return "whip" if request.match_info["kind"] == "whip" else "whep"


async def _authorized(request: web.Request) -> tuple[Kind, str, Publisher | None, RelayControl]:
    """(kind, show, publisher of a host, relay); refuses who may not."""
    kind, show = _kind(request), request.match_info["show"]
    publisher = await _publisher(request, show) if kind == "whip" else None
    await _known_show(request)
    return kind, show, publisher, await request.app[MEDIA].relay_for(show)


async def options_stream(request: web.Request) -> web.Response:
    """CORS preflight, and what RFC 9725 section 4.2 has clients ask."""
    return web.Response(status=200, headers=CORS_ANSWER)


async def post_stream(request: web.Request) -> web.Response:
    """An SDP offer: 201 with the answer, `Location` of the session, `ETag`, and the ICE servers as `Link`."""
    if _kind(request) == "whep":
        await _limit(request, "whep", JOINS_AT_ONCE, JOINS_PER_MINUTE)
    kind, show, publisher, relay = await _authorized(request)
    who, right = await identify(request), ""
    if publisher is None:
        if not await _may_see(request, show):
            right = session_right(who.session)  # it watches a rehearsal as long as it is logged in
        await request.app[MEDIA].refuse_banned(show, who.viewer)
    elif (await request.app[MEDIA].place_of(show))[1] == "ended":
        raise ShowOver
    offer = await _text(request, SDP_TYPE)
    if publisher is not None:
        session = await relay.publish(show, offer, publisher.name, rank=publisher.rank, right=publisher.right)
    else:
        session = await relay.play(show, offer, watcher=who.viewer, right=right)
    answer = web.Response(status=201, text=session.answer, content_type=SDP_TYPE)
    own = public_path(request, f"/{kind}/{show}/{session.session}")
    answer.headers["Location"] = own
    answer.headers["ETag"] = session.etag
    answer.headers["Accept-Patch"] = FRAGMENT_TYPE
    if kind == "whep":
        answer.headers.add("Link", f'<{own}/layer>; rel="{LAYER_RELATION}"')
    name = publisher.name if publisher is not None else await _who_may_relay(request, show)
    for link in link_headers(request.app[MEDIA].ice_servers(name)):
        answer.headers.add("Link", link)
    return answer


async def patch_stream(request: web.Request) -> web.Response:
    """Trickle ICE (204) or an ICE restart (200): RFC 9725 section 4.3."""
    kind, show, _, relay = await _authorized(request)
    fragment = await _text(request, FRAGMENT_TYPE)
    patched = await relay.patch(kind, show, request.match_info["session"], fragment, request.headers.get("If-Match"))
    headers = {"ETag": patched.etag} if patched.etag else {}
    if not patched.fragment:
        return web.Response(status=patched.status, headers=headers)
    return web.Response(status=patched.status, text=patched.fragment, content_type=FRAGMENT_TYPE, headers=headers)


async def post_layer(request: web.Request) -> web.Response:
    """WHEP's layer extension: how large the picture is on the page, or the layer its viewer chose."""
    show = await _known_show(request)
    wish = await _text(request, "application/json", WISH_BYTES_MAX)
    relay = await request.app[MEDIA].relay_for(show)
    await relay.choose_layer(show, request.match_info["session"], wish)
    return web.Response(status=200)


async def delete_stream(request: web.Request) -> web.Response:
    """Ends a session; the host's ends the stream. Whoever knows a viewer's session name is that viewer."""
    kind, show, _, relay = await _authorized(request)
    await relay.stop(kind, show, request.match_info["session"])
    return web.Response(status=200)


async def post_freezes(request: web.Request) -> web.Response:
    """A page counts what no server sees: its picture standing still. Whoever knows a session's name is its viewer."""
    await _limit(request, "freezes", REPORTS_AT_ONCE, REPORTS_PER_MINUTE)
    report = await read_json(request, FreezeReport, bytes_max=REPORT_BYTES_MAX)
    show = await _known_show(request)
    relay = await request.app[MEDIA].relay_for(show)
    await relay.freezes(show, request.match_info["session"], report)
    return web.Response(status=204)


async def get_ice_servers(request: web.Request) -> web.Response:
    """For each connection anew. TURN is for those whose cookie we know, while the show is live, and for its staff."""
    await _limit(request, "ice", JOINS_AT_ONCE, JOINS_PER_MINUTE)
    who = await _who_may_relay(request, await _known_show(request))
    return json_answer({"ice_servers": request.app[MEDIA].ice_servers(who)})


async def get_stream(request: web.Request) -> web.Response:
    """The host's stream as the relay sees it (rates, loss, hint) and its worst lines, or null while nobody is live."""
    needs, show = request.app[MEDIA], request.match_info["show"]
    staff = await need_staff(request)
    await needs.own_show(staff.shop, show)
    relay = await needs.relay_for(show)
    found = (await relay.streams())["streams"].get(show)
    try:
        viewers = await relay.viewers(show) if found else []
    except StreamUnknown:  # ended between the two questions: nobody is live, which is an answer and no fault
        found, viewers = None, []
    return json_answer({"stream": found, "worst_viewers": viewers[:WORST_VIEWERS]})


async def post_ingest_token(request: web.Request) -> web.Response:
    """A new token for an encoder; the answer is the only time it is shown."""
    needs, show = request.app[MEDIA], request.match_info["show"]
    staff = await need_staff(request, "owner", "host")
    await needs.own_show(staff.shop, show)
    token = await needs.ingest_tokens.make(staff.shop, show, staff.login)
    await needs.audit.add(AuditEntry(staff.shop, now_ms(), staff.login, "ingest_token_made", show))
    return json_answer({"url": f"{public_base(request)}/whip/{show}", "token": token}, status=201)


async def delete_ingest_token(request: web.Request) -> web.Response:
    """Revokes every token of the show; a stream that runs by one ends within a second."""
    needs, show = request.app[MEDIA], request.match_info["show"]
    staff = await need_staff(request, "owner", "host")
    await needs.own_show(staff.shop, show)
    revoked = await needs.ingest_tokens.revoke(show)
    await needs.audit.add(AuditEntry(staff.shop, now_ms(), staff.login, "ingest_tokens_revoked", show))
    return json_answer({"revoked": revoked})


async def _hls(request: web.Request, path: str, seconds: float) -> web.Response:
    show = request.match_info["show"]
    await _may_see(request, show)
    kept = await request.app[MEDIA].hls.get(show, path, seconds)
    is_public = await _may_see(request, show)  # again: a playlist is held back for seconds, and the show may have ended
    return web.Response(
        body=kept.body,
        content_type=kept.content_type,
        headers={
            "Cache-Control": kept.cache_control if is_public else "private, no-store",
            # Players on the shop's own site, and a CDN in front, may read it: it is as public as the show's page.
            "Access-Control-Allow-Origin": "*",
            "Cross-Origin-Resource-Policy": "cross-origin",
        },
    )


async def get_multivariant(request: web.Request) -> web.Response:
    return await _hls(request, "index.m3u8", PLAIN_SECONDS)


async def get_playlist(request: web.Request) -> web.Response:
    asked = {name: request.query[name] for name in HLS_DIRECTIVES if name in request.query}
    query = f"?{urlencode(asked)}" if asked else ""
    path = f"{request.match_info['variant']}/index.m3u8{query}"
    return await _hls(request, path, BLOCKING_SECONDS if asked else PLAIN_SECONDS)


async def get_media(request: web.Request) -> web.Response:
    return await _hls(request, f"{request.match_info['variant']}/{request.match_info['file']}", MEDIA_SECONDS)


_SHOW = "{show:[a-z0-9-]{1,40}}"
_STREAM = "/{kind:whip|whep}/" + _SHOW
_SESSION = _STREAM + "/{session:[A-Za-z0-9_-]{1,80}}"
_FREEZES = _SESSION.replace("{kind:whip|whep}", "whep") + "/freezes"
_LAYER = _SESSION.replace("{kind:whip|whep}", "whep") + "/layer"
_HLS = f"/live/{_SHOW}/hls"
routes: list[web.RouteDef] = [
    web.post(f"/api/shows/{_SHOW}/ingest-token", post_ingest_token),
    web.delete(f"/api/shows/{_SHOW}/ingest-token", delete_ingest_token),
    web.get(f"/api/shows/{_SHOW}/ice-servers", get_ice_servers),
    web.get(f"/api/shows/{_SHOW}/stream", get_stream),
    web.route("OPTIONS", _STREAM, options_stream),
    web.post(_STREAM, post_stream),
    web.post(_STREAM + "/", post_stream),  # encoders keep the slash that somebody typed
    web.route("OPTIONS", _SESSION, options_stream),
    web.patch(_SESSION, patch_stream),
    web.delete(_SESSION, delete_stream),
    web.post(_FREEZES, post_freezes),
    web.route("OPTIONS", _LAYER, options_stream),
    web.post(_LAYER, post_layer),
    web.get(f"{_HLS}/index.m3u8", get_multivariant),
    web.get(_HLS + "/{variant:opus|aac}/index.m3u8", get_playlist),
    web.get(_HLS + r"/{variant:opus|aac}/{file:[a-z0-9.-]{1,60}\.(?:m4s|mp4)}", get_media),
]
