"""What every request meets: where it comes from, how large it is, what a fault is allowed to tell."""

from __future__ import annotations

import gzip
import json
import logging
import socket
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from livecommerce.catalogue.catalogue import Catalogue
from livecommerce.configuration.tree import load
from livecommerce.ops.ports import free_row
from livecommerce.roles.web import _listening
from tests.site import MUG, PASSWORD, Site

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
        assert await Catalogue(site.database).products("lingling") == []


async def test_another_site_cannot_log_a_person_in(site: Site) -> None:
    assert await site.refused("POST", "/api/login", LOGIN, headers={"Origin": "https://evil.example"}) == (403, 2040)


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
        patch.setattr(type(site.accounts.sessions), "at", broken)
        answer = await site.client.get("/api/me", headers={"Cookie": "lc_staff=" + "x" * 43})
    text = await answer.text()
    assert answer.status == 500
    assert json.loads(text)["error"]["number"] == 6000
    assert "secret detail" not in text


async def test_headers_keep_browsers_strict(site: Site) -> None:
    answer = await site.client.get("/api/me")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Server"] == "livecommerce"
    assert "Strict-Transport-Security" not in answer.headers


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


BOMB = gzip.compress(bytes(1_000_000_000 // 100), 9)  # 10 kB that become 10 MB


@pytest.mark.parametrize("path", ["/api/login", "/api/shows", "/nowhere", "/whep/demo", "/socket.io/?EIO=4"])
async def test_what_is_packed_is_refused_before_anything_else(site: Site, path: str) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json", "Origin": site.origin}
    answer = await site.client.post(path, data=BOMB, headers=headers)
    assert (answer.status, (await answer.json())["error"]["number"]) == (415, 1046)


async def test_the_server_unpacks_no_body_whoever_reads_it(tmp_path: Path) -> None:
    """aiohttp's own unpacking came before any handler: a megabyte cost seconds, also after a 413."""
    read: list[bytes] = []

    async def take(request: web.Request) -> web.Response:
        read.append(await request.read())
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    port = free_row("127.0.0.1", [socket.SOCK_STREAM], [0])
    settings = load(environment={}, flags={"data_folder": str(tmp_path), "http": {"port": port}})
    async with _listening(app, settings), aiohttp.ClientSession() as session:
        headers = {"Content-Encoding": "gzip"}
        async with session.post(f"http://127.0.0.1:{port}/", data=BOMB, headers=headers) as answer:
            assert answer.status == 200
    assert read == [BOMB]
