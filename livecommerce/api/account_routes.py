"""Login, logout, who am I."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from livecommerce.accounts import devices, sessions
from livecommerce.accounts.addresses import request_address
from livecommerce.api.bodies import json_answer, read_json, whole_number
from livecommerce.api.context import context_of
from livecommerce.api.links import is_https
from livecommerce.api.pages import staff_shape

LOGIN_BYTES_MAX = 4_000
AUDIT_FIELDS = ("id", "at_ms", "actor", "do", "subject", "details")


class LoginBody(Struct, frozen=True):
    login: Annotated[str, Meta(max_length=200)]
    password: Annotated[str, Meta(max_length=1000)]


async def post_login(request: web.Request) -> web.Response:
    context = context_of(request)
    body = await read_json(request, LoginBody, bytes_max=LOGIN_BYTES_MAX)
    address = request_address(request, context.settings.http.trusted_proxies)
    known = request.cookies.get(devices.COOKIE)
    staff, token = await context.accounts.login(body.login, body.password, address, known)
    answer = json_answer({"staff": await staff_shape(context, staff)})
    device = context.accounts.device_cookie(staff)
    for name, value, seconds, path in (
        (sessions.COOKIE, token, sessions.SESSION_SECONDS, "/"),
        (devices.COOKIE, device, devices.COOKIE_SECONDS, "/api/login"),
    ):
        answer.set_cookie(
            name, value, max_age=seconds, path=path, httponly=True, samesite="Lax", secure=is_https(request)
        )
    return answer


async def post_logout(request: web.Request) -> web.Response:
    await context_of(request).accounts.logout(request)
    answer = json_answer({})
    answer.del_cookie(sessions.COOKIE, path="/")
    return answer


async def get_me(request: web.Request) -> web.Response:
    """The logged-in person, or null: a page asks this to know whether it may show desk tools."""
    context = context_of(request)
    staff = (await context.accounts.identify(request)).staff
    return json_answer({"staff": await staff_shape(context, staff) if staff else None})


async def get_audit(request: web.Request) -> web.Response:
    """Who changed the shop, newest first; `?before=` the last id seen. For the owner."""
    context = context_of(request)
    staff = await context.accounts.need_staff(request, "owner")
    before = whole_number(request, "before", 0, 2**53)
    entries = await context.records.audit.newest(staff.shop, before or None)
    return json_answer({"audit": [{name: getattr(entry, name) for name in AUDIT_FIELDS} for entry in entries]})
