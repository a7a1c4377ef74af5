"""The HTML pages: Jinja2 templates of `web/`, each under its own CSP nonce. docs/pages.md names their context."""

from __future__ import annotations

import gzip
import re
import secrets
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from aiohttp import web

from livecommerce.accounts import viewers
from livecommerce.accounts.identity import Staff
from livecommerce.api import shows
from livecommerce.api.assets import ASSETS
from livecommerce.api.context import Context, context_of
from livecommerce.api.faults import as_known
from livecommerce.api.links import is_https, page_urls
from livecommerce.api.locales import COOKIE as LOCALE_COOKIE
from livecommerce.api.locales import TEXTS, choose_locale
from livecommerce.api.products import products_shape
from livecommerce.api.recordings import RECORDINGS
from livecommerce.api.streams import ice_servers_for
from livecommerce.errors import LiveCommerceError, LoginNeeded, ShowUnknown, Unavailable

TEMPLATES: web.AppKey[jinja2.Environment] = web.AppKey("livecommerce.api.templates", jinja2.Environment)
PERMISSIONS = "camera=(self), microphone=(self)"
GZIP_LEVEL = 4  # a page of 22 kB becomes 6 kB; higher levels save little more
_NEXT = re.compile(r"/(?!/)[A-Za-z0-9/_-]{0,200}")


def make_environment(web_folder: Path) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(web_folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        enable_async=False,
    )
    # Found by their folder, as the server's own are: a new file is a new kind.
    files = sorted((web_folder / "shared/kinds").glob("*.js"))
    environment.globals["kinds"] = [f"shared/kinds/{file.name}" for file in files]
    return environment


def page_policy(nonce: str, host: str) -> str:
    """The Content-Security-Policy of a page; `host` may hold only what a host may."""
    host = host if re.fullmatch(r"[A-Za-z0-9.\-:\[\]]{1,255}", host) else ""
    sockets = f" ws://{host} wss://{host}" if host else ""
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}' 'self'; style-src 'self'; img-src 'self' data: blob: https:; "
        f"media-src 'self' blob:; connect-src 'self'{sockets}; manifest-src 'self'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    )


def locale_of(request: web.Request) -> str:
    return choose_locale(
        request.cookies.get(LOCALE_COOKIE),
        request.headers.get("Accept-Language"),
        context_of(request).settings.locale,
    )


def render(request: web.Request, page: str, boot: dict[str, Any], *, status: int = 200, **more: Any) -> web.Response:
    """An answer of `web/<page>/index.html`."""
    nonce, locale = secrets.token_urlsafe(18), locale_of(request)
    texts = request.app[TEXTS]
    body = (
        request.app[TEMPLATES]
        .get_template(f"{page}/index.html")
        .render(
            asset=request.app[ASSETS].address,
            nonce=nonce,
            locale=locale,
            t=lambda key: texts.text(locale, key),
            texts=lambda *prefixes: texts.some(locale, prefixes),
            boot={"page": page, "locale": locale, **boot},
            status=status,
            **{"show": None, **more},
        )
    )
    headers = {
        "Content-Security-Policy": page_policy(nonce, request.host),
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
    headers = {"Location": f"/login?next={quote(request.path, safe='/')}"}
    return web.Response(status=HTTPStatus.SEE_OTHER, headers=headers)


async def staff_shape(context: Context, staff: Staff) -> dict[str, str]:
    shop = await context.records.shops.get(staff.shop)
    return {
        "login": staff.login,
        "name": staff.name,
        "role": staff.role,
        "shop": staff.shop,
        "shop_name": shop.name if shop else staff.shop,
    }


async def get_home(request: web.Request) -> web.Response:
    """`/` and `/studio`: the shop's shows; the login for everyone else."""
    context = context_of(request)
    staff = (await context.accounts.identify(request)).staff
    if staff is None:
        return to_login(request) if request.path != "/" else render(request, "login", {"next": "/"})
    boot = {
        "staff": await staff_shape(context, staff),
        "shows": await shows.list_shape(context, staff.shop),
        "products": await products_shape(context, staff.shop),
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
        snapshot = await shows.snapshot_of(request, show)
        return snapshot, snapshot["show"]
    except Exception as error:
        if not isinstance(as_known(error), Unavailable):
            raise
    context = context_of(request)
    record = await context.records.shows.get(show)
    if record is None:
        raise ShowUnknown
    shop = await context.records.shops.get(record.shop)
    return None, {
        "id": record.id,
        "title": record.title,
        "shop": record.shop,
        "shop_name": shop.name if shop else record.shop,
        "stage": "scheduled",
        "started_ms": 0,
        "currency": record.currency,
        "locale": shop.locale if shop else context.settings.locale,
        "hold_seconds": record.hold_seconds,
    }


async def get_watch(request: web.Request) -> web.Response:
    """The watch page; gives the viewer an identity on the first visit."""
    context = context_of(request)
    show = request.match_info["show"]
    snapshot, head = await _now_or_kept(request, show)
    known = context.accounts.viewer_of(request)  # a cookie is enough here: the session store may be away
    viewer = known or viewers.new_viewer()
    urls = page_urls(request, show)
    if head["stage"] == "ended" and await request.app[RECORDINGS].has_replay(show):
        urls["replay"] = f"/replay/{show}"
    boot = {"snapshot": snapshot, "ice_servers": ice_servers_for(context, viewer), "urls": urls}
    answer = render(request, "watch", boot, show=head)
    if known is None:
        answer.set_cookie(
            viewers.COOKIE,
            context.accounts.viewer_cookie(viewer),
            max_age=viewers.COOKIE_SECONDS,
            path="/",
            httponly=True,
            samesite="Lax",
            secure=is_https(request),
        )
    return answer


async def _desk(request: web.Request, page: str) -> web.Response:
    context = context_of(request)
    staff = await context.accounts.need_staff(request)
    record = await shows.own_show(context, staff, request.match_info["show"])
    snapshot = await shows.snapshot_of(request, record.id)
    boot: dict[str, Any] = {
        "staff": await staff_shape(context, staff),
        "urls": page_urls(request, record.id),
    }
    if page == "studio":
        media = context.settings.media
        boot["ice_servers"] = ice_servers_for(context, staff.id)
        boot["publish"] = {"simulcast": media.simulcast, "max_kbps": media.bitrate_max_kbps}
        boot["products"] = await products_shape(context, staff.shop)
    return render(request, page, boot, show=snapshot["show"])


async def get_studio(request: web.Request) -> web.Response:
    return await _desk(request, "studio")


async def get_control(request: web.Request) -> web.Response:
    return await _desk(request, "control")
