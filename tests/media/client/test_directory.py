"""Relays announce themselves; web processes find the one that carries a show, and keep to it."""

from __future__ import annotations

import asyncio
import contextlib

import msgspec
import pytest
from redis.asyncio import Redis

from livecommerce.errors import Unavailable
from livecommerce.media.client import directory
from livecommerce.media.client.directory import RELAYS_KEY, Announced, RelayDirectory, announce

SHOWS = [f"show-{number}" for number in range(40)]


async def beat(valkey: Redis, name: str, control: str, age_seconds: float = 0.0) -> None:
    seconds, _ = await valkey.time()
    entry = Announced(control, int((seconds - age_seconds) * 1000))
    await valkey.hset(RELAYS_KEY, name, msgspec.json.encode(entry))


async def test_a_relay_announces_itself_and_takes_leave(valkey: Redis) -> None:
    beating = asyncio.create_task(announce(valkey, "a/relay-0", "/run/relay-0.sock"))
    book = RelayDirectory(valkey)
    async with asyncio.timeout(5):
        while not await book.relays():
            await asyncio.sleep(0.01)
    assert (await book.relay_for("demo")).address == "/run/relay-0.sock"
    beating.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await beating
    assert await valkey.hgetall(RELAYS_KEY) == {}


async def test_without_a_relay_the_caller_is_told_to_wait(valkey: Redis) -> None:
    with pytest.raises(Unavailable, match="No media relay") as caught:
        await RelayDirectory(valkey).relay_for("demo")
    assert caught.value.retry_after_ms == 1000


async def test_all_web_processes_choose_the_same_relay_and_shows_are_spread(valkey: Redis) -> None:
    for number in range(4):
        await beat(valkey, f"relay-{number}", f"/run/{number}")
    one, other = RelayDirectory(valkey), RelayDirectory(valkey)
    chosen = [(await one.relay_for(show)).address for show in SHOWS]
    assert chosen == [(await other.relay_for(show)).address for show in SHOWS]
    assert len(set(chosen)) == 4


async def test_a_new_node_moves_no_running_show_and_a_lost_one_frees_its_shows(
    valkey: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "CACHE_SECONDS", 0.0)
    await beat(valkey, "relay-0", "/run/0")
    book = RelayDirectory(valkey)
    assert {(await book.relay_for(show)).address for show in SHOWS} == {"/run/0"}
    await beat(valkey, "relay-1", "/run/1")
    assert {(await book.relay_for(show)).address for show in SHOWS} == {"/run/0"}
    await beat(valkey, "relay-0", "/run/0", age_seconds=21)
    assert {(await book.relay_for(show)).address for show in SHOWS} == {"/run/1"}


async def test_entries_of_relays_that_never_came_back_are_removed(valkey: Redis) -> None:
    await beat(valkey, "old", "/run/old", age_seconds=4000)
    beating = asyncio.create_task(announce(valkey, "new", "/run/new"))
    async with asyncio.timeout(5):
        while set(await valkey.hkeys(RELAYS_KEY)) != {b"new"}:
            await asyncio.sleep(0.01)
    beating.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await beating
