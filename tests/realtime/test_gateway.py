"""Who sits where: what a socket may do in the show it has joined, and what the gateway keeps of it."""

from __future__ import annotations

import asyncio

import pytest

from livecommerce.realtime.gateway import OWN_CLAIMS_MAX
from tests.realtime.world import SHOW, Client, World, new_id, setup


@pytest.fixture
async def host(fast_world: World) -> Client:
    host = await fast_world.connect(staff="host")
    await host.go_live()
    return host


async def test_staff_comments_are_never_orders(fast_world: World, host: Client) -> None:
    anna = await fast_world.connect("anna")
    assert (await host.comment("A01+1"))["reason"] == "staff"
    assert (await anna.event("chat"))["kind"] == "host"
    assert (await host.call("claim", {"id": new_id(), "code": "A01"}))["error"]["code"] == "not_allowed"
    assert (await fast_world.engine.counters("shop", ["A01"]))["A01"].held == 0


async def test_names_are_kept_with_the_show(fast_world: World, host: Client) -> None:
    anna, ben = await fast_world.connect("anna"), await fast_world.connect("ben")
    assert anna.snapshot["me"]["name"].startswith("guest-")
    assert (await anna.call("name", {"name": "  小  花 "}))["name"] == "小 花"
    await anna.comment("hello")
    assert (await ben.event("chat"))["name"] == "小 花"
    await anna.close()
    back = await fast_world.connect("anna")
    assert back.snapshot["me"]["name"] == "小 花"


async def test_the_name_that_the_page_remembers_is_tried_first(fast_world: World, host: Client) -> None:
    anna = await fast_world.connect("anna", name="Anna")
    await anna.call("name", {"name": "Annabel"})
    await host.until(lambda: fast_world.gateway.channels.get(SHOW).mirror.state["names"].get("anna") == "Annabel")
    names = [
        (await fast_world.connect("anna", **auth)).snapshot["me"]["name"]
        for auth in ({}, {"name": "Anne"}, {"name": "x" * 21}, {"name": 7}, {"name": ""})
    ]
    assert names == ["Annabel", "Anne", "Annabel", "Annabel", "Annabel"]
    await host.command("words", add=["badname"])
    await host.event("words")
    assert (await fast_world.connect("ben", name="badname")).snapshot["me"]["name"].startswith("guest-")
    assert (await anna.call("name", {"name": "badname"}))["error"]["code"] == "name_refused"


async def test_a_new_name_is_that_of_all_windows(fast_world: World) -> None:
    windows = [await fast_world.connect("anna") for _ in range(2)]
    await windows[0].call("name", {"name": "Anna"})
    await windows[1].comment("from the other one")
    assert (await windows[0].event("chat"))["name"] == "Anna"


async def test_sockets_of_two_shows_keep_to_their_own(fast_world: World, host: Client) -> None:
    await fast_world.store.create(setup("second"))
    anna, elsewhere = await fast_world.connect("anna"), await fast_world.connect("anna", show="second")
    claim = {"id": new_id(), "code": "B01", "quantity": 1}
    assert (await elsewhere.call("claim", claim))["reason"] == "not_live", "this show has not begun"
    assert (await anna.call("claim", claim))["reason"] == "reserved"
    assert [ticket["id"] for ticket in (await anna.call("tickets"))["tickets"]] == ["B01#1"]
    assert (await elsewhere.call("tickets"))["tickets"] == []
    seats = {seat.channel.show for seat in fast_world.gateway.seats.values() if seat.viewer.viewer == "anna"}
    assert seats == {SHOW, "second"}


async def test_who_leaves_gives_the_seat_and_the_show_back(world: World) -> None:
    anna, _ = await world.connect("anna"), await world.connect("ben")
    channels = world.gateway.channels
    assert channels._users == {SHOW: 2}
    await anna.close()
    async with asyncio.timeout(20):
        while len(world.gateway.seats) == 2:
            await asyncio.sleep(0.01)
    assert [seat.viewer.viewer for seat in world.gateway.seats.values()] == ["ben"]
    assert channels._users == {SHOW: 1}


async def test_a_page_lists_no_more_tickets_than_it_can_show(
    fast_world: World, host: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livecommerce.realtime.gateway.OWN_CLAIMS_MAX", 2)
    assert OWN_CLAIMS_MAX > 2
    anna = await fast_world.connect("anna")
    for _ in range(3):
        await anna.call("claim", {"id": new_id(), "code": "B01", "quantity": 1})
    channel = fast_world.gateway.channels.get(SHOW)
    (seat,) = [seat for seat in fast_world.gateway.seats.values() if seat.viewer.viewer == "anna"]
    assert len(await fast_world.gateway._own_records(seat)) == 2
    assert seat.channel is channel
