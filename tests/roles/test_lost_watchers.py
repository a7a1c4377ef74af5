"""Who may not watch any more is let go where it watches: a dismissed moderator in a rehearsal, a banned viewer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from redis.asyncio import Redis

from livecommerce.accounts.rights import session_right
from livecommerce.media.ingest.source import Publisher
from livecommerce.media.plane import MediaPlane
from livecommerce.roles.relay import _keep_rights
from livecommerce.roles.stores import Stores
from livecommerce.shows.executor import Executor
from livecommerce.shows.store import ShowStore
from tests.media.test_plane import HOST, VIEWER, plane
from tests.shows.conftest import executor, store
from tests.shows.world import SHOW, give

__all__ = ["executor", "plane", "store"]

SESSION = "lc:session:mei"


@pytest.fixture
async def watched(plane: MediaPlane, store: ShowStore, valkey: Redis) -> AsyncIterator[MediaPlane]:
    """On air in the demo show; the relay looks after rights as it does in its role."""
    plane.publish(SHOW, HOST, Publisher("ling"))
    await valkey.set(SESSION, "mei")
    keeping = asyncio.create_task(_keep_rights(plane, Stores(valkey, store.engine, store)))
    yield plane
    assert not keeping.done(), keeping
    keeping.cancel()


def watch(plane: MediaPlane, watcher: str, right: str = "") -> Callable[[], str]:
    """Why it was let go, "" while it watches."""
    peer = plane.peers[plane.play(SHOW, VIEWER, watcher=watcher, right=right).session]
    return lambda: str(peer.close_reason or "")


async def until_gone(reason: Callable[[], str]) -> str:
    async with asyncio.timeout(10):
        while not reason():
            await asyncio.sleep(0.05)
    return reason()


async def test_a_login_that_ends_ends_what_was_watched_by_it(watched: MediaPlane, valkey: Redis) -> None:
    rehearsal = watch(watched, "mei", session_right(SESSION))
    other = watch(watched, "anna")
    await asyncio.sleep(1)
    assert (rehearsal(), other()) == ("", ""), "while it stands"
    await valkey.delete(SESSION)
    assert await until_gone(rehearsal) == "the right to watch has ended"
    assert other() == ""


async def test_a_banned_viewer_sees_nothing_more_on_any_of_its_pages(watched: MediaPlane, executor: Executor) -> None:
    pages = [watch(watched, "ben") for _ in range(2)]
    other = watch(watched, "anna")
    await give(executor, "ban", viewer="ben")
    assert [await until_gone(page) for page in pages] == ["banned"] * 2
    # It was let in on the way, while the ban was made: it is looked at too.
    assert await until_gone(watch(watched, "ben")) == "banned"
    await give(executor, "unban", viewer="ben")
    again = watch(watched, "ben")
    await asyncio.sleep(1)
    assert (again(), other()) == ("", "")
