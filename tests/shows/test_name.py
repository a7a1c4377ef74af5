"""Names of viewers: as many as the show keeps, alike in the store and in what is folded."""

from __future__ import annotations

from typing import Any

import pytest

from livecommerce.shows.executor import Executor
from livecommerce.shows.kinds import name as module
from livecommerce.shows.packing import pack
from livecommerce.shows.store import LIBRARY, ChatLine, ShowStore
from tests.shows.test_stories import checked
from tests.shows.world import SHOW, give


@pytest.fixture
async def full(store: ShowStore, monkeypatch: pytest.MonkeyPatch) -> ShowStore:
    """A show that keeps two names, and has them."""
    monkeypatch.setattr(module, "NAMES_MAX", 2)
    found = "local NAMES_MAX = 50000"
    assert found in LIBRARY
    await store.redis.function_load(LIBRARY.replace(found, "local NAMES_MAX = 2"), replace=True)
    for viewer in ("anna", "ben"):
        await store.name(SHOW, viewer, viewer.title())
    return store


def line(viewer: str, name: str, **more: Any) -> ChatLine:
    event = {"t": "chat", "id": f"line-of-{viewer}", "viewer": viewer, "name": name, "text": "hi", "at": 1} | more
    event["kind"] = "viewer"
    place = "held" if more.get("held") else "log"
    answer = pack({"viewer": viewer})
    return ChatLine(event["id"], viewer, "" if more else name, place, answer, pack(event), spoke=place == "log")


async def names(store: ShowStore) -> dict[str, str]:
    return (await store.load(SHOW))["names"]


async def test_whose_name_is_kept_may_change_it_though_the_show_is_full(full: ShowStore) -> None:
    await checked(full, full.name(SHOW, "anna", "Anna B."))
    await checked(full, full.append_chat(SHOW, line("ben", "Ben B.")))
    assert await names(full) == {"anna": "Anna B.", "ben": "Ben B."}


async def test_who_comes_after_the_last_name_is_a_guest_everywhere(full: ShowStore, executor: Executor) -> None:
    await checked(full, full.name(SHOW, "carl", "Carl"))
    await checked(full, full.append_chat(SHOW, line("dora", "Dora")))
    await checked(full, full.append_chat(SHOW, line("emil", "Emil", held=True)))
    await checked(full, give(executor, "unhide", comment="line-of-emil"))
    assert await names(full) == {"anna": "Anna", "ben": "Ben"}
