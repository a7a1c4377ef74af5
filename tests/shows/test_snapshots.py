"""A thousand people who open the page in one second cost a handful of reads, and one who leaves spoils nothing."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from livecommerce.errors import ShowUnknown
from livecommerce.shows import snapshots
from livecommerce.shows.snapshots import Snapshots
from livecommerce.shows.store import ShowStore
from tests.site import Site


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Counts reads of the store, and makes each take a moment."""
    asked: list[str] = []
    load = ShowStore.load

    async def counted(self: ShowStore, show: str, **more: Any) -> Any:
        asked.append(show)
        await asyncio.sleep(0.02)
        return await load(self, show, **more)

    monkeypatch.setattr(ShowStore, "load", counted)
    return asked


async def nobody(show: str) -> int:
    return 7


async def test_who_asks_at_once_shares_one_read(site: Site, reads: list[str]) -> None:
    await site.login()
    await site.make_show()
    kept = Snapshots(site.shows, nobody)
    reads.clear()
    found = await asyncio.gather(*(kept.get("demo") for _ in range(100)))
    assert reads == ["demo"]
    assert all(snapshot is found[0] for snapshot in found)
    assert found[0]["viewers"] == 7


async def test_a_moment_later_it_is_read_again(site: Site, reads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "KEPT_SECONDS", 0.05)
    await site.login()
    await site.make_show()
    kept = Snapshots(site.shows, nobody)
    reads.clear()
    await kept.get("demo")
    await asyncio.sleep(0.06)
    await kept.get("demo")
    assert reads == ["demo", "demo"]


async def test_one_who_leaves_does_not_end_the_read_of_the_others(site: Site, reads: list[str]) -> None:
    await site.login()
    await site.make_show()
    kept = Snapshots(site.shows, nobody)
    reads.clear()
    first, second = asyncio.create_task(kept.get("demo")), asyncio.create_task(kept.get("demo"))
    await asyncio.sleep(0.005)
    first.cancel()
    assert (await second)["show"]["id"] == "demo"
    assert reads == ["demo"]


async def test_unknown_shows_do_not_pile_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "SHOWS_MAX", 3)
    kept = Snapshots(site.shows, nobody)
    for number in range(10):
        with pytest.raises(ShowUnknown):
            await kept.get(f"nowhere-{number}")
    assert len(kept._kept) <= 3


async def test_a_read_that_fails_after_all_have_left_is_told_to_nobody(site: Site, reads: list[str]) -> None:
    """Pages of made-up shows that ran out of patience left a traceback each in the log."""
    told: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(context))
    kept = Snapshots(site.shows, nobody)
    asked = asyncio.create_task(kept.get("no-such-show"))
    await asyncio.sleep(0)
    asked.cancel()
    read = kept._kept.pop("no-such-show")[1]
    await asyncio.wait([read, asked])
    del read, asked
    gc.collect()
    await asyncio.sleep(0)
    loop.set_exception_handler(None)
    assert told == []
