"""A show from the first socket to the last piece, over both parsers and both broadcast paths."""

from __future__ import annotations

import pytest

from tests.realtime.world import World


@pytest.mark.parametrize("serializer", ["json", "msgpack"])
async def test_a_comment_becomes_a_reservation_that_everyone_sees(world: World, serializer: str) -> None:
    host = await world.connect(staff="host")
    anna = await world.connect("anna", name="Anna", serializer=serializer)
    ben = await world.connect("ben", serializer=serializer)
    assert anna.snapshot["show"]["stage"] == "scheduled"
    assert [item["code"] for item in anna.snapshot["items"]] == ["A01", "A02", "B01"]
    assert anna.snapshot["stock"]["A01"] == [5, 0, 0, 0, 5]

    await host.go_live()
    assert (await host.command("pin", code="A01"))["outcome"]["code"] == "A01"
    pin = await anna.event("pin", code="A01")

    answer = await anna.comment("+2", pin=pin["pin"])
    assert (answer["ok"], answer["verdict"], answer["reason"]) == (True, "order", "reserved")
    assert answer["lines"][0]["item"] == "A01"
    assert (answer["lines"][0]["reserved"], answer["lines"][0]["number"]) == (2, 1)

    assert (await ben.event("stock"))["items"]["A01"] == [3, 2, 0, 0, 5]
    claim = await ben.event("claim")
    assert (claim["name"], claim["reserved"], claim["code"]) == ("Anna", 2, "A01")
    assert "viewer" not in claim
    assert "reservation" not in claim
    chat = await ben.event("chat")
    assert (chat["name"], chat["text"]) == ("Anna", "+2")
    ticket = await anna.until(lambda: anna.private("ticket"))
    assert (ticket[0]["id"], ticket[0]["state"], ticket[0]["quantity"]) == ("A01#1", "held", 2)
    assert ben.private("ticket") == []

    assert (await ben.comment("+4"))["reason"] == "partly"
    cancelled = await anna.call("cancel", {"id": "cancel-0001", "reservation": "A01#1"})
    assert (cancelled["ok"], cancelled["reason"]) == (True, "cancelled")
    for client in (host, anna, ben):
        client.chain()


async def test_who_joins_later_sees_the_numbers_beside_the_same_lines(fast_world: World) -> None:
    host = await fast_world.connect(staff="host")
    await host.go_live()
    anna = await fast_world.connect("anna")
    await anna.comment("A01+2")
    line = await anna.event("chat", text="A01+2")
    late = await fast_world.connect("ben")
    (mark,) = late.snapshot["marks"]
    assert mark == {
        "comment": line["id"], "by": line["by"], "sku": "A01", "number": 1, "state": "held", "quantity": 2,
        "waiting": 0,
    }  # fmt: skip
    await host.command("shadow", viewer=host.events("chat")[0]["viewer"])
    await host.event("buyer")
    hidden = await fast_world.connect("cleo")
    assert hidden.snapshot["marks"] == []
