"""Logging in over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.site import PASSWORD, Site


async def test_login_sets_a_cookie_that_scripts_cannot_read_and_logout_ends_it(site: Site) -> None:
    answer = await site.ask("POST", "/api/login", {"login": "Ling", "password": PASSWORD})
    assert (await answer.json())["staff"] == {
        "login": "ling", "name": "", "role": "owner", "shop": "lingling", "shop_name": "玲玲的小舖",
        "currency": "TWD",
    }  # fmt: skip
    cookie = answer.headers.getall("Set-Cookie")[0]
    assert cookie.startswith("lc_staff=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    token = answer.cookies["lc_staff"].value
    assert (await site.told("GET", "/api/me"))[1]["staff"]["login"] == "ling"
    await site.ask("POST", "/api/logout", {})
    assert await site.told("GET", "/api/me") == (200, {"staff": None})
    answer = await site.client.get("/api/me", headers={"Cookie": f"lc_staff={token}"})
    assert await answer.json() == {"staff": None}, "the session itself is gone, not only the cookie"


async def test_behind_https_the_cookie_is_secure(site: Site) -> None:
    headers = {"X-Forwarded-Proto": "https", "Origin": site.origin.replace("http:", "https:")}
    answer = await site.ask("POST", "/api/login", {"login": "ling", "password": PASSWORD}, headers=headers)
    assert "Secure" in answer.headers["Set-Cookie"].split("; ")
    assert answer.headers["Strict-Transport-Security"]


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"login": "ling", "password": "wrong"}, (401, 2002)),
        ({"login": "nobody", "password": PASSWORD}, (401, 2002)),
        ({"login": "ling"}, (400, 1000)),
        ({"login": 7, "password": PASSWORD}, (400, 1000)),
        ({"login": "x" * 201, "password": PASSWORD}, (400, 1000)),
        ([], (400, 1000)),
        ({"login": "ling", "password": "x" * 5000}, (413, 1040)),
    ],
)
async def test_logins_that_fail(site: Site, body: Any, refusal: tuple[int, int]) -> None:
    assert await site.refused("POST", "/api/login", body) == refusal


async def test_an_unknown_user_and_a_wrong_password_get_the_same_bytes(site: Site) -> None:
    wrong = await site.ask("POST", "/api/login", {"login": "ling", "password": "wrong password"})
    unknown = await site.ask("POST", "/api/login", {"login": "nobody", "password": "wrong password"})
    assert await wrong.read() == await unknown.read()
    drop = ("Date",)
    assert {k: v for k, v in wrong.headers.items() if k not in drop} == {
        k: v for k, v in unknown.headers.items() if k not in drop
    }


async def test_after_too_many_the_answer_says_when_to_come_back(site: Site) -> None:
    for _ in range(5):
        await site.ask("POST", "/api/login", {"login": "ling", "password": "wrong password"})
    answer = await site.ask("POST", "/api/login", {"login": "ling", "password": PASSWORD})
    error = (await answer.json())["error"]
    assert (answer.status, error["number"]) == (429, 5020)
    assert int(answer.headers["Retry-After"]) >= 1
    assert error["retry_after_ms"] > 0
