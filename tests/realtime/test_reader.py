"""The reader of a shop's logs: what it hears, and what it does after a break."""

from __future__ import annotations

from redis.asyncio import Redis

from livecommerce.realtime.reader import _listed
from tests.realtime.world import SHOW, serving, setup


async def test_a_lost_log_is_loaded_again_and_everyone_starts_anew(valkey: Redis) -> None:
    async with serving(valkey) as world:
        anna = await world.connect("anna")
        old_epoch = anna.snapshot["epoch"]
        await valkey.hset("lc:{shop}:show:demo", "epoch", "another")
        await valkey.client_kill_filter(_type="normal", skipme=True)  # the blocked reader finds a new connection
        await anna.until(lambda: len(anna.all("snapshot")) == 2)
        assert anna.snapshot["epoch"] == "another" != old_epoch


async def test_one_reader_brings_all_shows_of_a_shop(valkey: Redis) -> None:
    async with serving(valkey) as world:
        await world.store.create(setup("second"))
        anna, ben = await world.connect("anna"), await world.connect("ben", show="second")
        for number in range(3):
            await world.store.name(SHOW, f"viewer-{number}", "here")
            await world.store.name("second", f"viewer-{number}", "there")
        await anna.comment("in the first")
        await ben.comment("in the second")
        await anna.event("chat", text="in the first")
        await ben.event("chat", text="in the second")
        assert len(anna.events("chat")) == len(ben.events("chat")) == 1, "no line strays into the other show"
        assert len(world.gateway.channels._readers) == 1


async def test_a_connection_that_breaks_loses_no_line(valkey: Redis) -> None:
    async with serving(valkey) as world:
        anna = await world.connect("anna")
        for number in range(3):
            await valkey.client_kill_filter(_type="normal", skipme=True)
            await world.store.name(SHOW, "x", f"name {number}")
            assert (await anna.comment(f"line {number}"))["ok"]
        await anna.event("chat", text="line 2")
        assert [event["text"] for event in anna.events("chat")] == ["line 0", "line 1", "line 2"]
        assert len(anna.all("snapshot")) == 1, "nothing was missing, so nothing began anew"
        anna.chain()


def test_answers_of_both_protocols_read_alike() -> None:
    entries = [(b"1-0", {b"e": b"x"}), (b"2-0", {b"e": b"y"})]
    pairs = [[entry, fields] for entry, fields in entries]
    assert _listed(None) == _listed([]) == _listed({}) == []
    assert _listed([[b"log", entries]]) == [("log", entries)]
    assert _listed({b"log": [pairs]}) == [("log", pairs)]
    assert _listed({b"log": entries}) == [("log", entries)]
