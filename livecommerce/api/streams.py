"""The doors to the media relay: WHIP for hosts (RFC 9725), WHEP for viewers, ICE servers, ingest tokens.

Here is decided who may; the relay decides what can be. Players and encoders of other sites may come, without cookies.
"""

from __future__ import annotations

import hashlib
import time
from typing import Any

from aiohttp import hdrs, web

from livecommerce.accounts.ingest_tokens import bearer
from livecommerce.accounts.rate_limit import Bucket
from livecommerce.api.bodies import SDP_BYTES_MAX, json_answer, read_body, read_json
from livecommerce.api.context import Context, context_of
from livecommerce.api.errors import MediaTypeWrong
from livecommerce.api.links import public_base
from livecommerce.api.shows import own_show
from livecommerce.errors import BadInput, ShowUnknown, TokenWrong, TooMuch
from livecommerce.media.client.control import FRAGMENT_TYPE, Kind, RelayControl
from livecommerce.media.client.ice_servers import ice_servers, link_headers
from livecommerce.media.wire.freezes import FreezeReport
from livecommerce.media.wire.layer_wish import LAYER_RELATION, WISH_BYTES_MAX
from livecommerce.records.rows import now_ms
from livecommerce.records.structs import AuditEntry

SDP_TYPE = "application/sdp"
# Joins of one address: an office or a campus behind one NAT may come together, a flood may not.
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


def ice_servers_for(context: Context, identity: str) -> list[dict[str, Any]]:
    return ice_servers(context.settings.media, identity, int(time.time()))


async def _known_show(context: Context, show: str) -> str:
    if not await context.shows.exists(show):
        raise ShowUnknown
    return show


async def _publisher(request: web.Request, show: str) -> str:
    """Who publishes: the holder of the show's ingest token, else a logged-in owner or host of its shop.

    Raises:
        TokenWrong, RoleTooLow, ShowUnknown
    """
    context = context_of(request)
    token = bearer(request.headers.get(hdrs.AUTHORIZATION))
    if token is not None:
        await context.accounts.ingest_tokens.check(show, token)
        return "token-" + hashlib.sha256(token.encode()).hexdigest()[:24]
    if (await context.accounts.identify(request)).staff is None:
        raise TokenWrong
    staff = await context.accounts.need_staff(request, "owner", "host")
    await own_show(context, staff, show)
    return f"staff-{staff.id}"


async def _limit(request: web.Request, name: str, at_once: int, per_minute: float) -> None:
    context = context_of(request)
    address = (await context.accounts.identify(request)).address
    bucket = Bucket(f"{name}:{address}", at_once, per_minute)
    wait_ms = await context.accounts.rate_limit.take([bucket])
    if wait_ms:
        raise TooMuch(retry_after_ms=wait_ms)


async def _text(request: web.Request, content_type: str, bytes_max: int = SDP_BYTES_MAX) -> str:
    if request.content_type != content_type:
        raise MediaTypeWrong(f"Send {content_type}.")
    try:
        return (await read_body(request, bytes_max)).decode()
    except UnicodeDecodeError as error:
        raise BadInput("The body is not UTF-8.") from error


def _kind(request: web.Request) -> Kind:
    return "whip" if request.match_info["kind"] == "whip" else "whep"


async def _authorized(request: web.Request) -> tuple[Kind, str, str, RelayControl]:
    """(kind, show, publisher or "", relay); refuses who may not."""
    context = context_of(request)
    kind, show = _kind(request), request.match_info["show"]
    publisher = await _publisher(request, show) if kind == "whip" else ""
    await _known_show(context, show)
    return kind, show, publisher, await context.relay_for(show)


async def options_stream(request: web.Request) -> web.Response:
    """CORS preflight, and what RFC 9725 section 4.2 has clients ask."""
    return web.Response(status=200, headers=CORS_ANSWER)


async def post_stream(request: web.Request) -> web.Response:
    """An SDP offer: 201 with the answer, `Location` of the session, `ETag`, and the ICE servers as `Link`."""
    context = context_of(request)
    if _kind(request) == "whep":
        await _limit(request, "whep", JOINS_AT_ONCE, JOINS_PER_MINUTE)
    kind, show, publisher, relay = await _authorized(request)
    offer = await _text(request, SDP_TYPE)
    session = await (relay.publish(show, offer, publisher) if kind == "whip" else relay.play(show, offer))
    answer = web.Response(status=201, text=session.answer, content_type=SDP_TYPE)
    answer.headers["Location"] = f"/{kind}/{show}/{session.session}"
    answer.headers["ETag"] = session.etag
    answer.headers["Accept-Patch"] = FRAGMENT_TYPE
    if kind == "whep":
        answer.headers.add("Link", f'</whep/{show}/{session.session}/layer>; rel="{LAYER_RELATION}"')
    who = publisher or (await context.accounts.identify(request)).viewer
    for link in link_headers(ice_servers_for(context, who)):
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
    context, show = context_of(request), await _known_show(context_of(request), request.match_info["show"])
    wish = await _text(request, "application/json", WISH_BYTES_MAX)
    relay = await context.relay_for(show)
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
    show = await _known_show(context_of(request), request.match_info["show"])
    relay = await context_of(request).relay_for(show)
    await relay.freezes(show, request.match_info["session"], report)
    return web.Response(status=204)


async def get_ice_servers(request: web.Request) -> web.Response:
    context = context_of(request)
    await _known_show(context, request.match_info["show"])
    identity = await context.accounts.identify(request)
    return json_answer({"ice_servers": ice_servers_for(context, identity.viewer)})


async def get_stream(request: web.Request) -> web.Response:
    """The host's stream as the relay sees it (rates, loss, hint) and its worst lines, or null while nobody is live."""
    context = context_of(request)
    staff = await context.accounts.need_staff(request)
    show = (await own_show(context, staff, request.match_info["show"])).id
    relay = await context.relay_for(show)
    found = (await relay.streams())["streams"].get(show)
    viewers = await relay.viewers(show) if found else []
    return json_answer({"stream": found, "worst_viewers": viewers[:WORST_VIEWERS]})


async def post_ingest_token(request: web.Request) -> web.Response:
    """A new token for an encoder; the answer is the only time it is shown."""
    context = context_of(request)
    staff = await context.accounts.need_staff(request, "owner", "host")
    show = await own_show(context, staff, request.match_info["show"])
    token = await context.accounts.ingest_tokens.make(show.shop, show.id, staff.login)
    await context.records.audit.add(AuditEntry(show.shop, now_ms(), staff.login, "ingest_token_made", show.id))
    return json_answer({"url": f"{public_base(request)}/whip/{show.id}", "token": token}, status=201)


async def delete_ingest_token(request: web.Request) -> web.Response:
    """Revokes every token of the show. A stream that runs is ended by the host or by `end`."""
    context = context_of(request)
    staff = await context.accounts.need_staff(request, "owner", "host")
    show = await own_show(context, staff, request.match_info["show"])
    revoked = await context.accounts.ingest_tokens.revoke(show.id)
    await context.records.audit.add(AuditEntry(show.shop, now_ms(), staff.login, "ingest_tokens_revoked", show.id))
    return json_answer({"revoked": revoked})
