"""Two operating-system processes share a show; one is killed, and its viewers go on with the other."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from redis.asyncio import Redis

from livecommerce.ops.valkey import EmbeddedValkey
from livecommerce.realtime import presence
from livecommerce.realtime.limits import CommentRate
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

        assert (await host.command("ban", viewer="anna"))["ok"]
        for socket in (anna, window):
            assert (await socket.until(lambda socket=socket: socket.all("bye")))[0]["code"] == "banned"
        await host.until(lambda: here.realtime.gateway.channels.get(SHOW).state["addresses"])
        assert (await here.connect("other-cookie", address="203.0.113.7")).refused["data"]["code"] == "banned"
        assert (await ben.comment("unharmed"))["ok"]


SECONDS = 1000


@pytest.mark.parametrize(
    ("times", "now", "wait"),
    [
        ([], 0, 0),
        ([0, 1, 2], 3, 0),
        ([0, 1, 2, 3], 4, 10 * SECONDS - 4),
        ([0, 1, 2, 3], 10 * SECONDS, 0),
        ([0, 1, 2, 3], 10 * SECONDS - 1, 1),
        ([0] * 8, 11 * SECONDS, 9 * SECONDS),  # two processes took four each in one moment: twice as long
        ([0] * 8, 20 * SECONDS, 0),
        ([0] * 100, 39 * SECONDS, 1 * SECONDS),  # and not longer than that
    ],
)
def test_four_comments_in_ten_seconds(times: list[int], now: int, wait: int) -> None:
    rate = CommentRate()
    for number, at in enumerate(times):
        rate.seen("anna", f"comment-{number}", at)
    assert max(0, rate.wait_ms("anna", 4, now)) == wait
    assert rate.wait_ms("ben", 4, now) == 0


def test_what_was_taken_here_is_not_counted_again_from_the_log() -> None:
    rate = CommentRate()
    for number in range(3):
        rate.take("anna", f"comment-{number}", number)
        rate.seen("anna", f"comment-{number}", number)
    assert rate.wait_ms("anna", 4, 5) <= 0
    rate.seen("anna", "from-elsewhere", 1)
    assert rate.wait_ms("anna", 4, 5) == 10 * SECONDS - 5


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


async def test_people_are_counted_once_and_a_dead_process_falls_out(
    valkey: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "MOVES_MAX", 3)  # a call takes two thousand
    one, two = presence.Presence(valkey, "one"), presence.Presence(valkey, "two")
    crowd = {f"viewer-{number}" for number in range(10)}
    await one.refresh(SHOW, {*crowd, "anna"}, {*crowd, "anna"})
    await two.refresh(SHOW, {"anna", "ben"}, {"anna", "ben"})
    await one.refresh(SHOW, {*crowd, "anna"}, {"anna"})  # told again, counted once
    assert (one.count(SHOW, 11), two.count(SHOW, 2), await presence.count_viewers(valkey, SHOW)) == (12, 12, 12)
    assert one.count(SHOW, 13) == 14, "two more came here since"
    assert one.figures(SHOW, 11)["peak"] == 12
    await two.refresh(SHOW, {"ben"}, {"anna"})
    assert two.count(SHOW, 1) == 12, "anna is still on the other process"

    # The process one is killed: whoever looks after its lease has run out takes its people back.
    await valkey.hset(presence.keys_of(SHOW)[0], "p:one", "1")
    await two.refresh(SHOW, {"ben"}, set())
    assert (two.count(SHOW, 1), await presence.count_viewers(valkey, SHOW)) == (1, 1)
    assert two.figures(SHOW, 1)["peak"] == 12
    # It was not dead, only stalled: it tells everyone again.
    await one.refresh(SHOW, {*crowd, "anna"}, set())
    assert (one.count(SHOW, 11), await presence.count_viewers(valkey, SHOW)) == (12, 12)

    await one.leave(SHOW)
    assert await presence.count_viewers(valkey, SHOW) == 1
    await two.leave(SHOW)
    assert await presence.count_viewers(valkey, SHOW) == 0
    assert await valkey.keys("lc:presence:*") == [presence.keys_of(SHOW)[0].encode()], "only peak and watch time stay"
    assert two.figures(SHOW, 0)["now"] == 0


async def test_a_lost_log_is_loaded_again_and_everyone_starts_anew(valkey: Redis) -> None:
    async with serving(valkey) as world:
        anna = await world.connect("anna")
        old_epoch = anna.snapshot["epoch"]
        await valkey.hset("lc:{shop}:show:demo", "epoch", "another")
        await valkey.client_kill_filter(_type="normal", skipme=True)  # the blocked reader finds a new connection
        await anna.until(lambda: len(anna.all("snapshot")) == 2)
        assert anna.snapshot["epoch"] == "another" != old_epoch
