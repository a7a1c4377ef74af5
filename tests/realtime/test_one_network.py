"""What one network may take of a web process: identities, sockets, messages."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import aiohttp
import pytest
from msgspec import structs
from redis.asyncio import Redis

from livecommerce.configuration.tree import Settings
from livecommerce.intake.proof_of_work import Proof, is_enough
from livecommerce.realtime import close_codes, limits
from livecommerce.realtime.settings import Realtime
from tests.intake.demo_show import SHOW, new_id
from tests.realtime.world import World, serving


async def test_a_socket_without_a_cookie_is_no_new_viewer(fast_world: World) -> None:
    """Each was one: an address took 600 of 600 pieces in five seconds."""
    sockets = [await fast_world.connect() for _ in range(3)]
    assert [client.refused["data"]["number"] for client in sockets] == [2150] * 3
    assert not fast_world.gateway.seats


async def test_a_browser_that_keeps_no_cookies_is_who_the_pass_of_its_page_says(fast_world: World) -> None:
    first = await fast_world.connect(**{"pass": f"{SHOW}/anna"})
    again = await fast_world.connect(**{"pass": f"{SHOW}/anna"})
    assert first.snapshot["me"]["by"] == again.snapshot["me"]["by"]
    for bad in ("other-show/anna", "", 7, None, {"a": 1}):
        assert (await fast_world.connect(**{"pass": bad})).refused["data"]["number"] == 2150
    owner = await fast_world.connect("otto", **{"pass": f"{SHOW}/anna"})
    assert owner.snapshot["me"]["by"] != first.snapshot["me"]["by"], "a cookie comes first"


async def upgrade(world: World, address: str) -> aiohttp.ClientWebSocketResponse | int:
    """The socket, or the status that it was refused with."""
    try:
        return await world.session.ws_connect(
            f"{world.url}/socket.io/?EIO=4&transport=websocket", headers={"X-Test-Address": address}
        )
    except aiohttp.WSServerHandshakeError as error:
        return error.status


async def test_unjoined_sockets_of_one_network_keep_nobody_else_out(
    valkey: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "UNJOINED_MAX", 20)
    async with serving(valkey) as world:
        opened = [await upgrade(world, f"2001:db8:1:2::{number:x}") for number in range(15)]
        assert opened.count(503) == 5, "half of the places of all"
        honest = await world.connect("anna", address="2001:db8:1:3::1")
        assert honest.snapshot
        first = opened[0]
        assert isinstance(first, aiohttp.ClientWebSocketResponse)
        await first.close()
        async with asyncio.timeout(10):
            while world.gateway.sockets.unjoined_of.taken("2001:db8:1:2::/64") == 10:
                await asyncio.sleep(0.01)
        assert not isinstance(await upgrade(world, "2001:db8:1:2::99"), int), "its place is free again"


async def test_joined_sockets_of_one_network_are_a_share_too(valkey: Redis) -> None:
    settings = Settings(realtime=Realtime(viewers_max=8, network_percent=50))
    async with serving(valkey, settings) as world:
        joined = [await world.connect(f"viewer-{number}", address="203.0.113.7") for number in range(4)]
        assert all(client.snapshot for client in joined)
        assert await upgrade(world, "203.0.113.7") == 503
        assert (await world.connect("anna", address="198.51.100.1")).snapshot
        assert world.gateway.sockets.unjoined_of.taken("203.0.113.7") == 0, "who has joined waits no more"


async def _flood(socket: aiohttp.ClientWebSocketResponse, kind: str) -> None:
    try:
        for _ in range(limits.MESSAGES_BURST + limits.STRIKES_MAX + 40):
            if kind == "ping":
                await socket.ping(b"x" * 100)
            elif kind == "pong":
                await socket.pong()
            else:
                await socket.send_str(kind)
    except (ConnectionError, RuntimeError):
        return  # closed meanwhile


@pytest.mark.parametrize("kind", ["ping", "pong", "3", "3probe"])
async def test_noise_counts_as_messages(fast_world: World, kind: str) -> None:
    socket: Any = await upgrade(fast_world, "203.0.113.7")
    assert not isinstance(socket, int)
    await _flood(socket, kind)
    async with asyncio.timeout(10):
        while not socket.closed:
            await socket.receive()
    assert socket.close_code == close_codes.TOO_FAST.number


async def test_a_ping_is_answered(fast_world: World) -> None:
    session = aiohttp.ClientSession()
    async with (
        session,
        session.ws_connect(f"{fast_world.url}/socket.io/?EIO=4&transport=websocket", autoping=False) as socket,
    ):
        await socket.receive()
        await socket.ping(b"are you there")
        answer = await socket.receive()
        assert (answer.type, bytes(answer.data)) == (aiohttp.WSMsgType.PONG, b"are you there")


# What each event of a viewer may be, so that it does what it can; a new event fails until it has a row.
DONE: dict[str, dict[str, Any]] = {
    "comment": {"id": "comment-000", "text": "hello"},
    "claim": {"id": "claim-00000", "code": "A01", "quantity": 1, "options": {"顏色": "紅色"}},
    "cancel": {"id": "cancel-0000", "reservation": "A01#1"},
    "take": {"id": "take-000000", "reservation": "A01#1"},
    "name": {"name": "Anna"},
    "resume": {"epoch": "none", "offset": "0-0"},
    "tickets": {},
    "command": {"id": "question-00", "do": "ask_question", "text": "how large is it?"},
    "ask": {"ask": "buyer"},
    "challenge": {},
}


async def test_every_event_that_writes_by_itself_is_counted_by_network(
    fast_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = await fast_world.connect(staff="host")
    await host.go_live()
    written: list[str] = []
    commit = fast_world.store.commit

    async def noted(*args: Any) -> Any:
        written.append(event)
        return await commit(*args)

    monkeypatch.setattr(fast_world.store, "commit", noted)
    anna = await fast_world.connect("anna")
    for event in sorted(fast_world.gateway.events):
        await anna.call(event, DONE[event])
    assert set(written) - {"claim"} == set(limits.WRITES), "a claim introduces who makes it, once, with all who do"


@pytest.mark.parametrize("event", sorted(limits.WRITES))
async def test_a_network_that_has_written_much_waits_before_it_is_read(
    fast_world: World, monkeypatch: pytest.MonkeyPatch, event: str
) -> None:
    monkeypatch.setitem(limits.WRITES, event, (2.0, 0.001))
    crowd = [await fast_world.connect(f"viewer-{number}", address=f"2001:db8:1:2::{number}") for number in range(4)]
    answers = [await client.call(event, "no map") for client in crowd]
    assert [answer["error"]["code"] for answer in answers] == ["bad_input"] * 2 + ["too_much"] * 2
    anna = await fast_world.connect("anna", address="2001:db8:1:3::1")
    assert (await anna.call(event, "no map"))["error"]["code"] == "bad_input"


async def test_a_name_that_stands_is_not_written_again(fast_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    anna, again = await fast_world.connect("anna"), await fast_world.connect("anna")
    assert (await anna.call("name", {"name": "Anna"}))["ok"]
    await anna.until(lambda: anna.private("you"))
    written: list[str] = []
    name = fast_world.store.name

    async def noted(show: str, viewer: str, chosen: str) -> None:
        written.append(chosen)
        await name(show, viewer, chosen)

    monkeypatch.setattr(fast_world.store, "name", noted)
    for client in (anna, again):
        assert await client.call("name", {"name": "Anna"}) == {"ok": True, "name": "Anna"}
    assert written == []
    assert (await again.call("name", {"name": "Anna B."}))["ok"]
    assert (await anna.call("name", {"name": "Anna"}))["ok"]
    assert written == ["Anna B.", "Anna"], "another one between: it is the last that counts"


async def test_a_bare_socket_orders_with_a_proof_alone_where_robots_are_slowed(fast_world: World) -> None:
    host = await fast_world.connect(staff="host")
    await host.go_live()
    assert (await host.command("settings", proof_of_work=True))["ok"]
    await host.event("settings")
    anna = await fast_world.connect("anna")
    assert anna.snapshot["settings"]["proof_of_work"] is True
    order = {"id": new_id(), "code": "A01", "quantity": 1, "options": {}}
    refused = await anna.call("claim", order)
    assert (refused["error"]["number"], refused["error"]["details"]["why"]) == (2140, "missing")
    assert (await anna.comment("A01+1"))["error"]["code"] == "proof_needed"
    asked = await anna.call("challenge", {})
    found = (Proof(asked["challenge"], str(n)) for n in itertools.count())
    proof = structs.asdict(next(one for one in found if is_enough(one, asked["bits"])))
    assert (await anna.call("claim", {**order, "proof": proof}))["reason"] == "reserved"
    ben = await fast_world.connect("ben")
    stolen = await ben.call("claim", {**order, "id": new_id(), "proof": proof})
    assert stolen["error"]["details"]["why"] == "foreign"
    assert (await anna.call("challenge", {"show": "other"}))["error"]["code"] == "bad_input"
