"""What a comment does, from the text to the answer: each row a viewer's line in a live show."""

from __future__ import annotations

from typing import Any

import pytest

from livecommerce.realtime.orders import choose
from livecommerce.shows.state import PIN_HISTORY_MS, pinned_for
from tests.realtime.world import Client, World, new_id, setup


@pytest.fixture
async def host(fast_world: World) -> Client:
    host = await fast_world.connect(staff="host")
    await host.go_live()
    return host


async def test_a_bare_plus_one_is_what_this_page_showed(fast_world: World, host: Client) -> None:
    anna = await fast_world.connect("anna")
    await host.command("pin", code="A01")
    first = (await anna.event("pin", code="A01"))["pin"]
    await host.command("pin", code="B01")
    second = (await anna.event("pin", code="B01"))["pin"]
    assert (await anna.comment("+1", pin=first))["lines"][0]["item"] == "A01"
    assert (await anna.comment("+1", pin=second))["lines"][0]["item"] == "B01"
    assert (await anna.comment("+1"))["lines"][0]["item"] == "B01"
    assert (await anna.comment("+1", pin="p999"))["lines"][0]["item"] == "B01"


def test_a_pin_counts_for_thirty_seconds_after_it_was_replaced() -> None:
    pins = [
        {"pin": "p1", "code": "A01", "at": 1_000, "media_timestamp": None},
        {"pin": "p2", "code": "B01", "at": 5_000, "media_timestamp": None},
        {"pin": "p3", "code": None, "at": 9_000, "media_timestamp": None},
    ]
    state: dict[str, Any] = {"pins": pins}
    assert pinned_for(state, "p1", 5_000 + PIN_HISTORY_MS) == "A01"
    assert pinned_for(state, "p1", 5_001 + PIN_HISTORY_MS) is None, "replaced too long ago, and nothing is pinned now"
    assert pinned_for(state, "p2", 9_500) == "B01"
    assert pinned_for(state, "p3", 9_500) is None
    assert pinned_for({"pins": pins[:2]}, None, 10**9) == "B01"
    assert pinned_for({"pins": []}, "p1", 0) is None


async def test_options_come_from_the_text_then_from_the_card(fast_world: World, host: Client) -> None:
    anna = await fast_world.connect("anna")
    await host.command("pin", code="A02")
    pin = (await anna.event("pin", code="A02"))["pin"]
    answer = await anna.comment("+1", pin=pin)
    assert (answer["reason"], answer["need"]["code"]) == ("need_options", "A02")
    assert answer["need"]["axes"] == ["顏色", "尺寸"]
    answer = await anna.comment("紅+1", pin=pin, options={"尺寸": "M", "顏色": "黑色"})
    assert answer["lines"][0]["item"] == "A02/紅色/M", "the text wins over the card"
    assert (answer["lines"][0]["label"], answer["lines"][0]["options"]) == ("A02 針織外套 紅色 M", ["紅色", "M"])
    answer = await anna.comment("+1", pin=pin, options={"顏色": "黑色", "尺寸": "L"})
    assert answer["lines"][0]["item"] == "A02/黑色/L"
    answer = await anna.comment("+1", pin=pin, options={"顏色": "金色", "尺寸": "L"})
    assert answer["need"]["axes"] == ["顏色"]
    await host.command("pin", code="A01")
    await anna.event("pin", code="A01")
    answer = await anna.comment("A02+1", options={"顏色": "黑色", "尺寸": "L"})
    assert answer["reason"] == "need_options", "the card of another product chooses nothing"


async def test_a_day_of_changing_ones_mind(fast_world: World, host: Client) -> None:
    anna = await fast_world.connect("anna")
    engine = fast_world.engine

    async def held() -> dict[str, int]:
        found = await engine.counters("shop", ["A01", "B01", "A02/紅色/M", "A02/黑色/L", "A02/紅色/L"])
        return {sku: counters.held for sku, counters in found.items() if counters.held}

    story = [
        ("A01+2", "reserved", {"A01": 2}),
        ("A01-1", "reduced", {"A01": 1}),
        ("A01改3", None, {"A01": 3}),
        ("A02 紅 M+1", "reserved", {"A01": 3, "A02/紅色/M": 1}),
        ("A02紅換黑", None, None),
        ("A01取消", "cancelled", None),
        ("B01-1", "reservation_unknown", None),
    ]
    for text, reason, expected in story:
        answer = await anna.comment(text)
        assert answer["ok"], (text, answer)
        assert reason is None or answer["reason"] == reason, (text, answer)
        if expected is not None:
            assert await held() == expected, text
    assert "A01" not in await held()


async def test_every_refusal_has_a_reason(fast_world: World, host: Client) -> None:
    anna, ben = await fast_world.connect("anna"), await fast_world.connect("ben")
    await host.command("settings", waitlist=False)
    await host.event("settings")
    assert (await anna.comment("A01+5"))["reason"] == "reserved"
    assert (await ben.comment("A01+1"))["reason"] == "sold_out"
    assert (await ben.comment("B01+4"))["reason"] == "over_limit"
    await host.command("close_item", code="B01")
    await ben.event("item")
    assert (await ben.comment("B01+1"))["reason"] == "sales_closed"
    assert (await ben.call("claim", {"id": new_id(), "code": "B01", "quantity": 1}))["reason"] == "sales_closed"
    assert (await ben.call("claim", {"id": new_id(), "code": "Z99", "quantity": 1}))["reason"] == "item_unknown"
    assert (await ben.comment("多少錢"))["verdict"] == "question"
    assert (await host.event("triage", text="多少錢"))["verdict"] == "question", "a person answers it"
    assert (await ben.comment("哈哈"))["verdict"] == "none"
    mine = await anna.call("tickets")
    stolen = await ben.call("cancel", {"id": new_id(), "reservation": mine["tickets"][0]["id"]})
    assert stolen["error"]["code"] == "not_yours"


async def test_before_the_show_and_after_it_nothing_is_sold(fast_world: World) -> None:
    host = await fast_world.connect(staff="host")
    anna = await fast_world.connect("anna")
    answer = await anna.comment("A01+1")
    assert (answer["verdict"], answer["reason"], answer["lines"]) == ("order", "not_live", [])
    await anna.event("chat", text="A01+1")
    await host.go_live()
    await host.command("end")
    await anna.event("stage", stage="ended")
    assert (await anna.comment("A01+1"))["error"]["code"] == "show_stage_wrong"


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


async def test_what_staff_may_ask(fast_world: World, host: Client) -> None:
    anna = await fast_world.connect("anna", name="Anna")
    await anna.comment("A01+1")
    await anna.comment("A99+1")
    await host.event("triage")
    await host.event("ticket")
    simulated = await host.call("ask", {"what": "simulate", "text": "A01+2"})
    assert (simulated["verdict"], simulated["intents"][0]["qty"]) == ("order", 2)
    assert (await fast_world.engine.counters("shop", ["A01"]))["A01"].held == 1
    buyer = await host.call("ask", {"what": "buyer", "viewer": "anna"})
    assert (buyer["name"], buyer["online"], len(buyer["tickets"]), len(buyer["chat"])) == ("Anna", True, 1, 2)
    found = await host.call("ask", {"what": "reservations", "query": "anna 帆布"})
    assert [ticket["id"] for ticket in found["reservations"]] == ["A01#1"]
    assert (await host.call("ask", {"what": "reservations", "query": "nobody"}))["total"] == 0
    assert [entry["do"] for entry in (await host.call("ask", {"what": "audit"}))["audit"]] == ["start"]
    presence = await host.call("ask", {"what": "presence"})
    assert (presence["now"], presence["peak"] >= 1) == (1, True)


def test_choose_takes_the_text_the_card_and_the_only_value() -> None:
    coat = setup().items[1].public()
    assert choose(coat, ["M", "紅色"], {}) == ("A02/紅色/M", [])
    assert choose(coat, ["M"], {"顏色": "黑色"}) == ("A02/黑色/M", [])
    assert choose(coat, [], {"顏色": "綠色"}) == (None, ["顏色", "尺寸"])
    one = {**coat, "options": [{"axis": "尺寸", "values": [{"value": "F", "short": []}]}]}
    assert choose(one, [], {}) == ("A02/F", [])
