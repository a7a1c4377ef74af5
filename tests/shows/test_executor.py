"""The executor's one line: read, decide, through stock, commit; each command once, whoever is faster."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from livecommerce.errors import Conflict, IdReused, NotFound
from livecommerce.shows.errors import AdjustTooLow, PricesStand, ReservationUnknown, RoleTooLowForCommand
from livecommerce.shows.executor import Executor
from livecommerce.shows.store import ShowStore
from livecommerce.stock.operations import Line, Reserve, Restock
from tests.shows import tests_of_kinds
from tests.shows.world import KINDS, MODERATOR, OWNER, SHOP, SHOW, give, new_id


async def test_moderators_at_the_same_moment_all_get_through(store: ShowStore, executor: Executor) -> None:
    await asyncio.gather(*(give(executor, "mute", viewer=f"viewer-{number}") for number in range(6)))
    state = await store.load(SHOW)
    assert set(state["buyers"]) == {f"viewer-{number}" for number in range(6)}
    assert len(state["audit"]) == 6


HOST_ONLY = {"start", "end", "restock", "set_stock", "adjust", "price", "add_item", "remove_item"}
HOST_ONLY |= {command for command, row in tests_of_kinds.RIGHTS.items() if row == tests_of_kinds.WHO["host"]}


def test_only_the_owner_and_the_host_may_do_these() -> None:
    assert {name for name, command in KINDS.commands.items() if command.host_only} == HOST_ONLY


async def test_a_moderator_may_not_and_may_not_by_undoing_either(store: ShowStore, executor: Executor) -> None:
    with pytest.raises(RoleTooLowForCommand):
        await give(executor, "price", code="A01", price_minor=1, actor=MODERATOR)
    await give(executor, "price", code="A01", price_minor=1, id="price-one")
    with pytest.raises(RoleTooLowForCommand):
        await give(executor, "undo", command="price-one", actor=MODERATOR)
    assert (await store.load(SHOW))["items"]["A01"]["price_minor"] == 1


async def test_what_cannot_be_undone(executor: Executor) -> None:
    with pytest.raises(NotFound):
        await give(executor, "undo", command="never-was")
    await give(executor, "start", id="start-one")
    with pytest.raises(Conflict, match="start cannot be undone"):
        await give(executor, "undo", command="start-one")


async def test_undoing_twice_is_undoing_once(store: ShowStore, executor: Executor) -> None:
    await give(executor, "restock", sku="A01", quantity=7, id="restock-one")
    for _ in range(2):
        assert (await give(executor, "undo", command="restock-one"))["undone"] == "restock-one"
    assert (await store.load(SHOW))["stock"]["A01"][0] == 5


async def test_a_restock_is_taken_back_as_far_as_its_pieces_are_left(store: ShowStore, executor: Executor) -> None:
    """One piece that went to the line, and the whole undo was refused."""
    await give(executor, "start")
    await give(executor, "restock", sku="A01", quantity=7, id="restock-one")
    line = Line("A01", 9, 590, "TWD", "A01")
    await store.engine.submit(Reserve(new_id(), SHOP, SHOW, "anna", (line,), hold_seconds=60))
    for _ in range(2):
        undone = await give(executor, "undo", command="restock-one", id="undo-one")
        assert (undone["undone"], undone["left_out"]) == ("restock-one", 4)
        assert (await store.load(SHOW))["stock"]["A01"] == [0, 9, 0, 0, 9]
    await give(executor, "restock", sku="A01", quantity=2, id="restock-two")
    await store.engine.submit(Reserve(new_id(), SHOP, SHOW, "ben", (line,), hold_seconds=60, fill="any"))
    with pytest.raises(AdjustTooLow):  # nothing of it is left
        await give(executor, "undo", command="restock-two")


async def test_a_command_cut_off_behind_stock_is_completed_by_sending_it_again(
    store: ShowStore, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, cut = store.commit, True

    async def commit(*args: Any) -> Any:
        if cut:
            raise ConnectionResetError("the process dies here")
        return await real(*args)

    monkeypatch.setattr(store, "commit", commit)
    command = {"sku": "A01", "quantity": 7, "id": "restock-one"}
    with pytest.raises(ConnectionResetError):
        await give(executor, "restock", **command)
    cut = False
    assert (await give(executor, "restock", **command))["available"] == 12
    state = await store.load(SHOW)
    assert state["stock"]["A01"] == [12, 0, 0, 0, 12]
    assert [entry["id"] for entry in state["audit"]] == ["restock-one"]


async def test_the_trail_says_what_is_for_owner_and_host_to_take_back(store: ShowStore, executor: Executor) -> None:
    await give(executor, "restock", sku="A01", quantity=1)
    await give(executor, "say", text="hello")
    restock, said = (await store.load(SHOW))["audit"]
    assert (restock.get("host_only"), said.get("host_only")) == (True, None)


async def test_what_stock_refuses_is_said_and_leaves_no_trace(store: ShowStore, executor: Executor) -> None:
    with pytest.raises(ReservationUnknown):
        await give(executor, "cancel", reservation="A01#9")
    with pytest.raises(Conflict):
        await give(executor, "adjust", sku="A01", quantity=-6)
    await give(executor, "restock", sku="A01", quantity=1, id="restock-one")
    assert [entry["do"] for entry in (await store.load(SHOW))["audit"]] == ["restock"]


async def test_an_id_that_stock_knows_for_something_else(store: ShowStore, executor: Executor) -> None:
    pieces = Restock(id="restock-one", shop=SHOP, show=SHOW, item="A02/紅色/M", quantity=9)
    await store.engine.submit(pieces)
    with pytest.raises(IdReused):
        await give(executor, "restock", sku="A01", quantity=1, id="restock-one")
    assert (await store.load(SHOW))["stock"]["A01"][0] == 5


async def test_the_trail_leaves_out_what_is_long_or_private(store: ShowStore, executor: Executor) -> None:
    hat = {"code": "C01", "names": ["帽子"], "price_minor": 300, "supply": {"C01": 4}}
    await give(executor, "add_item", item=hat)
    await give(executor, "ban", viewer="anna", addresses=["mark1"])
    added, banned = (await store.load(SHOW))["audit"]
    assert (added["do"], added["about"], added["actor"]) == ("add_item", {}, OWNER.login)
    assert (banned["do"], banned["about"]) == ("ban", {"viewer": "anna"})


async def claim(executor: Executor, viewer: str, price: int, quantity: int = 1) -> str:
    line = Line("A01", quantity, price, "TWD", "A01")
    answer = await executor.store.engine.submit(Reserve(f"claim-of-{viewer}", SHOP, SHOW, viewer, (line,)))
    return answer.lines[0].reservation


async def prices(executor: Executor) -> dict[str, int]:
    return {one.viewer: one.unit_price_minor for one in await executor.store.engine.claims(SHOP, show=SHOW)}


async def test_a_slip_of_the_finger_is_taken_back_from_the_claims_that_it_lowered(executor: Executor) -> None:
    """990 typed as 129: who had it at 590 has it at 590 again, who took it at 129 was promised that."""
    for viewer in ("anna", "ben"):
        await claim(executor, viewer, 590, 2)
    await claim(executor, "waiting", 590, 5)
    for number in range(2):  # the same slip twice in an evening is taken back twice
        await give(executor, "price", code="A01", price_minor=129, id=f"slip-of-{number}")
        assert set((await prices(executor)).values()) == {129}
        if number == 0:
            await claim(executor, "carl", 129)
        await give(executor, "undo", command=f"slip-of-{number}")
        assert await prices(executor) == {"anna": 590, "ben": 590, "waiting": 590, "carl": 129}
    state = await executor.store.load(SHOW)
    assert state["items"]["A01"]["price_minor"] == 590


async def test_a_cut_between_is_not_taken_back_with_another(executor: Executor) -> None:
    await claim(executor, "anna", 590)
    await give(executor, "price", code="A01", price_minor=500, id="first-cut")
    await give(executor, "price", code="A01", price_minor=400, id="second-cut")
    await give(executor, "undo", command="first-cut")
    assert await prices(executor) == {"anna": 400}
    await give(executor, "undo", command="second-cut")
    assert await prices(executor) == {"anna": 500}


async def test_an_undo_that_died_half_way_is_finished_by_the_next(
    executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    await claim(executor, "anna", 590)
    await give(executor, "price", code="A01", price_minor=129, id="slip-of-1")

    async def dies(*_: object) -> None:
        raise RuntimeError("the process dies here")

    with monkeypatch.context() as patched:
        patched.setattr("livecommerce.shows.executor.restore_prices", dies)
        with pytest.raises(RuntimeError):
            await give(executor, "undo", command="slip-of-1")
    assert await prices(executor) == {"anna": 129}
    await give(executor, "undo", command="slip-of-1")
    assert await prices(executor) == {"anna": 590}


async def test_after_the_end_prices_stand_but_a_slip_is_still_taken_back(executor: Executor) -> None:
    await give(executor, "start")
    await claim(executor, "anna", 590)
    await give(executor, "price", code="A01", price_minor=129, id="slip-of-1")
    await give(executor, "end")
    with pytest.raises(PricesStand):
        await give(executor, "price", code="A01", price_minor=100)
    await give(executor, "undo", command="slip-of-1")
    assert await prices(executor) == {"anna": 590}
