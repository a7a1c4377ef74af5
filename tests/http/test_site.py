"""Who may come in by a route's roles, and under which address people know the site."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from livecommerce.http.errors import LoginNeeded, RoleTooLow
from livecommerce.http.identity import ROLES, Identity, Role, Staff
from livecommerce.http.settings import Http
from livecommerce.http.site import SITE, Site, address_of, is_https, need_staff, public_base


class Peer:
    """A transport whose other end is a proxy of ours, or a stranger."""

    def __init__(self, address: str) -> None:
        self.address = address

    def get_extra_info(self, name: str, default: object = None) -> object:
        return (self.address, 1) if name == "peername" else default


def request_of(
    role: Role | None = None, *, peer: str = "203.0.113.7", public_url: str = "", **headers: str
) -> web.Request:
    async def identify(request: web.BaseRequest, /) -> Identity:
        staff = Staff("s1", "lingling", "mei", "小美", role) if role else None
        return Identity("a-viewer", staff, "203.0.113.7")

    def unasked(*_: Any, **__: Any) -> web.Response:
        raise AssertionError("no page is asked for")

    app = web.Application()
    app[SITE] = Site(Http(public_url=public_url, trusted_proxies=("127.0.0.1",)), identify, unasked, unasked)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return make_mocked_request("GET", "/", headers=named, app=app, transport=Peer(peer))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("needed", [(), ("owner",), ("owner", "host"), ROLES])
async def test_a_route_names_who_may(role: Role, needed: tuple[Role, ...]) -> None:
    request = request_of(role)
    if needed and role not in needed:
        with pytest.raises(RoleTooLow):
            await need_staff(request, *needed)
        return
    assert (await need_staff(request, *needed)).role == role


async def test_who_is_not_logged_in_is_told_so_before_any_role() -> None:
    with pytest.raises(LoginNeeded):
        await need_staff(request_of(), "owner")


FROM_PROXY = {"peer": "127.0.0.1", "X_Forwarded_Proto": "https", "X_Forwarded_For": "198.51.100.1"}
FROM_STRANGER = {**FROM_PROXY, "peer": "203.0.113.7"}


@pytest.mark.parametrize(
    ("came", "public_url", "base"),
    [
        ({}, "", "http://shop.example:8080"),
        (FROM_PROXY, "", "https://shop.example:8080"),
        (FROM_STRANGER, "", "http://shop.example:8080"),
        (FROM_STRANGER, "https://live.example.com/", "https://live.example.com"),
        ({}, "http://10.0.0.5:8080/some/path", "http://10.0.0.5:8080/some/path"),
    ],
)
def test_the_address_that_people_use(came: dict[str, str], public_url: str, base: str) -> None:
    assert public_base(request_of(public_url=public_url, Host="shop.example:8080", **came)) == base


@pytest.mark.parametrize(
    ("came", "https", "address"),
    [({}, False, "203.0.113.7"), (FROM_PROXY, True, "198.51.100.1"), (FROM_STRANGER, False, "203.0.113.7")],
)
def test_only_our_proxies_are_believed(came: dict[str, str], https: bool, address: str) -> None:
    request = request_of(**came)
    assert (is_https(request), address_of(request)) == (https, address)
