"""Two shows of one shop on air at once: what is counted where the pieces are, and what each show counts for itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from livecommerce.intake.errors import NetworkShareTaken
from livecommerce.intake.mirror import ShowMirror
from livecommerce.intake.speech import Press, Withdrawal
from livecommerce.shows.executor import Executor
from livecommerce.shows.model import ShowLimits, address_mark
from livecommerce.stock.operations import Restock
from tests.intake.demo_show import HOST, KINDS, SHOP, SHOW, Person, Stage, new_id, setup

OTHER = "other"


async def opened_beside(stage: Stage, **changes: Any) -> Stage:
    """A second show of the shop with the same products and nothing more supplied, live."""
    made = setup(OTHER, **changes)
    await stage.store.create(replace(made, items=tuple(replace(item, supply={}) for item in made.items)))
    start = KINDS.read_command({"id": new_id(), "do": "start"})
    await Executor(stage.store).execute(OTHER, start, HOST)
    beside = Stage(stage.store, await ShowMirror.opened(stage.store, OTHER), per_window=1_000)
    beside.path = stage.path
    return beside


def network_in(stage: Stage, address: str = "203.0.113.7") -> str:
    return address_mark(stage.mirror.state["network_salt"], address)


async def press(stage: Stage, viewer: str, code: str, quantity: int = 1, network: str = "") -> str:
    show = stage.mirror.state["show"]["id"]
    one = Press(show=show, speaker=Person(viewer, viewer), id=new_id(), code=code, quantity=quantity, network=network)
    try:
        return (await stage.path.claim(stage.mirror, one))["reason"]
    except NetworkShareTaken:
        return "share"


async def test_a_network_has_one_share_of_a_product_over_all_shows(stage: Stage) -> None:
    """Of forty pieces one address had twenty in each of two shows."""
    await stage.engine.submit(Restock(id=new_id(), shop=SHOP, show=SHOW, item="A01", quantity=35))
    beside = await opened_beside(stage)
    await stage.catch_up()
    assert network_in(stage) == network_in(beside), "one network is one in all shows of the shop"
    calls = [press(on, f"new-{n}", "A01", 5, network_in(on)) for n in range(8) for on in (stage, beside)]
    answers = await asyncio.gather(*calls)
    assert sorted(answers) == ["reserved"] * 4 + ["share"] * 12
    assert await press(beside, "elsewhere", "A01", 5, network_in(beside, "198.51.100.1")) == "reserved"


async def test_what_was_given_back_in_one_show_may_be_had_in_the_other(stage: Stage) -> None:
    beside = await opened_beside(stage)
    assert [await press(stage, f"new-{n}", "A01", 1, network_in(stage)) for n in range(5)] == ["reserved"] * 5
    assert await press(beside, "late", "A01", 1, network_in(beside)) == "share"
    (claim,) = await stage.engine.claims(SHOP, show=SHOW, viewer="new-0")
    gives = Withdrawal(show=SHOW, speaker=Person("new-0", ""), id=new_id(), reservation=claim.reservation)
    await stage.path.cancel(stage.mirror, gives)
    assert [await press(beside, f"late-{n}", "A01", 1, network_in(beside)) for n in range(2)] == ["reserved", "share"]


async def test_networks_of_another_shop_are_other_ones(stage: Stage) -> None:
    await stage.store.create(replace(setup("foreign"), shop="another-shop", items=()))
    foreign = await stage.store.load("foreign")
    assert foreign["network_salt"] != stage.mirror.state["network_salt"]
    assert foreign["network_salt"] != foreign["salt"]


async def test_a_show_of_before_goes_on_with_the_marks_that_it_has(stage: Stage, valkey: Redis) -> None:
    """Bans of a network are kept under them."""
    keys = await stage.store.keys_of(SHOW)
    await valkey.hdel(keys.state, "network_salt")
    state = await stage.store.load(SHOW)
    assert state["network_salt"] == state["salt"]


@pytest.mark.parametrize(
    ("limits", "restricted"),
    [({}, False), ({"per_item": 3}, False), ({"per_show": 3}, False), ({}, True)],
    ids=["of the product", "per_item", "per_show", "hold_max"],
)
async def test_a_limit_for_one_viewer_is_that_of_each_show(
    stage: Stage, limits: Mapping[str, int], restricted: bool
) -> None:
    """Documented so: a weekly show sells its three socks again. Many viewers at once are what the network's share is
    for."""
    beside = await opened_beside(stage, limits=ShowLimits(**limits))
    code = "B01" if not limits and not restricted else "A01"
    stage.mirror.state["show"]["limits"] |= limits
    if restricted:
        for one in (stage, beside):
            show = one.mirror.state["show"]["id"]
            fields = {"id": new_id(), "do": "restrict", "viewer": "anna", "hold_max": 3}
            await Executor(one.store).execute(show, KINDS.read_command(fields), HOST)
            one.mirror.load(await one.store.load(show))
    await stage.engine.submit(Restock(id=new_id(), shop=SHOP, show=SHOW, item=code, quantity=20))
    for one in (stage, beside):
        assert await press(one, "anna", code, 3) == "reserved"
        assert await press(one, "anna", code) == "over_limit"
