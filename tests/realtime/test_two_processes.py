"""Two operating-system processes share a show; one is killed, and its viewers go on with the other."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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


@asynccontextmanager
async def two_processes(valkey: Redis, server: EmbeddedValkey) -> AsyncIterator[tuple[World, Elsewhere]]:
    """The show here, and on a process of its own."""
    async with serving(valkey) as here:
        process, url = await spawn(server.url)
        there = Elsewhere(url)
        try:
            yield here, there
        finally:
            await there.close()
            process.kill()
            await process.wait()


async def test_the_rate_of_comments_holds_over_processes_and_sockets(
    valkey: Redis, valkey_server: EmbeddedValkey
) -> None:
    async with two_processes(valkey, valkey_server) as (here, there):
        host = await here.connect(staff="host")
        await host.go_live()
        sockets = [await world.connect("anna") for world in (here, there, here, there)]
        await sockets[1].until(lambda: sockets[1].snapshot["show"]["stage"] == "live" or sockets[1].events("stage"))
        for number in range(4):
            assert (await sockets[number].comment(f"line {number}"))["ok"]
            for socket in sockets:
                await socket.event("chat", text=f"line {number}")
        for number, socket in enumerate(sockets[:2]):  # the button counts as well, and an order counts once
            claim = {"id": new_id(), "code": "B01", "options": {}, "quantity": 1}
            assert (await socket.call("claim", claim))["reason"] == "reserved"
            assert (await socket.comment("A01+1"))["reason"] == "reserved"
            for other in sockets:
                await other.event("claim", code="B01", number=number + 1)
                await other.event("claim", code="A01", number=number + 1)
        for socket in sockets:
            refused = await socket.comment("one too many")
            assert refused["error"]["code"] == "too_much"
            assert 0 < refused["error"]["retry_after_ms"] <= 10_000
        ben = await there.connect("ben")
        assert (await ben.comment("others may"))["ok"]


async def test_moderation_and_private_events_reach_a_viewer_on_another_process(
    valkey: Redis, valkey_server: EmbeddedValkey
) -> None:
    async with two_processes(valkey, valkey_server) as (here, there):
        host = await here.connect(staff="host", address="198.51.100.1")
        await host.go_live()
        anna = await there.connect("anna", name="Anna", address="203.0.113.7")
        window = await there.connect("fresh", address="203.0.113.7")
        ben = await there.connect("ben", address="203.0.113.8")
        await anna.until(lambda: anna.snapshot["show"]["stage"] == "live" or anna.events("stage"))
        assert (await anna.comment("A01+2"))["reason"] == "reserved"
        await host.event("ticket", id="A01#1")
        assert (await host.command("cancel", reservation="A01#1"))["ok"]
        await anna.until(lambda: any(ticket["state"] == "cancelled" for ticket in anna.private("ticket")))
        assert ben.private("ticket") == window.private("ticket") == [], "nobody else is told"

        assert (await host.command("ban", viewer="anna", network_seconds=600))["ok"]
        await anna.until(lambda: [you for you in anna.private("you") if you.get("banned")])
        assert (await anna.comment("still here"))["error"]["code"] == "banned"
        await host.until(lambda: here.gateway.channels.get(SHOW).mirror.state["addresses"])
        await host.comment("a line after it")  # who has read this line has read of the network before
        await window.event("chat", text="a line after it")
        newcomer = await here.connect("other-cookie", address="203.0.113.7")
        for one in (newcomer, window):
            assert (await one.comment("hello"))["error"]["code"] == "network_barred"
        assert (await ben.comment("unharmed"))["ok"]


async def test_one_person_on_two_processes_is_one_viewer(valkey: Redis, valkey_server: EmbeddedValkey) -> None:
    async with two_processes(valkey, valkey_server) as (here, there):
        tabs = [await world.connect("anna") for world in (here, there, there)]
        ben, cleo = await here.connect("ben"), await there.connect("cleo")
        for client in (*tabs, ben, cleo):
            await client.until(lambda client=client: client.all("frame") and client.all("frame")[-1]["n"] == 3)
        await tabs[0].close()
        await cleo.close()
        await ben.until(lambda: ben.all("frame")[-1]["n"] == 2)
        assert await presence.count_viewers(valkey, SHOW) == 2
