"""Who may do what, over all rooms' routes."""

from __future__ import annotations

from tests.site import MUG, Site

NEEDS_LOGIN = [
    ("GET", "/api/products"), ("POST", "/api/products"), ("POST", "/api/products/check"), ("PUT", "/api/products/B02"),
    ("DELETE", "/api/products/B02"), ("GET", "/api/shows"), ("POST", "/api/shows"), ("GET", "/api/shows/demo"),
    ("PUT", "/api/shows/demo"), ("POST", "/api/shows/demo/commands"), ("POST", "/api/shows/demo/ingest-token"),
    ("DELETE", "/api/shows/demo/ingest-token"), ("GET", "/api/shows/demo/orders"),
    ("GET", "/api/shows/demo/orders.csv"), ("GET", "/api/orders/o-1"), ("POST", "/api/orders/o-1/payments"),
    ("POST", "/api/payments/p-1/paid"),
]  # fmt: skip


async def test_what_needs_a_login_says_so(site: Site) -> None:
    refusals = {await site.refused(method, path, {}) for method, path in NEEDS_LOGIN}
    assert refusals == {(401, 2001)}


async def test_a_moderator_reads_the_catalogue_and_changes_nothing(site: Site) -> None:
    await site.login("mei")
    assert await site.told("GET", "/api/products") == (200, {"products": []})
    for method, path in (("POST", "/api/products"), ("PUT", "/api/products/B02"), ("POST", "/api/shows")):
        assert await site.refused(method, path, MUG) == (403, 2020)


async def test_another_shop_sees_nothing_of_ours(site: Site) -> None:
    await site.login("ling")
    await site.make_show()
    await site.login("rival")
    assert await site.told("GET", "/api/products") == (200, {"products": []})
    assert await site.told("GET", "/api/shows") == (200, {"shows": []})
    for method, path in (
        ("GET", "/api/shows/demo"),
        ("PUT", "/api/shows/demo"),
        ("POST", "/api/shows/demo/commands"),
        ("POST", "/api/shows/demo/ingest-token"),
        ("GET", "/api/shows/demo/orders"),
        ("GET", "/api/shows/demo/orders.csv"),
    ):
        assert await site.refused(method, path, {"id": "x" * 8, "do": "start", "items": []}) == (404, 3001), path
    assert await site.refused("POST", "/api/shows", {"id": "demo", "title": "mine"}) == (409, 4040)
