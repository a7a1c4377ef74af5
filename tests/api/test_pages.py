"""The pages and their files: who sees which, under which policy, and how long a browser may keep it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from livecommerce.accounts import accounts
from livecommerce.accounts.viewers import COOKIE
from livecommerce.api.pages import page_policy
from tests.site import Site

HTML = {"Accept": "text/html,application/xhtml+xml"}


def boot_of(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="boot">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    boot: dict[str, Any] = json.loads(found[1])
    return boot


async def page(site: Site, path: str, **more: Any) -> tuple[int, str, Any]:
    answer = await site.client.get(path, headers={**HTML, **more}, allow_redirects=False)
    return answer.status, await answer.text(), answer


async def test_a_viewer_needs_no_account_and_keeps_one_identity(site: Site) -> None:
    await site.login()
    await site.make_show()
    site.leave()
    status, text, answer = await page(site, "/live/demo")
    assert status == 200
    boot = boot_of(text)
    assert (boot["page"], boot["snapshot"]["show"]["id"]) == ("watch", "demo")
    assert boot["urls"] == {
        "ice": "/api/shows/demo/ice-servers", "whep": "/whep/demo", "whip": "/whip/demo",
        "watch": f"{site.origin}/live/demo",
    }  # fmt: skip
    cookie = answer.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert len(boot["ice_servers"]) == 1, "no TURN for whoever asks once"
    visit = site.accounts.visit_of_pass(boot["pass"], "demo")
    assert visit == site.accounts.visit_of(cookie.value), "for a browser that will not keep the cookie"
    _, text, again = await page(site, "/live/demo")
    assert COOKIE not in again.cookies, "the same person"
    assert "pass" not in boot_of(text)
    site.leave()
    _, _, forged = await page(site, "/live/demo", Cookie=f"{COOKIE}=v1.someone-else.{'A' * 43}")
    assert forged.cookies[COOKIE].value.split(".")[1] != "someone-else"


async def test_identities_are_budgeted_by_network_and_who_has_one_is_not(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "NEW_VIEWERS_AT_ONCE", 3)
    monkeypatch.setattr(accounts, "NEW_VIEWERS_PER_MINUTE", 0.1)
    await site.login()
    await site.make_show()
    site.leave()

    async def visit(address: str) -> tuple[int, str]:
        status, text, _ = await page(site, "/live/demo", **{"X-Forwarded-For": address})
        return status, text

    for number in range(3):
        assert (await visit(f"2001:db8:1:2::{number}"))[0] == 200
        site.leave()
    status, text = await visit("2001:db8:1:2::99")
    assert (status, "pass" in text) == (429, False)
    assert (await visit("2001:db8:1:3::1"))[0] == 200
    assert (await visit("2001:db8:1:2::99"))[0] == 200, "with a cookie it is no new one"


async def test_every_page_has_its_own_nonce_and_runs_no_other_script(site: Site) -> None:
    await site.login()
    await site.make_show()
    nonces = set()
    for path in ("/", "/studio", "/login", "/live/demo", "/studio/demo", "/control/demo"):
        status, text, answer = await page(site, path)
        assert status == 200, path
        policy = answer.headers["Content-Security-Policy"]
        nonce = re.search(r"'nonce-([^']+)'", policy)
        assert nonce is not None
        nonces.add(nonce[1])
        scripts = re.findall(r"<script([^>]*)>", text)
        assert scripts
        for attributes in scripts:
            assert f'nonce="{nonce[1]}"' in attributes or 'type="application/json"' in attributes, (path, attributes)
        assert "unsafe" not in policy
        assert not re.search(r"\son[a-z]+=", re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)), path
        assert answer.headers["Cache-Control"] == "no-store"
    assert len(nonces) == 6


async def test_desks_ask_for_a_login_and_lead_back(site: Site) -> None:
    await site.login()
    await site.make_show()
    site.leave()
    for path in ("/studio", "/studio/demo", "/control/demo"):
        status, _, answer = await page(site, path)
        assert (status, answer.headers["Location"]) == (303, f"/login?next={path}")
    _, text, _ = await page(site, "/")
    assert boot_of(text)["page"] == "login"
    await site.login("rival")
    for path in ("/studio/demo", "/control/demo"):
        assert (await page(site, path))[0] == 404
    await site.login("mei")
    status, text, _ = await page(site, "/control/demo")
    assert (status, boot_of(text)["staff"]["role"]) == (200, "moderator")


@pytest.mark.parametrize(
    ("asked", "goes"),
    [
        ("/studio/demo", "/studio/demo"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/studio?x=1", "/"),
        ("", "/"),
    ],
)
async def test_after_the_login_nobody_is_sent_to_another_site(site: Site, asked: str, goes: str) -> None:
    answer = await site.client.get("/login", params={"next": asked}, headers=HTML)
    assert boot_of(await answer.text())["next"] == goes


async def test_an_unknown_show_is_a_page_for_people(site: Site) -> None:
    for path in ("/live/nowhere", "/live/No_Where", "/nothing"):
        status, text, answer = await page(site, path)
        assert (status, answer.content_type) == (404, "text/html")
        assert "404" in text


async def test_what_a_host_types_cannot_break_out_of_the_page(site: Site) -> None:
    await site.login()
    title = "</script><script>alert(1)</script>\"'>"
    await site.told("POST", "/api/shows", {"id": "quotes", "title": title})
    _, text, _ = await page(site, "/live/quotes")
    assert "<script>alert(1)" not in text
    assert boot_of(text)["snapshot"]["show"]["title"] == title


async def test_the_page_speaks_the_locale_it_was_asked_for(site: Site) -> None:
    for accepted, lang in (("en", 'lang="en"'), ("zh-TW", 'lang="zh-Hant"')):
        _, text, _ = await page(site, "/login", **{"Accept-Language": accepted})
        assert lang in text


def test_a_strange_host_header_cannot_write_the_policy() -> None:
    assert page_policy("n", "x").endswith("frame-ancestors 'none'")
    assert page_policy("n", "x", ("https://a.example", "https://b.example")).endswith(
        "frame-ancestors https://a.example https://b.example"
    )
    assert "evil" not in page_policy("n", "x; script-src evil")
    assert "ws://shop.example:8080 wss://shop.example:8080" in page_policy("n", "shop.example:8080")
