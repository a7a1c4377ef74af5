"""What staff may ask on the socket."""

from __future__ import annotations

from typing import Any

import pytest

from livecommerce.realtime import asks
from tests.realtime.world import Client, World, new_id


@pytest.fixture
async def host(fast_world: World) -> Client:
    host = await fast_world.connect(staff="host")
    await host.go_live()
    return host


async def test_what_staff_may_ask(fast_world: World, host: Client) -> None:
    anna = await fast_world.connect("anna", name="Anna")
    await anna.comment("A01+1")
    await anna.comment("A99+1")
    await host.event("triage")
    await host.event("ticket")
    simulated = await host.call("ask", {"what": "simulate", "text": "A01+2"})
    assert (simulated["verdict"], simulated["intents"][0]["qty"], simulated["heard"]) == ("order", 2, "")
    among = await host.call("ask", {"what": "simulate", "text": "總算等到這件了！A01+2，外面下大雨"})
    assert (among["verdict"], among["heard"]) == ("order", "A01+2"), "which words decided"
    assert (await fast_world.engine.counters("shop", ["A01"]))["A01"].held == 1
    buyer = await host.call("ask", {"what": "buyer", "viewer": "anna"})
    assert (buyer["name"], buyer["online"], len(buyer["tickets"]), len(buyer["chat"])) == ("Anna", True, 1, 2)
    found = await host.call("ask", {"what": "reservations", "query": "anna 帆布"})
    assert [ticket["id"] for ticket in found["reservations"]] == ["A01#1"]
    assert (await host.call("ask", {"what": "reservations", "query": "nobody"}))["total"] == 0
    assert [entry["do"] for entry in (await host.call("ask", {"what": "audit"}))["audit"]] == ["start"]
    presence = await host.call("ask", {"what": "presence"})
    assert (presence["now"], presence["peak"] >= 1) == (1, True)


async def test_a_comment_on_trial_is_read_with_the_pin_that_was_shown(fast_world: World, host: Client) -> None:
    for code in ("A01", "B01"):
        await host.command("pin", code=code)
        await host.event("pin", code=code)
    first, second = (event["pin"] for event in host.events("pin"))
    for pin, code in ((first, "A01"), (second, "B01"), (None, "B01")):
        answer = await host.call("ask", {"what": "simulate", "text": "+1", "pin": pin})
        assert [intent["code"] for intent in answer["intents"]] == [code]
    assert fast_world.gateway.channels.get("demo").mirror.last_chat_ms == {}, "nobody has spoken"


async def test_reservations_come_in_pages_the_newest_first(
    fast_world: World, host: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asks, "PAGE_MAX", 2)
    anna = await fast_world.connect("anna")
    for number in range(3):
        claim = {"id": new_id(), "code": "B01", "quantity": 1}
        assert (await anna.call("claim", claim))["lines"][0]["number"] == number + 1
    first = await host.call("ask", {"what": "reservations"})
    rest = await host.call("ask", {"what": "reservations", "start": 2})
    assert first["total"] == rest["total"] == 3
    assert sorted(ticket["number"] for ticket in [*first["reservations"], *rest["reservations"]]) == [1, 2, 3]
    assert len(rest["reservations"]) == 1


@pytest.mark.parametrize(
    "ask",
    [
        {},
        {"what": "everything"},
        {"what": 7},
        {"what": "simulate"},
        {"what": "simulate", "text": "x" * 201},
        {"what": "buyer"},
        {"what": "buyer", "viewer": ""},
        {"what": "buyer", "viewer": "x" * 65},
        {"what": "reservations", "start": -1},
        {"what": "reservations", "start": True},
        {"what": "reservations", "start": 1.0},
        {"what": "reservations", "query": 7},
        {"what": "reservations", "query": "x" * 101},
    ],
)
async def test_asks_that_are_refused(fast_world: World, host: Client, ask: dict[str, Any]) -> None:
    answer = await host.call("ask", ask)
    assert (answer["ok"], answer["error"]["number"] // 1000) == (False, 1), answer


async def test_viewers_may_not_ask(fast_world: World) -> None:
    anna = await fast_world.connect("anna")
    assert (await anna.call("ask", {"what": "presence"}))["error"]["code"] == "not_allowed"
