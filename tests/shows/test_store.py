"""What the store keeps, and that shows of earlier versions load."""

from __future__ import annotations

import asyncio
from typing import Any

import msgpack
import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from livecommerce.errors import BadInput, Conflict, IdReused, ShowUnknown, TooMuch
from livecommerce.shows import lookups
from livecommerce.shows.decision import Decision, Write
from livecommerce.shows.executor import Executor
from livecommerce.shows.model import viewer_handle
from livecommerce.shows.packing import pack
from livecommerce.shows.state import part
from livecommerce.shows.store import ChatLine, ShowStore
from tests.shows.world import SHOW, give, setup


async def test_creating_twice_changes_nothing(store: ShowStore) -> None:
    before = await store.load(SHOW)
    assert await store.create(setup(hold_seconds=60)) == before["epoch"]
    after = await store.load(SHOW)
    assert (after["show"], after["stock"], after["offset"]) == (before["show"], before["stock"], before["offset"])


async def test_what_a_show_cannot_be_made_of(store: ShowStore) -> None:
    twice = setup("twice", words=("bad",))
    with pytest.raises(BadInput, match="once"):
        await store.create(replace(twice, items=(*twice.items, twice.items[0])))
    with pytest.raises(BadInput, match="grammar"):
        await store.create(setup("packs", packs=("xx",)))
    with pytest.raises(BadInput, match="priced in USD"):
        await store.create(setup("money", currency="USD"))
    with pytest.raises(Conflict):
        await store.create(replace(setup(), shop="another"))
    with pytest.raises(ShowUnknown):
        await store.load("nowhere")


async def test_ids_that_no_show_has_are_one_question_and_remembered(
    store: ShowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rush of made-up ids is asked for together: one call is under way, however many come, and no show waits for
    more than that one."""
    monkeypatch.setattr(lookups, "UNKNOWN_SECONDS", 60.0)
    asked: list[list[str]] = []
    under_way = 0
    hmget = store.redis.hmget

    async def counted(key: str, shows: list[str]) -> object:
        nonlocal under_way
        asked.append(shows)
        under_way += 1
        assert under_way == 1
        try:
            return await hmget(key, shows)
        finally:
            under_way -= 1

    monkeypatch.setattr(store.redis, "hmget", counted)
    made_up = [f"made-up-{number}" for number in range(100)]
    assert await asyncio.gather(*(store.exists(show) for show in made_up * 3)) == [False] * 300
    assert len(asked) <= 2
    assert set(asked[0]) <= set(made_up)
    asked.clear()
    assert await asyncio.gather(*(store.exists(show) for show in made_up)) == [False] * 100
    assert asked == []
    assert await store.create(setup("made-up-7")), "seen at once by whoever makes it"
    assert await store.exists("made-up-7")


async def test_introductions_of_one_moment_are_few_writes(store: ShowStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each was a write of its own that waited for the disk; claims stood behind hundreds of them."""
    calls = 0
    publish = store.publish

    async def counted(*args: Any) -> None:
        nonlocal calls
        calls += 1
        await publish(*args)

    monkeypatch.setattr(store, "publish", counted)
    await asyncio.gather(*(store.name(SHOW, f"viewer-{number}", f"name {number}") for number in range(300)))
    assert calls <= 3
    names = (await store.load(SHOW))["names"]
    assert {names[f"viewer-{number}"] for number in range(300)} == {f"name {number}" for number in range(300)}


async def test_people_are_told_by_name_and_handle(store: ShowStore) -> None:
    await store.name(SHOW, "anna", "安娜")
    salt = (await store.load(SHOW))["salt"]
    people = await store.people(SHOW, ["anna", "ben"])
    assert people == {"anna": ("安娜", viewer_handle(salt, "anna")), "ben": ("", viewer_handle(salt, "ben"))}
    assert await store.people(SHOW, []) == {}
    assert (await store.people("forgotten", ["anna"]))["anna"].name == ""


async def test_stages_of_the_shows_that_are_there(store: ShowStore, executor: Executor) -> None:
    await store.create(setup("later"))
    await give(executor, "start")
    started = (await store.load(SHOW))["show"]["started_ms"]
    found = await store.stages("shop", [SHOW, "later", "nowhere"])
    assert found == {SHOW: ("live", started), "later": ("scheduled", 0)}


async def test_a_bounded_write_is_refused_whole(store: ShowStore) -> None:
    keys, before = await store.keys_of(SHOW), await store.load(SHOW)
    for field, most in (("one", 1), ("one", 1)):  # the same field again is no new one
        assert await store.commit(keys, "", "", Decision([], [Write("votes", "hset", field, "", most)]), None) == {}
    decision = Decision([{"t": "notice", "text": "told", "at": 1}], [Write("votes", "hset", "two", "", 1)])
    with pytest.raises(TooMuch):
        await store.commit(keys, "", "", decision, None)
    after = await store.load(SHOW)
    assert (after["offset"], list(part(after, "votes"))) == (before["offset"], ["one"])


async def test_lines_of_one_moment_go_together_and_each_once(store: ShowStore) -> None:
    def line(number: int) -> ChatLine:
        event = {"t": "chat", "id": f"comment-{number}", "viewer": "anna", "name": "", "text": str(number), "at": 1}
        answer = pack({"viewer": "anna", "reason": str(number)})
        return ChatLine(f"comment-{number}", "anna", "", "log", answer, pack({**event, "kind": "viewer"}))

    before = (await store.load(SHOW))["offset"]
    answers = await asyncio.gather(*(store.append_chat(SHOW, line(number % 20)) for number in range(40)))
    assert sum(answer == b"" for answer in answers) == 20
    entries = await store.read(SHOW, before)
    assert [event["text"] for _, events in entries for event in events] == [str(number) for number in range(20)]
    assert len(entries) < 10, "one call in flight, the next fills meanwhile"
    assert await store.recall(SHOW, "comment-3", "anna") == pack({"viewer": "anna", "reason": "3"})
    with pytest.raises(IdReused):
        await store.recall(SHOW, "comment-3", "ben")


async def test_a_show_stored_before_kinds_had_files_loads(store: ShowStore, valkey: Redis) -> None:
    """Key by key and field by field as the first version wrote them."""
    base, chat = "lc:{shop}:show:old", {"t": "chat", "viewer": "anna", "name": "安娜", "at": 5, "kind": "viewer"}
    item = {"code": "A01", "name": "包", "names": ["包"], "skus": ["A01"], "options": [], "price_minor": 5}
    show = {"id": "old", "shop": "shop", "title": "Old", "packs": ["en"], "limits": {}, "hold_seconds": 900}
    pin = {"pin": "p1", "code": "A01", "at": 3, "media_timestamp": None}
    settings = {"slow_seconds": 5, "links_off": False, "first_hold": True, "waitlist": True, "repeat": "add"}
    triage = {"t": "triage", "comment": "line-1", "viewer": "anna", "at": 5, "verdict": "unclear"}
    audit = {"id": "hide-1", "do": "hide", "actor": "olga", "at": 6, "undone": False, "about": {}, "inverse": None}
    buyer = {"muted_until": 0, "banned": True, "restricted": False, "hold_max": 0, "shadow": False}
    fields = {
        "version": "7", "epoch": "abc", "salt": "salty", "stage": "live", "started_ms": "2", "show": show,
        "order": ["A01"], "item:A01": item, "settings": settings, "pins": [pin], "notice": "hi",
        "media": {"state": "live", "at": 4},
    }  # fmt: skip
    plain = ("version", "epoch", "salt", "stage", "started_ms")
    await valkey.hset("lc:shows", "old", "shop")
    await valkey.hset(base, mapping={key: v if key in plain else msgpack.packb(v) for key, v in fields.items()})
    entry = await valkey.xadd(f"{base}:log", {"e": msgpack.packb([{**chat, "id": "line-1", "text": "一"}])})
    await valkey.hset(f"{base}:buyers", "ben", msgpack.packb(buyer))
    await valkey.hset(f"{base}:hidden", "line-0", "olga")
    await valkey.hset(f"{base}:triage", "line-1", msgpack.packb(triage))
    await valkey.sadd(f"{base}:words", "bad")
    await valkey.hset(f"{base}:audit", "hide-1", msgpack.packb(audit))
    await valkey.rpush(f"{base}:audit-order", "hide-1")
    await valkey.hset(f"{base}:names", "anna", "安娜")
    await valkey.hset(f"{base}:addresses", "mark", "ben")
    await valkey.hset(f"{base}:held", "line-2", msgpack.packb({**chat, "id": "line-2", "text": "二", "held": True}))
    await valkey.set(f"{base}:clock", "90:5")
    state = await store.load("old", whole=False)
    assert (state["epoch"], state["version"], state["offset"]) == ("abc", "7", entry.decode())
    assert state["show"] == {**show, "stage": "live", "started_ms": 2, "ended_ms": 0}
    assert (state["items"], state["order"], state["pins"]) == ({"A01": item}, ["A01"], [pin])
    assert (state["settings"], state["notice"], state["media"]) == (settings, "hi", {"state": "live", "at": 4})
    assert [line["text"] for line in state["chat"]] == ["一"]
    assert (state["hidden"], state["names"], state["words"]) == ({"line-0": "olga"}, {"anna": "安娜"}, ["bad"])
    assert (state["buyers"], state["addresses"]) == ({"ben": buyer}, {"mark": "ben"})
    assert (state["triage"], state["audit"]) == ({"line-1": triage}, [audit])
    assert list(state["held"]) == ["line-2"]
    assert state["clock"] == [90, 5]
    assert part(state, "questions") == {}
