"""What a socket may send after what, and whose place it takes meanwhile."""

from __future__ import annotations

import asyncio
import itertools
import random
import sys
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from redis.asyncio import Redis

from livecommerce.realtime import gateway as gateway_module
from livecommerce.realtime import limits, private_names
from livecommerce.realtime.sockets import Sockets
from tests.realtime.world import World, serving

ADDRESS = "203.0.113.7"
GOOD = '40{"show":"demo"}'
# A packet by what it is; the number of an event is for its answer.
PACKETS = {
    "join": GOOD,
    "join in vain": '40{"show":"no-such-show"}',
    "join without a show": "40",
    "leave": "41",
    "event": '427["tickets",{}]',
    "ack": "437[]",
}


def expected(sequence: tuple[str, ...]) -> int | None:
    """The number that the socket is closed with; None where it stays open."""
    joined, refused = False, 0
    for packet in sequence:
        if joined and packet == "leave":
            return 1000
        if joined and packet.startswith("join"):
            return 4006
        if not joined and not packet.startswith("join"):
            return 4006
        joined = joined or packet == "join"
        refused += packet in ("join in vain", "join without a show")
        if refused > limits.REFUSALS_MAX:
            return 4005
    return None


async def opened(world: World, address: str = ADDRESS) -> aiohttp.ClientWebSocketResponse:
    socket = await world.session.ws_connect(
        f"{world.url}/socket.io/?EIO=4&transport=websocket",
        headers={"X-Test-Address": address, "Cookie": "lc_viewer=anna"},
    )
    await socket.receive()
    return socket


async def becomes(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def closed_with(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    """Reads on until it is closed, or until it answers a ping, which comes after all that was sent before."""
    await socket.ping()
    async with asyncio.timeout(20):
        while True:
            message = await socket.receive()
            if message.type is aiohttp.WSMsgType.PONG:
                return None
            if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                return socket.close_code


def sequences() -> list[tuple[str, ...]]:
    """All short ones, and some longer ones of the same seed."""
    short = [one for length in (1, 2, 3) for one in itertools.product(PACKETS, repeat=length)]
    chance = random.Random(7)
    return short + [tuple(chance.choices(list(PACKETS), k=8)) for _ in range(60)]


async def test_what_may_follow_what_is_one_table(valkey: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """CONNECT after DISCONNECT was a traceback for each message."""
    faults: list[str] = []

    def noted(log: Any, event: str, *, key: str = "", **fields: Any) -> bool:
        faults.append(f"{event}: {sys.exc_info()[1]!r}")
        return True

    monkeypatch.setattr(gateway_module, "warn_seldom", noted)
    monkeypatch.setattr(private_names, "warn_seldom", noted)
    monkeypatch.setattr(limits, "REFUSED_BURST", 1e6)
    async with serving(valkey) as world:
        for sequence in sequences():
            socket = await world.session.ws_connect(
                f"{world.url}/socket.io/?EIO=4&transport=websocket",
                headers={"X-Test-Address": ADDRESS, "Cookie": "lc_viewer=anna"},
                autoping=False,
            )
            for packet in sequence:
                await socket.send_str(PACKETS[packet])
            assert await closed_with(socket) == expected(sequence), sequence
            await socket.close()
        await becomes(lambda: len(world.gateway.sockets) == 0)
        assert (world.gateway.sockets.unjoined, len(world.gateway.seats)) == (0, 0)
    assert faults == []


async def test_who_left_keeps_no_place(fast_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two thousand that had joined and left, and stayed connected, kept everybody else out."""
    monkeypatch.setattr(private_names, "GOODBYE_SECONDS", 0.3)
    honest = await fast_world.connect("ben")
    kept = []
    for _ in range(10):
        socket = await opened(fast_world)
        await socket.send_str(GOOD)
        await socket.receive()
        await socket.send_str("41")
        kept.append(socket)  # it is not read again, so no Close of ours is answered
    sockets = fast_world.gateway.sockets
    await becomes(lambda: len(sockets) == 1)
    assert (sockets.unjoined, sockets.all_of.taken(ADDRESS), len(fast_world.gateway.seats)) == (0, 0, 1)
    assert (await honest.comment("still here"))["ok"]
    for socket in kept:
        await socket.close()


# How a socket comes into each state, and (unjoined, of its network, of its network unjoined) meanwhile.
STATES: dict[str, tuple[list[str], tuple[int, int, int]]] = {
    "unjoined": ([], (1, 1, 1)),
    "refused": (["40"], (1, 1, 1)),
    "joined": ([GOOD], (0, 1, 0)),
    "closing, unjoined": (["41"], (1, 1, 1)),
    "closing, refused": (["40", "41"], (1, 1, 1)),
    "closing, joined": ([GOOD, "40"], (0, 1, 0)),
    "left": ([GOOD, "41"], (0, 1, 0)),
}


@pytest.mark.parametrize("state", STATES)
async def test_every_state_has_one_place_and_one_end(
    fast_world: World, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    packets, places = STATES[state]
    sockets = fast_world.gateway.sockets
    hold = asyncio.Event()
    leave = private_names.LeanSocket._leave

    async def held(self: Any, number: int, code: str) -> None:
        await hold.wait()
        await leave(self, number, code)

    monkeypatch.setattr(private_names.LeanSocket, "_leave", held)
    socket = await opened(fast_world)
    for packet in packets:
        await socket.send_str(packet)
        if packet != packets[-1] or state in ("refused", "joined"):
            await socket.receive()
    record = next(iter(sockets._sockets.values()))
    (lean,) = fast_world.gateway.server.eio.sockets.values()
    is_closing = state == "left" or state.startswith("closing")
    if is_closing:
        await becomes(lambda: lean.closing)
    else:
        await becomes(lambda: len(fast_world.gateway.seats) == (state == "joined"))

    def now() -> tuple[int, int, int]:
        return sockets.unjoined, sockets.all_of.taken(ADDRESS), sockets.unjoined_of.taken(ADDRESS)

    assert now() == places
    assert len(sockets) == 1
    assert record.has_joined is (places[0] == 0)
    # The end that comes by itself: the time to join, an unanswered ping, or the time to say goodbye.
    monkeypatch.setattr(private_names, "GOODBYE_SECONDS", 0.1)
    hold.set()
    monkeypatch.setattr(private_names, "JOIN_SECONDS", 0.1)
    monkeypatch.setattr(private_names, "PING_SECONDS", 0.1)
    monkeypatch.setattr(private_names, "PONG_SECONDS", 0.1)
    await becomes(lambda: len(sockets) == 0)
    assert now() == (0, 0, 0)
    await socket.close()


def test_the_books_agree_whatever_happens() -> None:
    chance = random.Random(3)
    sockets = Sockets(40, 50)
    for _ in range(3_000):
        eio_sid, network = str(chance.randrange(30)), str(chance.randrange(3))
        what = chance.choice(("opened", "joined", "closes", "gone"))
        if what != "opened":
            getattr(sockets, what)(eio_sid)
        elif sockets.get(eio_sid) is None and not sockets.is_full(network):
            sockets.opened(eio_sid, network)
        there = list(sockets._sockets.values())
        assert sockets.unjoined == sum(not one.has_joined for one in there)
        for network in "012":
            of_network = [one for one in there if one.network == network]
            assert sockets.all_of.taken(network) == len(of_network)
            assert sockets.unjoined_of.taken(network) == sum(not one.has_joined for one in of_network)


async def test_a_network_asks_for_so_many_shows_in_vain(fast_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REFUSED_BURST", 3.0)
    monkeypatch.setattr(limits, "REFUSED_PER_SECOND", 0.001)
    looked_for: list[str] = []
    load = fast_world.store.load

    async def noted(show: str) -> Any:
        looked_for.append(show)
        return await load(show)

    monkeypatch.setattr(fast_world.store, "load", noted)
    ben = await fast_world.connect("ben", address="198.51.100.1")
    codes = []
    for number in range(5):
        client = await fast_world.connect(f"v{number}", address=ADDRESS, show=f"none-{number}")
        codes.append(client.refused["data"]["code"])
    assert codes == ["show_unknown"] * 3 + ["too_much"] * 2
    assert looked_for == ["demo", "none-0", "none-1", "none-2"]
    assert (await fast_world.connect("anna", address=ADDRESS)).snapshot, "the show that is open here is nobody's cost"
    other = await fast_world.connect("cleo", address="198.51.100.1", show="none-9")
    assert other.refused["data"]["code"] == "show_unknown"
    assert ben.closed is None


async def test_what_a_closed_socket_had_sent_is_not_worked_off(
    fast_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty cookies kept the process busy for a minute after they had gone."""
    handled: list[str] = []
    go_on, begun = asyncio.Event(), asyncio.Event()

    async def slow(seat: Any, raw: Any) -> dict[str, Any]:
        handled.append(raw["id"])
        begun.set()
        await go_on.wait()
        return {}

    fast_world.gateway._handlers["comment"] = slow
    anna = await fast_world.connect("anna", serializer="json")
    (lean,) = fast_world.gateway.server.eio.sockets.values()
    for number in range(30):
        await anna.send_packet({"type": 2, "id": number, "data": ["comment", {"id": f"line-{number:04}"}]})
    await begun.wait()
    anna._task.cancel()
    anna.websocket._response.connection.transport.abort()
    await becomes(lambda: lean.transport.is_closing())
    go_on.set()
    await becomes(lambda: len(fast_world.gateway.sockets) == 0)
    assert handled == ["line-0000"]
    fast_world.clients.remove(anna)
