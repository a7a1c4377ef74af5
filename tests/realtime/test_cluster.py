"""Shows of several shops on a real cluster, one on each primary: readers deliver, a primary goes, viewers go on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from msgspec.structs import replace

from livecommerce.configuration.tree import Settings
from livecommerce.ops.redis_client import connect_store
from livecommerce.realtime.settings import Realtime
from tests.realtime.world import Client, World, new_id, serving, setup
from tests.stock.cluster import Cluster
from tests.stock.servers import KINDS

SHOPS = ("north", "south", "east")  # their slots lie on all three primaries
TALKATIVE = Settings(realtime=Realtime(comments_per_10_seconds=1_000))


@pytest.fixture(params=KINDS)
async def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Cluster]:
    found = Cluster(request.param, tmp_path)
    try:
        await found.start()
        yield found
    finally:
        found.stop()


@pytest.fixture
async def processes(cluster: Cluster) -> AsyncIterator[list[World]]:
    """Two web processes, each with the shows of all shops; each is told another node."""
    async with AsyncExitStack() as stack:
        worlds: list[World] = []
        for port in cluster.ports[:2]:
            redis = await connect_store(f"redis://127.0.0.1:{port}")
            stack.push_async_callback(redis.aclose)
            worlds.append(await stack.enter_async_context(serving(redis, TALKATIVE, create=False)))
        for shop in SHOPS:
            await worlds[0].store.create(replace(setup(f"{shop}-show"), shop=shop))
        yield worlds


class Talk:
    """One speaker and one listener of a show on each process."""

    def __init__(self, shop: str, speaker: Client, listeners: list[Client]) -> None:
        self.shop = shop
        self.speaker = speaker
        self.listeners = listeners
        self.said: list[str] = []

    async def say(self, text: str) -> None:
        """Until it is acknowledged, under one id."""
        line = {"id": new_id(), "text": text}
        answer = await self.speaker.call("comment", line)
        while not answer["ok"]:
            assert answer["error"]["code"] in ("unavailable", "outcome_unknown"), answer
            answer = await self.speaker.call("comment", {**line, "again": True})
        self.said.append(text)

    async def heard_by_all(self) -> None:
        for listener in self.listeners:
            await listener.until(lambda listener=listener: self.said[-1] in heard(listener))

    def check(self) -> None:
        for listener in self.listeners:
            listener.chain()  # fails on a gap between frames
            lines = heard(listener)
            assert len(lines) == len(set(lines)), "a line came twice"
            if len(listener.all("snapshot")) == 1:
                assert lines == self.said, "nothing was missed without a reload"


def heard(client: Client) -> list[str]:
    """Lines on this page: of the last snapshot, and after it."""
    lines: list[str] = []
    for name, data in client.heard:
        if name == "snapshot":
            lines = [line["text"] for line in data["chat"]]
        elif name == "frame":
            lines += [event["text"] for event in data["ev"] if event["t"] == "chat"]
    return lines


async def test_viewers_go_on_over_a_planned_failover_and_a_dead_primary(
    cluster: Cluster, processes: list[World]
) -> None:
    assert len({cluster.primary_of(f"lc:{{{shop}}}:words") for shop in SHOPS}) == 3
    talks = []
    for shop in SHOPS:
        speaker, *listeners = [
            await world.connect(name, show=f"{shop}-show")
            for world, name in zip((processes[0], *processes), ("anna", "ben", "cleo"), strict=True)
        ]
        talks.append(Talk(shop, speaker, listeners))
    north, south, _ = talks

    async def all_speak(when: str) -> None:
        for talk in talks:
            await talk.say(f"{when} in the {talk.shop}")
        for talk in talks:
            await talk.heard_by_all()
            talk.check()

    await all_speak("at first")
    primary = cluster.primary_of("lc:{north}:words")
    cluster.ask_for_failover(primary)
    for number in range(20):
        await north.say(f"line {number}")
    await cluster.until_another("lc:{north}:words", primary)
    await all_speak("after the planned one")

    primary = cluster.primary_of("lc:{south}:words")
    cluster.kill(primary)
    for number in range(20):
        await south.say(f"line {number}")
    assert cluster.primary_of("lc:{south}:words") != primary
    await all_speak("after the dead one")
    for listener in south.listeners:
        await listener.until(lambda listener=listener: listener.all("frame")[-1]["n"] == 3)
