"""What every request meets: where it comes from, how large it is, what a fault is allowed to tell."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from aiohttp import web
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from sqlalchemy.exc import OperationalError

from livecommerce.api import bodies
from livecommerce.api.access_log import logged_path
from livecommerce.api.faults import as_known
from tests.api.conftest import MUG, PASSWORD, Site

LOGIN = {"login": "ling", "password": PASSWORD}


@pytest.mark.parametrize(
    ("origin", "with_cookie", "status"),
    [
        ("own", True, 201),
        ("own over https", True, 201),
        (None, True, 403),
        ("https://evil.example", True, 403),
        ("null", True, 403),
        ("http://127.0.0.1:1", True, 403),
        ("own", False, 401),
        (None, False, 401),  # no cookie, no origin: a program
        ("https://evil.example", False, 403),
    ],
)
async def test_changes_are_only_taken_from_this_site(
    site: Site, origin: str | None, with_cookie: bool, status: int
) -> None:
    if with_cookie:
        await site.login()
    known = {"own": site.origin, "own over https": site.origin.replace("http:", "https:")}
    headers = {"Origin": known.get(origin, origin)} if origin else {}
    answer = await site.client.post("/api/products", json=MUG, headers=headers)
    assert answer.status == status
    if status == 403:
        assert (await answer.json())["error"]["number"] == 2040
        assert await site.context.catalogue.products("lingling") == []


async def test_another_site_cannot_log_a_person_in(site: Site) -> None:
    assert await site.refused("POST", "/api/login", LOGIN, headers={"Origin": "https://evil.example"}) == (403, 2040)


@pytest.mark.parametrize(
    ("body", "content_type", "refusal"),
    [
        (b"{}", "text/plain", (415, 1042)),
        (b"login=ling", "application/x-www-form-urlencoded", (415, 1042)),
        (b"", "application/json", (400, 1041)),
        (b"{", "application/json", (400, 1041)),
        (b'{"code": "\xff"}', "application/json", (400, 1041)),
        (b"[" * 100_000, "application/json", (400, 1000)),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "application/json", (400, 1041)),
        (b"[]", "application/json", (400, 1000)),
        (b"null", "application/json", (400, 1000)),
        (b" " * 1_000_001, "application/json", (413, 1040)),
        (b'{"code": "B02", "names": ["x"], "price_minor": 1e400}', "application/json", (400, 1000)),
    ],
)
async def test_bodies_that_cannot_be_read(site: Site, body: bytes, content_type: str, refusal: tuple[int, int]) -> None:
    await site.login()
    headers = {"Origin": site.origin, "Content-Type": content_type}
    answer = await site.client.post("/api/products", data=body, headers=headers)
    shape = await answer.json()
    assert (answer.status, shape["error"]["number"]) == refusal, shape


async def test_a_body_without_a_length_is_counted_while_it_comes(site: Site) -> None:
    await site.login()

    async def endless() -> Any:
        for _ in range(40):
            yield b" " * 50_000

    headers = {"Origin": site.origin, "Content-Type": "application/json"}
    answer = await site.client.post("/api/products", data=endless(), headers=headers)
    assert (answer.status, (await answer.json())["error"]["number"]) == (413, 1040)


async def test_a_body_that_never_ends_is_not_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS_MAX", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", site.client.port)
    writer.write(
        b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
    )
    head = await reader.readuntil(b"\r\n")
    assert b" 408 " in head
    writer.close()


@pytest.mark.parametrize(
    ("method", "path", "refusal"),
    [
        ("GET", "/api/nothing", (404, 3000)),
        ("GET", "/nothing", (404, 3000)),
        ("DELETE", "/api/login", (405, 1043)),
        ("GET", "/whip/demo", (405, 1043)),
        ("GET", "/api/shows/%00/snapshot", (404, 3000)),
        ("GET", "/api/shows/" + "a" * 41 + "/snapshot", (404, 3000)),
        ("GET", "/api/shows/..%2f..%2fetc/snapshot", (404, 3000)),
    ],
)
async def test_addresses_that_are_none(site: Site, method: str, path: str, refusal: tuple[int, int]) -> None:
    assert await site.refused(method, path) == refusal


async def test_a_fault_gets_a_number_and_keeps_its_secret(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    async def broken(_: object) -> None:
        raise RuntimeError("secret detail of the inside")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(site.context.accounts.sessions), "find", broken)
        answer = await site.client.get("/api/me", headers={"Cookie": "lc_staff=" + "x" * 43})
    text = await answer.text()
    assert answer.status == 500
    assert json.loads(text)["error"]["number"] == 6000
    assert "secret detail" not in text


@pytest.mark.parametrize(
    ("fault", "number"),
    [
        (RedisConnectionError("gone"), 6001),
        (ResponseError("OOM command not allowed"), 6002),
        (ResponseError("MISCONF disk is full"), 6002),
        (OperationalError("SELECT 1", {}, Exception("database is locked")), 6001),
        (web.HTTPNotFound(), 3000),
        (web.HTTPRequestEntityTooLarge(max_size=1, actual_size=2), 1040),
        (ResponseError("WRONGTYPE"), None),
        (KeyError("x"), None),
    ],
)
def test_faults_of_the_stores_have_names(fault: Exception, number: int | None) -> None:
    known = as_known(fault)
    assert (known.number if known else None) == number


async def test_headers_keep_browsers_strict(site: Site) -> None:
    answer = await site.client.get("/api/me")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Server"] == "livecommerce"
    assert "Strict-Transport-Security" not in answer.headers


def test_the_access_log_has_no_query_and_no_session() -> None:
    from aiohttp.test_utils import make_mocked_request

    for asked, logged in (
        ("/live/demo?token=abc", "/live/demo"),
        ("/whep/demo/Zm9vYmFy", "/whep/demo/*"),
        ("/whip/demo", "/whip/demo"),
        ("/" + "x" * 500, "/" + "x" * 119),
    ):
        assert logged_path(make_mocked_request("GET", asked)) == logged


async def test_no_password_and_no_token_reach_a_log(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await site.login()
        cookie = next(iter(site.client.session.cookie_jar)).value
        await site.ask("POST", "/api/login", {"login": "ling", "password": "a wrong password 123"})
        await site.make_show()
        _, shape = await site.told("POST", "/api/shows/demo/ingest-token", {})
        await site.ask("POST", "/whip/demo", headers={"Authorization": f"Bearer {shape['token']}"})
    for secret in (PASSWORD, "a wrong password 123", cookie, shape["token"]):
        assert secret not in caplog.text
