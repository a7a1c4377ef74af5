"""While Valkey is killed and comes back: pages still open, changes are refused with a number, nothing is half done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from livecommerce.accounts.accounts import Accounts
from livecommerce.api import pages
from livecommerce.ops.valkey import EmbeddedValkey
from livecommerce.shows.snapshots import Snapshots
from tests.api.test_pages import boot_of, page
from tests.site import PASSWORD, Site


@pytest.fixture
def own_server(tmp_path: Path) -> EmbeddedValkey:
    return EmbeddedValkey(tmp_path / "valkey")


@pytest.fixture
async def valkey(own_server: EmbeddedValkey) -> AsyncIterator[Redis]:
    """A server of this test's own, which it may kill."""
    own_server.start()
    client = Redis.from_url(own_server.url)
    yield client
    await client.aclose()
    own_server.stop()


async def test_the_watch_page_does_not_wait_for_a_store_that_stalls(
    site: Site, own_server: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    await site.login()
    await site.make_show()
    monkeypatch.setattr(pages, "PATIENCE_SECONDS", 0.05)

    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Snapshots, "get", never)
    monkeypatch.setattr(Accounts, "new_visit", never)
    status, text, _ = await page(site, "/live/demo")
    assert (status, boot_of(text)["snapshot"]) == (200, None)
    assert "週三夜場" in text


async def test_the_watch_page_opens_and_changes_wait(site: Site, own_server: EmbeddedValkey) -> None:
    await site.login()
    await site.make_show()
    own_server.stop()
    status, text, _ = await page(site, "/live/demo")
    assert (status, boot_of(text)["snapshot"]) == (200, None)
    assert "週三夜場" in text
    assert (await page(site, "/live/nowhere"))[0] == 404
    assert (await page(site, "/studio/demo"))[0] == 503
    for method, path, body in (
        ("GET", "/api/shows/demo/snapshot", None),
        ("POST", "/api/login", {"login": "ling", "password": PASSWORD}),
        ("POST", "/api/shows", {"title": "x"}),
        ("POST", "/api/shows/demo/commands", {"do": "start"}),
    ):
        answer = await site.ask(method, path, body)
        assert (answer.status, (await answer.json())["error"]["number"]) == (503, 6001), path
        assert int(answer.headers["Retry-After"]) >= 1

    own_server.start()
    status, snapshot = await site.told("GET", "/api/shows/demo/snapshot")
    assert (status, snapshot["stock"]["B02"]) == (200, [3, 0, 0, 0, 3])
    assert (await site.ask("POST", "/api/shows/demo/commands", {"do": "start"})).status == 200, "still logged in"
