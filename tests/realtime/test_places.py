"""Places in line move on, and pieces held and waiting are told apart, on every page alike."""

from __future__ import annotations

from typing import Any

from tests.realtime.world import Client, World


def ticket_of(client: Client, reservation: str) -> dict[str, Any]:
    """The ticket as a page has it now: the last one told, with the place told since."""
    own = [*client.snapshot["me"]["tickets"]]
    found: dict[str, Any] = {}
    for event in [*own, *(event for told in client.all("private") for event in told["ev"])]:
        if event.get("t") == "places" and reservation in event["places"]:
            found["position"] = event["places"][reservation]
        elif event.get("id") == reservation:
            found = dict(event)
    return found


async def stands(client: Client, reservation: str, **fields: Any) -> None:
    await client.until(lambda: ticket_of(client, reservation).items() >= fields.items())


async def test_who_waits_moves_up_when_those_ahead_leave(fast_world: World) -> None:
    host = await fast_world.connect(staff="host")
    await host.go_live()
    buyers = [await fast_world.connect(name) for name in ("anna", "ben", "cleo", "dora")]
    for buyer, text in zip(buyers, ("A01+5", "A01+1", "A01+1", "A01+1"), strict=True):
        await buyer.comment(text)
    anna, ben, cleo, dora = buyers
    await stands(dora, "A01#4", position=3)
    await ben.call("cancel", {"id": "cancel-0001", "reservation": "A01#2"})
    await stands(cleo, "A01#3", position=1)
    await stands(dora, "A01#4", position=2)
    await anna.call("cancel", {"id": "cancel-0002", "reservation": "A01#1"})
    await stands(cleo, "A01#3", state="offered", position=0, waiting=0, quantity=1)
    late = await fast_world.connect(staff="host")
    told = {one["id"]: (one["position"], one["quantity"], one["waiting"]) for one in late.snapshot["reservations"]}
    assert told["A01#4"] == (0, 1, 0)


async def test_a_claim_partly_filled_says_what_is_held_and_what_waits(fast_world: World) -> None:
    host = await fast_world.connect(staff="host")
    await host.go_live()
    anna, ben = await fast_world.connect("anna"), await fast_world.connect("ben")
    await anna.comment("A01+4")
    await ben.comment("A01+3")
    parts = {"quantity": 1, "waiting": 2, "position": 1, "price_minor": 590, "state": "held"}
    await stands(ben, "A01#2", **parts)
    (told,) = [event for event in host.events("ticket") if event["id"] == "A01#2"][-1:]
    assert told.items() >= parts.items()
    await anna.comment("A01-1")
    await stands(ben, "A01#2", quantity=2, waiting=1, position=1)


async def test_a_price_cut_reaches_who_holds_and_who_waits(fast_world: World) -> None:
    host = await fast_world.connect(staff="host")
    await host.go_live()
    anna, ben = await fast_world.connect("anna"), await fast_world.connect("ben")
    await anna.comment("A01+5")
    await ben.comment("A01+1")
    await stands(ben, "A01#2", waiting=1)
    claims = len(ben.events("claim"))
    assert (await host.command("price", code="A01", price_minor=490))["ok"]
    await stands(anna, "A01#1", price_minor=490, quantity=5)
    await stands(ben, "A01#2", price_minor=490, waiting=1, position=1)
    (item,) = [event["item"] for event in await ben.until(lambda: ben.events("item"))][-1:]
    assert (item["price_minor"], item["compare_at_minor"]) == (490, 590)
    assert len(ben.events("claim")) == claims, "nobody else hears of it"
    assert (await host.command("price", code="A01", price_minor=690))["ok"]
    await anna.until(lambda: anna.events("item") and anna.events("item")[-1]["item"]["price_minor"] == 690)
    cleo = await fast_world.connect("cleo")  # a claim is made at the price its sender is shown
    await cleo.comment("A01+1")
    await stands(cleo, "A01#3", price_minor=690)
    assert ticket_of(anna, "A01#1")["price_minor"] == 490, "a claim keeps its price when prices rise"
