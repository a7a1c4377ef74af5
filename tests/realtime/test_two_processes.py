"""Two operating-system processes share a show; one is killed, and its viewers go on with the other."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import aiohttp
from redis.asyncio import Redis

from livecommerce.ops.valkey import EmbeddedValkey
from livecommerce.realtime import presence
from tests.realtime.world import SHOW, Client, World, new_id, serving

ROOT = Path(__file__).parents[2]


async def spawn(url: str) -> tuple[asyncio.subprocess.Process, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.realtime.gateway_process", url,
        cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    while True:
        line = (await process.stdout.readline()).decode().strip()  # type: ignore[union-attr]
        assert line, "the process ended"
        if line.startswith("http://"):
            return process, line


class Elsewhere(World):
    """The other process, as its clients see it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = aiohttp.ClientSession()
        self.clients: list[Client] = []


async def test_a_killed_process_loses_nothing_that_was_acknowledged(
    valkey: Redis, valkey_server: EmbeddedValkey
) -> None:
    async with serving(valkey) as here:
        process, url = await spawn(valkey_server.url)
        there = Elsewhere(url)
        try:
            host = await here.connect(staff="host")
            await host.go_live()
            anna, ben = await there.connect("anna", name="Anna"), await here.connect("ben")
            await anna.until(lambda: anna.snapshot["show"]["stage"] == "live" or anna.events("stage"))
            order = {"id": new_id(), "text": "A01+2"}
            assert (await anna.call("comment", order))["reason"] == "reserved"
            assert (await ben.event("claim", code="A01"))["name"] == "Anna"
            await anna.event("claim", code="A01")
            await ben.until(lambda: any(frame["n"] == 2 for frame in ben.all("frame")))

            process.kill()
            await process.wait()
            await anna.until(lambda: anna.closed)
            await ben.comment("while anna was away")
            await ben.event("chat", text="while anna was away")

            back = await here.connect("anna", epoch=anna.snapshot["epoch"], offset=anna.chain()[-1])
            assert back.all("snapshot") == [], "resumed on the other process"
            assert [event["text"] for event in back.events("chat")] == ["while anna was away"]
            again = await back.call("comment", {**order, "again": True})
            assert again["lines"][0]["number"] == 1
            tickets = (await back.call("tickets"))["tickets"]
            assert [(ticket["id"], ticket["quantity"]) for ticket in tickets] == [("A01#1", 2)]
            counters = await here.engine.counters("shop", ["A01"])
            assert (counters["A01"].available, counters["A01"].held) == (3, 2)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            await there.close()


async def test_a_process_that_dies_falls_out_of_the_count(valkey: Redis) -> None:
    one, two = presence.Presence(valkey, "one"), presence.Presence(valkey, "two")
    await one.refresh(SHOW, 3)
    await two.refresh(SHOW, 4)
    await one.refresh(SHOW, 3)
    assert (one.count(SHOW, 3), two.count(SHOW, 4), await presence.count_viewers(valkey, SHOW)) == (7, 7, 7)
    assert one.figures(SHOW, 3)["peak"] == 7
    # The process two is killed: its field stays, and is past its expiry when somebody looks.
    await valkey.hset(f"lc:presence:{SHOW}", "p:two", "4:1")
    await one.refresh(SHOW, 2)
    assert (one.count(SHOW, 2), await presence.count_viewers(valkey, SHOW)) == (2, 2)
    assert one.figures(SHOW, 2)["peak"] == 7
    await one.leave(SHOW)
    assert await presence.count_viewers(valkey, SHOW) == 0


async def test_a_lost_log_is_loaded_again_and_everyone_starts_anew(valkey: Redis) -> None:
    async with serving(valkey) as world:
        anna = await world.connect("anna")
        old_epoch = anna.snapshot["epoch"]
        await valkey.hset("lc:{shop}:show:demo", "epoch", "another")
        await valkey.client_kill_filter(_type="normal", skipme=True)  # the blocked reader finds a new connection
        await anna.until(lambda: len(anna.all("snapshot")) == 2)
        assert anna.snapshot["epoch"] == "another" != old_epoch
