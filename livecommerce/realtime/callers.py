"""Who opens sockets: by cookie, by the pass of a page whose browser keeps no cookies, and from which network."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from aiohttp import web
from msgspec import structs

from livecommerce.http.identity import Identity, StaffNow, Visit
from livecommerce.realtime.errors import CookieNeeded

Identify = Callable[[web.Request], Awaitable[Identity]]


def _peer(request: web.Request) -> str:
    return request.remote or ""


def _no_pass(_token: str, _show: str) -> Visit | None:
    return None


StaffNames = Callable[[str], Awaitable[Sequence[str]]]
"""The display names of a shop's staff."""


async def nobody(shop: str) -> Sequence[str]:
    return ()


class Who(NamedTuple):
    """Attributes:
    identify: who is behind a handshake request, from its cookies; asks the session store.
    staff_now: who stands behind that login at a later moment.
    staff_names: of a shop; viewers may not take them.
    address: where a request comes from; asks nobody, so that a full server can refuse at once.
    admit_pass: the visit that the page's pass (`auth.pass`) was made for, None for a wrong or old one.
    """

    identify: Identify
    staff_now: StaffNow
    staff_names: StaffNames = nobody
    address: Callable[[web.Request], str] = _peer
    admit_pass: Callable[[str, str], Visit | None] = _no_pass

    async def of(self, request: web.Request, show: str, token: object) -> Identity:
        """Who joins `show`. A browser without cookies is who its page's pass says."""
        identity = await self.identify(request)
        if identity.is_known or not isinstance(token, str):
            return identity
        visit = self.admit_pass(token, show)
        if visit is None:
            return identity
        return structs.replace(identity, viewer=visit.viewer, is_known=True)


def need_viewer(identity: Identity) -> None:
    """
    Raises:
        CookieNeeded: neither a cookie nor a pass: no page of ours was loaded, so this is nobody.
    """
    if not identity.viewer or not identity.is_known:
        raise CookieNeeded
