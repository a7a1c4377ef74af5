"""One press on what new viewers of one network have taken, and back."""

from __future__ import annotations

from typing import Any

import pytest

from livecommerce.errors import NotFound, TooMuch
from livecommerce.shows.executor import Executor
from livecommerce.shows.kinds.newcomers import noted
from livecommerce.shows.moderation import held_newcomer, network_refusal
from livecommerce.shows.store import ShowStore
from livecommerce.stock.operations import Line, Reserve
from tests.shows.world import MODERATOR, SHOP, SHOW, give

NETWORK, OTHER = "a" * 20, "b" * 20


async def taken(store: ShowStore, viewers: dict[str, str], quantity: int) -> list[dict[str, Any]]:
    """Viewers (id to network, "" for a known one) who hold pieces of B01 each; their claims as the page has them."""
    claims: list[dict[str, Any]] = []
    for viewer, network in viewers.items():
        if network:
            arrival = noted(viewer, network, 1)
            await store.publish(SHOW, arrival.events, arrival.writes)
        line = Line("B01", quantity, 100, "TWD", "B01")
        answer = await store.engine.submit(Reserve(f"first-{viewer}", SHOP, SHOW, viewer, (line,)))
        reservation = answer.lines[0].reservation
        claims.append({"reservation": reservation, "viewer": viewer, "sku": "B01", "quantity": quantity})
    return claims


async def held(store: ShowStore) -> int:
    return (await store.engine.counters(SHOP, ["B01"]))["B01"].held


async def test_one_press_gives_back_a_group_and_leaves_everybody_else(store: ShowStore, executor: Executor) -> None:
    viewers = {f"new-{n}": NETWORK for n in range(9)} | {"elsewhere": OTHER, "regular": ""}
    claims = await taken(store, viewers, 2)
    outcome = await give(executor, "release_group", actor=MODERATOR, network=NETWORK, claims=claims)
    assert (outcome["claims"], outcome["pieces"]) == (9, 18)
    assert await held(store) == 4
    undone = await give(executor, "undo", actor=MODERATOR, command=outcome["id"])
    assert undone["undone"] == outcome["id"]
    assert await held(store) == 22


async def test_one_press_bans_a_group_and_undo_lifts_only_that(store: ShowStore, executor: Executor) -> None:
    await taken(store, {"new-1": NETWORK, "new-2": NETWORK, "elsewhere": OTHER}, 1)
    await give(executor, "ban", viewer="new-1")
    outcome = await give(executor, "ban_group", actor=MODERATOR, network=NETWORK)
    assert outcome["banned"] == 1
    banned = {viewer for viewer, record in (await store.load(SHOW))["buyers"].items() if record["banned"]}
    assert banned == {"new-1", "new-2"}
    state = await store.load(SHOW)
    assert state["addresses"] == {NETWORK: "new-2"}
    assert network_refusal(state, "honest", NETWORK, state["now"]) is None, "newcomers of a phone network still come in"
    assert held_newcomer(state, "honest", NETWORK, state["now"]), "their first lines wait"
    await give(executor, "undo", actor=MODERATOR, command=outcome["id"])
    state = await store.load(SHOW)
    assert set(state["buyers"]) == {"new-1"}
    assert state["addresses"] == {}


async def test_a_network_that_is_none_of_these_is_said(store: ShowStore, executor: Executor) -> None:
    claims = await taken(store, {"regular": ""}, 1)
    with pytest.raises(NotFound):
        await give(executor, "ban_group", network=NETWORK)
    with pytest.raises(NotFound):
        await give(executor, "release_group", network=NETWORK, claims=claims)
    assert await held(store) == 1


async def test_a_group_that_does_not_fit_is_refused_whole(
    store: ShowStore, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livecommerce.shows.kinds.newcomers.BUYERS_MAX", 2)
    await taken(store, {f"new-{n}": NETWORK for n in range(3)}, 1)
    with pytest.raises(TooMuch):
        await give(executor, "ban_group", actor=MODERATOR, network=NETWORK)
    assert not (await store.load(SHOW))["buyers"]
