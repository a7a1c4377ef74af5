"""What every request passes: errors with numbers, the origin check, headers that keep browsers strict."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from livecommerce.accounts import sessions, viewers
from livecommerce.api.errors import OriginForeign
from livecommerce.api.faults import as_known
from livecommerce.api.pages import error_page
from livecommerce.errors import BadInput, LiveCommerceError, NotFound, Unavailable, in_words
from livecommerce.http.answers import error_answer
from livecommerce.http.bodies import check_query
from livecommerce.http.errors import EncodingRefused
from livecommerce.http.settings import Http
from livecommerce.http.site import SITE, is_https
from livecommerce.ops.log_limit import warn_seldom

log = structlog.get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
OWN_COOKIES = (sessions.COOKIE, viewers.COOKIE)
CROSS_ORIGIN_PREFIXES = ("/whip/", "/whep/")  # encoders and players of other sites may come here, without our cookies
SOCKET_PREFIX = "/socket.io/"  # the gateway's own: it checks origin and identity at the handshake
SERVER = "livecommerce"  # not the versions of what it is made of
HSTS = "max-age=31536000"

PLAIN_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


def allowed_origins(request: web.Request, settings: Http) -> set[str]:
    """Origins that are this site: the public address, and the host this request was sent to.

    Either scheme of that host: behind a proxy that is not in `trusted_proxies` we cannot know it was HTTPS, and a shop
    that cannot log in is worse than a page of its own host over HTTP, whose requests browsers send without our cookies.
    """
    origins = {f"http://{request.host}".lower(), f"https://{request.host}".lower()}
    if settings.public_url:
        public = urlsplit(settings.public_url)
        origins.add(f"{public.scheme}://{public.netloc}".lower())
    return origins


def check_origin(request: web.Request, settings: Http) -> None:
    """Refuses changes that another site could have caused in a person's browser.

    With our cookies an `Origin` of ours is needed. Without them, a foreign `Origin` is only taken by WHIP and WHEP.

    Raises:
        OriginForeign
    """
    if request.method in SAFE_METHODS:
        return
    origin = request.headers.get("Origin")
    carries_cookie = any(name in request.cookies for name in OWN_COOKIES)
    if origin is None:
        if carries_cookie:
            raise OriginForeign
        return
    if origin.lower() in allowed_origins(request, settings):
        return
    warn_seldom(
        log, "a request from another origin", key="origin", origin=origin[:100], host=request.host[:100],
        advice="if this is your own address: let the proxy pass Host on (nginx: proxy_set_header Host $host), "
        "or set LIVECOMMERCE_HTTP_PUBLIC_URL to it",
    )  # fmt: skip
    if carries_cookie or not request.path.startswith(CROSS_ORIGIN_PREFIXES):
        raise OriginForeign


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Origin check first, then the handler; whatever it raises becomes a numbered answer."""
    if "Content-Encoding" in request.headers:
        # Before anything else, unknown paths and sockets too: nothing of it is ever unpacked (web.py, auto_decompress).
        return error_answer(EncodingRefused())
    if request.path.startswith(SOCKET_PREFIX):
        return await handler(request)
    try:
        check_origin(request, request.app[SITE].settings)
        # PostgreSQL stores no NUL, and would say so as a fault: nothing has such a name, and nothing is asked by it.
        if "\x00" in request.path:
            raise NotFound
        if "\x00" in request.query_string:
            raise BadInput("An address holds no NUL.")
        if request.path.startswith("/api/"):
            check_query(request)
        return await handler(request)
    except web.HTTPRedirection:
        raise
    except ConnectionError:
        if request.transport is None or request.transport.is_closing():
            raise  # the client hung up: nobody is there to be answered, and nothing is wrong here
        return await _answered(request, Unavailable(retry_after_ms=1_000))
    except Exception as error:
        known = as_known(error)
        if known is None:
            # The person gets a number; the reason is in the log, for us, once a minute: who has found a fault has
            # found it for as many requests as they like.
            route, kind = route_name(request), type(error).__name__
            warn_seldom(
                log, "request failed", key=f"failed {route} {kind}", method=request.method, route=route, exc_info=True
            )
            known = LiveCommerceError()
        elif known.http_status >= 500:
            warn_seldom(
                log, "request refused", key=f"refused {known.code}", method=request.method,
                route=route_name(request), code=known.code, why=in_words(error)[:300],
            )  # fmt: skip
        answer = await _answered(request, known)
        if isinstance(error, web.HTTPMethodNotAllowed):
            answer.headers["Allow"] = ", ".join(sorted(error.allowed_methods))  # RFC 9110 section 15.5.6
        return answer


async def _answered(request: web.Request, error: LiveCommerceError) -> web.Response:
    return await error_page(request, error) if wants_page(request) else error_answer(error)


def wants_page(request: web.Request) -> bool:
    """Whether a person's browser asked for a page: those get errors as a page."""
    return (
        request.method in ("GET", "HEAD")
        and not request.path.startswith(("/api/", "/static/", *CROSS_ORIGIN_PREFIXES))
        and "text/html" in request.headers.get("Accept", "")
    )


def route_name(request: web.Request) -> str:
    """The route's pattern, for logs: no ids, no query."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal `on_response_prepare`: fills in what the handler did not set itself."""
    response.headers["Server"] = SERVER
    if request.path.startswith(SOCKET_PREFIX):
        return
    for name, value in PLAIN_HEADERS.items():
        response.headers.setdefault(name, value)
    if request.path.startswith(CROSS_ORIGIN_PREFIXES):
        # Any site may embed the player or be the encoder's page; without credentials, so no cookie of ours comes along.
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Expose-Headers"] = "Location, ETag, Link, Accept-Patch, Retry-After"
    else:
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    if is_https(request):
        response.headers.setdefault("Strict-Transport-Security", HSTS)
