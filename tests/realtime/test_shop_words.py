"""A shop's own words reach every process that has a show of the shop, and stay for its next show."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from redis.asyncio import Redis

from livecommerce.comments import ShopWords
from livecommerce.shows.shop_words import KeptWords
from tests.realtime.world import SHOP, Client, World, serving, setup


@pytest.fixture
async def host(fast_world: World) -> Client:
    host = await fast_world.connect(staff="host")
    await host.go_live()
    return host


async def reading(host: Client, text: str) -> tuple[str, list[str]]:
    """(verdict, codes) of a comment on trial."""
    answer = await host.call("ask", {"what": "simulate", "text": text})
    return answer["verdict"], [intent["code"] for intent in answer["intents"]]


async def becomes(host: Client, text: str, code: str) -> None:
    """Waits until a text orders a product: the doorbell has rung and the words are in use."""
    while await reading(host, text) != ("order", [code]):
        await asyncio.sleep(0.05)  # asked without a pause, the server would call it too fast


async def test_words_put_by_one_process_are_used_by_another_and_by_the_next_show(valkey: Redis) -> None:
    async with serving(valkey) as one, serving(valkey) as two:
        await one.store.create(setup("next-week"))
        here = await one.connect(staff="host", show="demo")
        there = await two.connect(staff="host", show="demo")
        assert await reading(there, "喊包 A01") == ("unclear", [])
        words = ShopWords(order=("喊包",), ignore=("玲玲姐",), look_alikes={"囗": "口"}, aliases={"毛毛": "B01"})
        assert await one.store.put_shop_words(SHOP, 0, KeptWords(1, words))
        for host in (here, there):
            await becomes(host, "喊包 A01", "A01")
            await becomes(host, "玲玲姐 毛毛+1", "B01")
        later = await two.connect(staff="host", show="next-week")
        assert await reading(later, "毛毛+2") == ("order", ["B01"])
        await one.store.put_shop_words(SHOP, 1, KeptWords(2))
        while (await reading(later, "毛毛+2"))[0] == "order":
            await asyncio.sleep(0.05)


async def test_who_has_not_seen_the_last_change_does_not_overwrite_it(fast_world: World) -> None:
    assert await fast_world.store.put_shop_words(SHOP, 0, KeptWords(1, ShopWords(order=("喊包",))))
    assert not await fast_world.store.put_shop_words(SHOP, 0, KeptWords(1, ShopWords(order=("喊袋",))))
    assert await fast_world.store.shop_words(SHOP) == KeptWords(1, ShopWords(order=("喊包",)))


async def test_an_accepted_correction_is_an_alias_of_the_shop(fast_world: World, host: Client) -> None:
    anna = await fast_world.connect("anna", name="Anna")
    first = str(uuid.uuid4())
    assert (await anna.call("comment", {"id": first, "text": "A99 毛毛球+1"}))["verdict"] == "unclear"
    await host.event("triage")
    accept = {"comment": first, "lines": [{"code": "B01", "quantity": 1}]}
    outcome = (await host.command("accept", **accept, remember="毛毛球"))["outcome"]
    assert (outcome["remembered"], outcome["alias"], outcome["code"]) == (True, "毛毛球", "B01")
    await becomes(host, "毛毛球+1", "B01")
    again = await anna.comment("毛毛球+1")
    assert (again["verdict"], again["lines"][0]["code"]) == ("order", "B01")
    await fast_world.store.create(setup("next-week"))
    later = await fast_world.connect(staff="host", show="next-week")
    assert await reading(later, "毛毛球+1") == ("order", ["B01"])


async def test_what_would_be_misread_is_not_remembered(fast_world: World, host: Client) -> None:
    await fast_world.store.put_shop_words(SHOP, 0, KeptWords(1, ShopWords(aliases={"毛毛球": "A01"})))
    words = [("襪子", "clash"), ("謝謝", "clash"), ("黑", "length"), ("毛毛球", "taken"), ("12", "clash")]
    for number, (word, why) in enumerate(words):
        anna = await fast_world.connect(f"anna-{number}", name="Anna")
        comment = str(uuid.uuid4())
        await anna.call("comment", {"id": comment, "text": "A99 那個+1"})
        await host.event("triage")
        answer = await host.command("accept", comment=comment, lines=[{"code": "B01", "quantity": 1}], remember=word)
        assert answer["outcome"]["not_remembered"] == why, word
    assert (await fast_world.store.shop_words(SHOP)).revision == 1


async def test_every_line_keeps_how_it_was_read(fast_world: World, host: Client) -> None:
    await host.command("pin", code="B01")
    await host.event("pin")
    anna = await fast_world.connect("anna", name="Anna")
    await anna.comment("+2")
    await anna.comment("大家好")
    shown = await anna.event("chat")
    assert "read" not in shown, "nobody's business but the shop's"
    entries = await fast_world.store.read("demo", "0-0")
    lines = [event for _, events in entries for event in events if event["t"] == "chat" and event["kind"] == "viewer"]
    assert [(line["verdict"], line["read"]["pinned"], line["read"]["reason"]) for line in lines] == [
        ("order", "B01", "order"),
        ("none", "B01", "chatter"),
    ]
    assert lines[0]["read"]["intents"] == [{"do": "reserve", "code": "B01", "options": [], "qty": 2}]
    assert all(line["read"]["version"] for line in lines)
