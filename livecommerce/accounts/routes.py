"""Login, logout, who am I, who changed the shop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from livecommerce.accounts import devices, sessions, viewers
from livecommerce.accounts.accounts import Accounts
from livecommerce.accounts.errors import LoginWrong
from livecommerce.accounts.failed_logins import FailedLogins
from livecommerce.bounds import SAFE_INTEGER_MAX
from livecommerce.http.addresses import request_address
from livecommerce.http.answers import json_answer
from livecommerce.http.bodies import read_json, takes, whole_number
from livecommerce.http.identity import Identity, Staff
from livecommerce.http.site import Identify, address_of, identify, is_https, need_staff, public_path
from livecommerce.records.audit import AuditEntry, AuditRepository
from livecommerce.records.rows import now_ms

LOGIN_BYTES_MAX = 4_000
AUDIT_FIELDS = ("id", "at_ms", "actor", "do", "subject", "details")


@dataclass(frozen=True)
class AccountsNeeds:
    """What these routes need."""

    accounts: Accounts
    audit: AuditRepository
    failed_logins: FailedLogins


ACCOUNTS: web.AppKey[AccountsNeeds] = web.AppKey("livecommerce.accounts", AccountsNeeds)


_IDENTITY: web.RequestKey[Identity] = web.RequestKey("livecommerce.accounts.identity", Identity)


def identify_by(accounts: Accounts, trusted_proxies: tuple[str, ...]) -> Identify:
    """Who sends a request, by its cookies; a viewer without one gets a fresh id, nobody's yet."""

    async def identify(request: web.BaseRequest) -> Identity:
        # Kept with the request, so that asking twice gives the same new id and asks Valkey once.
        kept: Identity | None = request.get(_IDENTITY)
        if kept is None:
            visit = accounts.visit_of(request.cookies.get(viewers.COOKIE))
            session = sessions.key_of(request.cookies.get(sessions.COOKIE))
            kept = request[_IDENTITY] = Identity(
                viewer=visit.viewer if visit else viewers.new_viewer(),
                staff=await accounts.sessions.at(session),
                address=request_address(request, trusted_proxies),
                session=session,
                is_known=visit is not None,
            )
        return kept

    return identify


class LoginBody(Struct, frozen=True, forbid_unknown_fields=True):
    login: Annotated[str, Meta(max_length=200)]
    password: Annotated[str, Meta(max_length=1000)]


async def staff_shape(accounts: Accounts, staff: Staff) -> dict[str, str]:
    """The logged-in person as pages take them."""
    shop = await accounts.shops.get(staff.shop)
    return {
        "login": staff.login,
        "name": staff.name,
        "role": staff.role,
        "shop": staff.shop,
        "shop_name": shop.name if shop else staff.shop,
        "currency": shop.currency if shop else "",
    }


async def _note(request: web.Request, staff: Staff, do: str) -> None:
    audit, details = request.app[ACCOUNTS].audit, {"address": address_of(request)}
    await audit.add(AuditEntry(staff.shop, now_ms(), staff.login, do, staff.login, details))


async def post_login(request: web.Request) -> web.Response:
    accounts = request.app[ACCOUNTS].accounts
    body = await read_json(request, LoginBody, bytes_max=LOGIN_BYTES_MAX)
    known = request.cookies.get(devices.COOKIE)
    try:
        staff, token, device = await accounts.login(body.login, body.password, address_of(request), known)
    except LoginWrong:
        request.app[ACCOUNTS].failed_logins.note(body.login, address_of(request))
        raise
    await accounts.sessions.close(request.cookies.get(sessions.COOKIE))  # the login that this one takes the place of
    await _note(request, staff, "logged_in")
    answer = json_answer({"staff": await staff_shape(accounts, staff)})
    for name, value, seconds, path in (
        (sessions.COOKIE, token, sessions.SESSION_SECONDS, "/"),
        (devices.COOKIE, device, devices.COOKIE_SECONDS, public_path(request, "/api/login")),
    ):
        answer.set_cookie(
            name, value, max_age=seconds, path=path, httponly=True, samesite="Lax", secure=is_https(request)
        )
    return answer


async def post_logout(request: web.Request) -> web.Response:
    staff = await request.app[ACCOUNTS].accounts.sessions.close(request.cookies.get(sessions.COOKIE))
    if staff is not None:
        await _note(request, staff, "logged_out")
    answer = json_answer({})
    answer.del_cookie(sessions.COOKIE, path="/")
    return answer


async def get_me(request: web.Request) -> web.Response:
    """The logged-in person, or null: a page asks this to know whether it may show desk tools."""
    staff = (await identify(request)).staff
    return json_answer({"staff": await staff_shape(request.app[ACCOUNTS].accounts, staff) if staff else None})


@takes("before")
async def get_audit(request: web.Request) -> web.Response:
    """Who changed the shop, newest first; `?before=` the last id seen. For the owner."""
    staff = await need_staff(request, "owner")
    before = whole_number(request, "before", 0, SAFE_INTEGER_MAX)
    entries = await request.app[ACCOUNTS].audit.newest(staff.shop, before or None)
    return json_answer({"audit": [{name: getattr(entry, name) for name in AUDIT_FIELDS} for entry in entries]})


routes: list[web.RouteDef] = [
    web.post("/api/login", post_login),
    web.post("/api/logout", post_logout),
    web.get("/api/me", get_me),
    web.get("/api/audit", get_audit),
]
