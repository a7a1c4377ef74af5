"""A kind's own test, to start from. Copy it to `tests/shows/test_<kind>.py`.

`STORIES` has one for each command of staff: what happens before, then the command. tests/shows/test_stories.py tries
them all: snapshot + events = next snapshot, sent again, taken back but for `WITHOUT_UNDO`. `RIGHTS` says who may give
them: `viewers`, `staff`, or `host` (the owner too); tests/api/test_rights_matrix.py asks as each of them.
"""

from __future__ import annotations

import asyncio

import pytest

from livecommerce.errors import NotFound
from livecommerce.shows.executor import Executor
from livecommerce.shows.projection import Projector
from livecommerce.shows.state import part
from livecommerce.shows.store import ShowStore
from tests.shows.world import KINDS, SHOW, give, speak

STORIES = {
    "goal": [{"do": "goal", "text": "100 件"}, {"do": "goal", "text": "200 件"}],
    "reach_goal": [{"do": "goal", "text": "100 件"}, {"do": "reach_goal"}],
}
WITHOUT_UNDO = {"reach_goal"}
RIGHTS = {"goal": "host", "reach_goal": "staff", "cheer": "viewers"}


async def test_each_viewer_cheers_once(store: ShowStore, executor: Executor) -> None:
    with pytest.raises(NotFound):
        await speak(store, "anna", "cheer")
    await give(executor, "goal", text="100 件")
    await asyncio.gather(*(speak(store, viewer, "cheer") for viewer in ("anna", "ben", "anna")))
    state = await store.load(SHOW)
    snapshot = KINDS.snapshot(state, Projector("salt"), 1)
    assert (snapshot["goal"], snapshot["cheers"]) == ("100 件", 2)


async def test_everyone_is_told_at_once_that_it_is_reached(store: ShowStore, executor: Executor) -> None:
    with pytest.raises(NotFound):
        await give(executor, "reach_goal")
    await give(executor, "goal", text="100 件")
    await give(executor, "reach_goal")
    assert part(await store.load(SHOW), "reached_ms") > 0
    assert "goal_reached" in KINDS.urgent


async def test_a_crowd_is_told_of_once_a_tick(store: ShowStore) -> None:
    events = [{"t": "cheer", "viewer": f"viewer-{number}", "at": 1} for number in range(30)]
    after = KINDS.fold(await store.load(SHOW), events)
    assert KINDS.project(Projector("salt"), events, after).public == [{"t": "cheers", "count": 30}]
