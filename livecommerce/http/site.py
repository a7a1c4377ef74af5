"""The site a request came to: who asks, its addresses as people see them, its pages. `SITE` is this room's one key.

The root says who answers: accounts for who asks, api for the pages; no room has to know them for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from aiohttp import web

from livecommerce.http.addresses import request_address, request_scheme
from livecommerce.http.errors import LoginNeeded, RoleTooLow
from livecommerce.http.identity import Identity, Role, Staff, StaffNow
from livecommerce.http.settings import Http


class Identify(Protocol):
    """Who sends a request. Asked twice about one request it gives the same answer, a new viewer's id included."""

    async def __call__(self, request: web.BaseRequest, /) -> Identity: ...


class Render(Protocol):
    """An answer of `web/<page>/index.html` with its `boot` (docs/pages.md)."""

    def __call__(
        self, request: web.Request, page: str, boot: dict[str, Any], *, status: int = 200, **more: Any
    ) -> web.Response: ...


@dataclass(frozen=True)
class Site:
    settings: Http
    identify: Identify
    staff_now: StaffNow
    render: Render


SITE: web.AppKey[Site] = web.AppKey("livecommerce.http.site", Site)
NEEDED: web.RequestKey[tuple[Role, ...]] = web.RequestKey("livecommerce.http.needed", tuple)


async def identify(request: web.Request) -> Identity:
    return await request.app[SITE].identify(request)


async def need_staff(request: web.Request, *roles: Role) -> Staff:
    """The logged-in person, with one of `roles` when given.

    Raises:
        LoginNeeded, RoleTooLow
    """
    staff = (await identify(request)).staff
    if staff is None:
        raise LoginNeeded
    if roles and staff.role not in roles:
        raise RoleTooLow
    request[NEEDED] = roles
    return staff


async def still_staff(request: web.Request) -> None:
    """For what takes time (a body that trickles in, an answer of many pages): asks again what `need_staff` asked.

    Raises:
        LoginNeeded, RoleTooLow
    """
    roles = request.get(NEEDED)
    if roles is None:
        return
    staff = await request.app[SITE].staff_now(await identify(request))
    if staff is None:
        raise LoginNeeded
    if roles and staff.role not in roles:
        raise RoleTooLow


def render(request: web.Request, page: str, boot: dict[str, Any], *, status: int = 200, **more: Any) -> web.Response:
    """A page of a room that is below the one that renders pages."""
    return request.app[SITE].render(request, page, boot, status=status, **more)


def address_of(request: web.Request) -> str:
    """Where it comes from. A login is counted by it, so this asks for no session: the store may be away."""
    return request_address(request, request.app[SITE].settings.trusted_proxies)


def is_https(request: web.Request) -> bool:
    return request_scheme(request, request.app[SITE].settings.trusted_proxies) == "https"


def public_base(request: web.Request) -> str:
    """`https://live.example.com`: the address people use, from the settings, else from the request."""
    settings = request.app[SITE].settings
    if settings.public_url:
        return settings.public_url.rstrip("/")
    return f"{request_scheme(request, settings.trusted_proxies)}://{request.host}"


def public_path(request: web.Request, path: str) -> str:
    """`path` of ours (`/live/demo`) as browsers must ask for it: below the path of the public address, if it has one.

    The proxy takes that prefix away again, so routes and cookies of ours never see it.
    """
    return urlsplit(request.app[SITE].settings.public_url).path.rstrip("/") + path
