"""The contract with python-socketio, python-engineio and aiohttp: what `private_names.py` leans on is there."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from typing import Any

import engineio
import pytest
import socketio
from aiohttp import web
from engineio.async_socket import AsyncSocket

from livecommerce.realtime import private_names, self_test
from livecommerce.realtime.compose import build_realtime
from livecommerce.realtime.metrics import METRICS
from livecommerce.realtime.private_names import PacketRefused, read_packet
from livecommerce.realtime.settings import Realtime
from livecommerce.shows.kinds import SHOW_KINDS
from livecommerce.shows.registry import Registry
from livecommerce.shows.store import ShowStore
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.settings import Stock
from tests.realtime.world import WHO, serving

KINDS = Registry(SHOW_KINDS)


@pytest.mark.parametrize(
    ("owner", "names"),
    [
        (engineio.AsyncServer, ["_handle_connect", "_trigger_event", "generate_id", "handle_request"]),
        (AsyncSocket, ["send", "close"]),
        (
            socketio.AsyncServer,
            ["_handle_eio_connect", "_handle_eio_message", "_handle_eio_disconnect", "_handle_connect"],
        ),
        (socketio.AsyncServer, ["_handle_event", "_handle_disconnect", "_send_packet", "_engineio_server_class"]),
        (
            socketio.AsyncManager,
            ["pre_connect", "basic_enter_room", "basic_leave_room", "basic_disconnect", "is_connected"],
        ),
    ],
    ids=lambda value: getattr(value, "__module__", ""),
)
def test_the_names_are_there(owner: type, names: list[str]) -> None:
    for name in names:
        assert callable(getattr(owner, name)), name


def test_the_signatures_are_as_overridden() -> None:
    for ours, theirs in (
        (private_names.LeanEngine._handle_connect, engineio.AsyncServer._handle_connect),
        (private_names.LeanSocket.close, AsyncSocket.close),
        (private_names.LeanSocket.send, AsyncSocket.send),
        (private_names.MixedServer._handle_eio_message, socketio.AsyncServer._handle_eio_message),
        (private_names.MixedServer._send_packet, socketio.AsyncServer._send_packet),
        (private_names.LeanManager.pre_connect, socketio.AsyncManager.pre_connect),
    ):
        assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters)


def test_no_other_file_of_the_room_uses_private_names_of_the_libraries() -> None:
    words = ("._handle_", "._send_packet", ".eio.sockets", "._trigger_event", "._writer", "._async[")
    folder = Path(private_names.__file__).parent
    for file in folder.glob("*.py"):
        if file.name != "private_names.py":
            text = file.read_text("utf-8")
            assert not [word for word in words if word in text], file.name


async def test_the_self_test_passes_with_the_locked_versions() -> None:
    assert await self_test.fast_path_works()


async def test_a_failing_self_test_runs_the_stock_path_and_says_so(
    valkey: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_names.LeanSocket, "write", lambda self, frame: None)
    monkeypatch.setattr(self_test, "SECONDS_MAX", 0.5)
    engine = StockEngine(valkey, Stock())
    gateway = await build_realtime(web.Application(), ShowStore(valkey, engine, KINDS), Realtime(), WHO)
    assert gateway.fast is False
    assert METRICS.path.labels("stock")._value.get() == 1
    assert METRICS.path.labels("fast")._value.get() == 0


async def test_a_socket_has_no_tasks_of_its_own(valkey: Any) -> None:
    async with serving(valkey) as world:
        await world.connect("warm-up")
        before = len(asyncio.all_tasks())
        for number in range(10):
            await world.connect(f"viewer-{number}")
        # Two of aiohttp's for a connection and its handler, one for the test client's listener.
        assert len(asyncio.all_tasks()) - before <= 3 * 10


async def test_leaving_leaves_nothing_behind(valkey: Any) -> None:
    async with serving(valkey) as world:
        host = await world.connect(staff="host")
        for number in range(10):
            await (await world.connect(f"viewer-{number}", serializer="json" if number % 2 else "msgpack")).close()
        gateway = world.gateway
        await host.command("say", text="alone")
        await host.event("chat")
        channel = gateway.channels.get("demo")
        assert (len(gateway.seats), channel.socket_count(), channel.viewer_count()) == (1, 1, 0)
        server = gateway.server
        assert len(server.eio.sockets) == len(server.environ) == len(server._serializers) == len(gateway.sockets) == 1
        assert len(server.manager.rooms["/"]) == 1


def test_packets_of_both_parsers_read_alike() -> None:
    text = read_packet('23["comment",{"id":"x"}]')
    binary = read_packet(b"\x84\xa4type\x02\xa4data\x92\xa7comment\x81\xa2id\xa1x\xa3nsp\xa1/\xa2id\x03")
    assert (text.packet_type, text.data, text.id) == (binary.packet_type, binary.data, binary.id)


@pytest.mark.parametrize("data", ["2", "2{}", "2[1]", "5-[]", "7", "", b"", b"\x80", b"\xff", "2" + "[" * 10_000])
def test_what_is_no_packet_is_refused(data: str | bytes) -> None:
    with pytest.raises(PacketRefused):
        read_packet(data)
