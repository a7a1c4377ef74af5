"""The HTML pages: Jinja2 templates of `web/`, each under its own CSP nonce. docs/pages.md names their context."""

from __future__ import annotations

import gzip
import re
import secrets
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from aiohttp import web

from livecommerce.accounts import viewers
from livecommerce.accounts.routes import ACCOUNTS, staff_shape
from livecommerce.api.faults import as_known
from livecommerce.api.locales import COOKIE as LOCALE_COOKIE
from livecommerce.api.locales import choose_locale, words_of
from livecommerce.api.web_folder import WEB_FOLDER
from livecommerce.catalogue.routes import CATALOGUE, products_shape
from livecommerce.errors import LiveCommerceError, ShowUnknown, Unavailable
from livecommerce.http.errors import LoginNeeded
from livecommerce.http.identity import Visit
from livecommerce.http.site import SITE, address_of, identify, is_https, need_staff, public_base, public_path
from livecommerce.media.routes import MEDIA
from livecommerce.ops.patience import patiently
from livecommerce.replay.routes import RECORDINGS
from livecommerce.settings import LOCALES
from livecommerce.shows.routes import SHOWS, left_shape, list_shape

PERMISSIONS = "camera=(self), microphone=(self)"
PATIENCE_SECONDS = 1.5  # of a page with a store that stalls; its socket brings what is missing
GZIP_LEVEL = 4  # a page of 22 kB becomes 6 kB; higher levels save little more
_NEXT = re.compile(r"/(?!/)[A-Za-z0-9/_-]{0,200}")


FRAMED = ("watch", "replay")  # what a shop's own site may embed; desks never, a press there could be somebody else's


def page_policy(nonce: str, host: str, ancestors: Sequence[str] = ()) -> str:
    """The Content-Security-Policy of a page; `host` may hold only what a host may. `ancestors` may frame it."""
    host = host if re.fullmatch(r"[A-Za-z0-9.\-:\[\]]{1,255}", host) else ""
    sockets = f" ws://{host} wss://{host}" if host else ""
    framing = " ".join(ancestors) or "'none'"
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}' 'self'; style-src 'self'; img-src 'self' data: blob: https:; "
        f"media-src 'self' blob:; connect-src 'self'{sockets}; manifest-src 'self'; base-uri 'none'; "
        f"form-action 'self'; frame-ancestors {framing}"
    )


def locale_of(request: web.Request) -> str:
    return choose_locale(
        request.cookies.get(LOCALE_COOKIE),
        request.headers.get("Accept-Language"),
        request.app[WEB_FOLDER].locale,
    )


def render(request: web.Request, page: str, boot: dict[str, Any], *, status: int = 200, **more: Any) -> web.Response:
    """An answer of `web/<page>/index.html`."""
    nonce, locale = secrets.token_urlsafe(18), locale_of(request)
    folder = request.app[WEB_FOLDER]
    texts = folder.texts.of(locale, page)
    root = public_path(request, "")
    body = folder.templates.get_template(f"{page}/index.html").render(
        asset=lambda path: root + folder.assets.address(path),
        root=root,
        nonce=nonce,
        locale=locale,
        t=texts.__getitem__,
        texts=texts,
        locales=LOCALES,
        word_files=lambda name: [f"locales/{name}/{file}.json" for file in words_of(page)],
        boot={"page": page, "locale": locale, **boot},
        status=status,
        **{"show": None, **more},
    )
    ancestors = request.app[SITE].settings.frame_ancestors if page in FRAMED else ()
    headers = {
        "Content-Security-Policy": page_policy(nonce, request.host, ancestors),
        "Permissions-Policy": PERMISSIONS,
        "Vary": "Cookie, Accept-Language, Accept-Encoding",
    }
    content = body.encode()
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        # Here and now: 22 kB take half a millisecond, less than the way to a thread and back.
        content = gzip.compress(content, GZIP_LEVEL, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=content, status=status, content_type="text/html", charset="utf-8", headers=headers)


async def error_page(request: web.Request, error: LiveCommerceError) -> web.Response:
    """A refusal as a page; a login that is missing leads to the login page instead."""
    if isinstance(error, LoginNeeded):
        return to_login(request)
    answer = render(request, "error", {}, status=error.http_status, reason=error.text)
    if error.retry_after_ms is not None:
        answer.headers["Retry-After"] = str(max(1, error.retry_after_ms // 1000))
    return answer


def to_login(request: web.Request) -> web.Response:
    headers = {"Location": public_path(request, f"/login?next={quote(request.path, safe='/')}")}
    return web.Response(status=HTTPStatus.SEE_OTHER, headers=headers)


def page_urls(request: web.Request, show: str) -> dict[str, str]:
    media = {kind: public_path(request, f"/{kind}/{show}") for kind in ("whep", "whip")}
    ice = (
        {"ice": public_path(request, f"/api/shows/{show}/ice-servers")} if request.app[MEDIA].ice_needs_renewal else {}
    )
    return {**ice, **media, "watch": f"{public_base(request)}/live/{show}"}


async def get_home(request: web.Request) -> web.Response:
    """`/` and `/studio`: the shop's shows; the login for everyone else."""
    staff = (await identify(request)).staff
    if staff is None:
        return to_login(request) if request.path != "/" else render(request, "login", {"next": "/"})
    boot = {
        "staff": await staff_shape(request.app[ACCOUNTS].accounts, staff),
        "shows": await list_shape(request.app[SHOWS], staff.shop),
        "products": await products_shape(request.app[CATALOGUE].catalogue, staff.shop),
        "left": await left_shape(request.app[SHOWS], staff.shop),
    }
    return render(request, "shop", boot)


async def get_login(request: web.Request) -> web.Response:
    asked = request.query.get("next", "/")
    return render(request, "login", {"next": asked if _NEXT.fullmatch(asked) else "/"})


async def _now_or_kept(request: web.Request, show: str) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """(snapshot, its `show` map); while the live store is away (no snapshot, the map as the show was set up).

    A viewer who reloads in those seconds gets the page, whose socket comes back by itself, not an error.

    Raises:
        ShowUnknown
    """
    try:
        snapshot = await patiently(request.app[SHOWS].snapshots.get(show), PATIENCE_SECONDS)
        return snapshot, snapshot["show"]
    except Exception as error:
        is_stalled = isinstance(error, TimeoutError)  # as if it were away
        if not is_stalled and not isinstance(as_known(error), Unavailable):
            raise
    record = await request.app[SHOWS].setups.get(show)
    if record is None:
        raise ShowUnknown
    shop = await request.app[SHOWS].shops.get(record.shop)
    return None, {
        "id": record.id,
        "title": record.title,
        "shop": record.shop,
        "shop_name": shop.name if shop else record.shop,
        "stage": "scheduled",
        "started_ms": 0,
        "currency": record.currency,
        "locale": shop.locale if shop else request.app[WEB_FOLDER].locale,
        "hold_seconds": record.hold_seconds,
    }


async def _first_visit(request: web.Request) -> Visit:
    """
    Raises:
        NewViewersTooMany
    """
    try:
        return await patiently(request.app[ACCOUNTS].accounts.new_visit(address_of(request)), PATIENCE_SECONDS)
    except TimeoutError:
        return request.app[ACCOUNTS].accounts.uncounted_visit()
    except Exception as error:
        if not isinstance(as_known(error), Unavailable):
            raise
        # The store that counts is away: the page is served, and its socket is refused until the store is back.
        return request.app[ACCOUNTS].accounts.uncounted_visit()


async def get_watch(request: web.Request) -> web.Response:
    """The watch page; gives the viewer an identity on the first visit."""
    accounts, show = request.app[ACCOUNTS].accounts, request.match_info["show"]
    snapshot, head = await _now_or_kept(request, show)
    # The cookie is enough here: the session store may be away.
    known = accounts.visit_of(request.cookies.get(viewers.COOKIE))
    visit = known or await _first_visit(request)
    urls = page_urls(request, show)
    if head["stage"] == "ended" and await request.app[RECORDINGS].has_replay(show):
        urls["replay"] = public_path(request, f"/replay/{show}")
    # A first visit gets no TURN credentials with the page: it asks for them by its cookie when it connects.
    ice_servers = request.app[MEDIA].ice_servers(visit.viewer if known and head["stage"] == "live" else None)
    boot: dict[str, Any] = {"snapshot": snapshot, "ice_servers": ice_servers, "urls": urls}
    if known is None:
        boot["pass"] = accounts.viewer_pass(visit, show)  # for browsers that will not keep the cookie
    answer = render(request, "watch", boot, show=head)
    if known is None:
        answer.set_cookie(
            viewers.COOKIE,
            accounts.viewer_cookie(visit),
            max_age=viewers.COOKIE_SECONDS,
            path="/",
            httponly=True,
            samesite="Lax",
            secure=is_https(request),
        )
    return answer


async def _desk(request: web.Request, page: str) -> web.Response:
    needs, staff = request.app[SHOWS], await need_staff(request)
    record = await needs.setups.own(staff.shop, request.match_info["show"])
    snapshot = await needs.snapshots.get(record.id)
    boot: dict[str, Any] = {
        "staff": await staff_shape(request.app[ACCOUNTS].accounts, staff),
        "urls": page_urls(request, record.id),
    }
    if page == "studio":
        media = request.app[MEDIA]
        boot["ice_servers"] = media.ice_servers(staff.id)
        boot["publish"] = {"simulcast": media.settings.simulcast, "max_kbps": media.settings.bitrate_max_kbps}
        boot["products"] = await products_shape(request.app[CATALOGUE].catalogue, staff.shop)
        boot["left"] = await left_shape(needs, record.shop)
    return render(request, page, boot, show=snapshot["show"])


async def get_studio(request: web.Request) -> web.Response:
    return await _desk(request, "studio")


async def get_control(request: web.Request) -> web.Response:
    return await _desk(request, "control")


_SHOW = "{show:[a-z0-9-]{1,40}}"
routes: list[web.RouteDef] = [
    web.get("/", get_home),
    web.get("/studio", get_home),
    web.get("/login", get_login),
    web.get(f"/live/{_SHOW}", get_watch),
    web.get(f"/studio/{_SHOW}", get_studio),
    web.get(f"/control/{_SHOW}", get_control),
]
