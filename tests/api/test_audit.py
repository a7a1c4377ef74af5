"""The trail knows who came and went, what was made and what left the house."""

from __future__ import annotations

from typing import Any

from livecommerce.accounts.routes import ACCOUNTS
from tests.site import MUG, PASSWORD, Site


async def trail(site: Site) -> list[dict[str, Any]]:
    """Oldest first, as the owner reads it."""
    await site.client.app[ACCOUNTS].failed_logins.settle()
    _, shape = await site.told("GET", "/api/audit")
    entries: list[dict[str, Any]] = shape["audit"]
    return entries[::-1]


async def test_the_trail_of_an_evening(site: Site) -> None:
    for _ in range(2):
        await site.refused("POST", "/api/login", {"login": "host", "password": "wrong password"})
    await site.refused("POST", "/api/login", {"login": "nobody-here", "password": "wrong password"})
    await site.login("host")
    await site.make_show()
    items = [{"code": "B02", "supply": 3}]
    assert (await site.told("PUT", "/api/shows/demo", {"items": items}))[0] == 200
    for kind in ("csv", "xlsx"):
        assert (await site.ask("GET", f"/api/shows/demo/orders.{kind}")).status == 200
    assert (await site.told("GET", "/api/shows/demo/reparse"))[0] == 200
    await site.told("POST", "/api/shows/demo/ingest-token", {})
    await site.told("POST", "/api/logout", {})
    await site.login("ling")
    told = [(entry["actor"], entry["do"], entry["subject"]) for entry in await trail(site)]
    products = [("host", "product_added", code) for code in ("A01", "B02")]
    assert told == [
        ("", "login_failed", "host"),
        ("", "login_failed", "host"),
        ("host", "logged_in", "host"),
        *products,
        ("host", "show_made", "demo"),
        ("host", "show_changed", "demo"),
        *[("host", "orders_exported", "demo")] * 2,
        ("host", "comments_read_again", "demo"),
        ("host", "ingest_token_made", "demo"),
        ("host", "logged_out", "host"),
        ("ling", "logged_in", "ling"),
    ]
    assert PASSWORD not in str(await trail(site))
    assert "wrong password" not in str(await trail(site))
    await site.login("rival")
    assert [entry["do"] for entry in await trail(site)] == ["logged_in"], "nothing of another shop"


async def test_a_flood_of_wrong_passwords_leaves_a_few_lines(site: Site, monkeypatch: Any) -> None:
    monkeypatch.setattr("livecommerce.accounts.failed_logins.NOTED", 2)
    for _ in range(4):
        await site.refused("POST", "/api/login", {"login": "host", "password": "wrong password"})
    await site.login("ling")
    assert [entry["do"] for entry in await trail(site)].count("login_failed") == 2


async def test_another_login_in_the_same_browser_takes_the_place_of_the_first(site: Site) -> None:
    await site.login("host")
    cookies = site.client.session.cookie_jar.filter_cookies(site.client.make_url("/"))
    before = cookies["lc_staff"].value
    await site.login("mei")
    assert await site.accounts.sessions.find(before) is None
    status, shape = await site.told("GET", "/api/me")
    assert (status, shape["staff"]["login"]) == (200, "mei")


async def test_a_login_that_ends_while_a_body_trickles_in_changes_nothing(site: Site) -> None:
    """The right is looked at when the whole request is here, not only when it began."""
    await site.login("host")
    token = site.client.session.cookie_jar.filter_cookies(site.client.make_url("/"))["lc_staff"].value

    async def slowly() -> Any:
        yield b'{"code": "B02", "names": ["mug"],'
        await site.accounts.set_disabled("host", True)
        yield b' "price_minor": 250}'

    headers = {"Content-Type": "application/json", "Origin": site.origin, "Cookie": f"lc_staff={token}"}
    answer = await site.client.post("/api/products", data=slowly(), headers=headers)
    assert (answer.status, (await answer.json())["error"]["number"]) == (401, 2001)
    await site.login("ling")
    assert await site.told("GET", "/api/products") == (200, {"products": []})
    assert (await site.ask("POST", "/api/products", MUG)).status == 201
