"""The two ways to a socket: what waits is known in both, and order is kept."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from livecommerce.realtime.close_codes import SLOW, CloseCode
from livecommerce.realtime.doors import FastDoor, StockDoor
from livecommerce.realtime.frames import event_frame, payload_of
from tests.realtime.world import SHOW, World


class SlowServer:
    """A stock server whose queue takes a message only when told to."""

    def __init__(self) -> None:
        self.eio = self
        self.sent: list[Any] = []
        self.gate = asyncio.Semaphore(0)
        self.said: list[CloseCode] = []

    def queued_bytes(self, eio_sid: str) -> int:
        return 1_000

    async def send(self, eio_sid: str, payload: Any) -> None:
        await self.gate.acquire()
        self.sent.append(payload)

    def goodbye(self, eio_sid: str, close_code: CloseCode) -> None:
        self.said.append(close_code)


async def test_the_stock_door_keeps_order_and_counts_what_waits() -> None:
    server = SlowServer()
    door = StockDoor(server, "e1")  # type: ignore[arg-type]
    frames = [event_frame("json", "frame", {"number": number}) for number in range(5)]
    assert door.buffered() == 1_000, "what the server's own queue holds"
    for frame in frames:
        door.write(frame)
    assert door.buffered() == 1_000 + sum(map(len, frames))
    for frame in frames[:2]:
        server.gate.release()
        while payload_of(frame) not in server.sent:
            await asyncio.sleep(0)
    assert server.sent == [payload_of(frame) for frame in frames[:2]]
    for _ in range(3):
        server.gate.release()
    while len(server.sent) < 5:
        await asyncio.sleep(0)
    assert server.sent == [payload_of(frame) for frame in frames]
    assert door.buffered() == 1_000
    door.goodbye(SLOW)
    assert server.said == [SLOW]


async def test_the_stock_door_begins_again_after_a_rest() -> None:
    server = SlowServer()
    door = StockDoor(server, "e1")  # type: ignore[arg-type]
    for number in range(3):
        frame = event_frame("msgpack", "frame", number)
        server.gate.release()
        door.write(frame)
        while len(server.sent) <= number:
            await asyncio.sleep(0)
        assert server.sent[-1] == payload_of(frame)


async def test_the_fast_door_is_the_transport(fast_world: World) -> None:
    anna = await fast_world.connect("anna", serializer="json")
    channel = fast_world.gateway.channels.get(SHOW)
    assert channel is not None
    (viewer,) = channel.everyone()
    door = viewer.door
    assert isinstance(door, FastDoor)
    assert viewer.pipe is door.socket.transport
    door.write(event_frame("json", "hello", {"n": 1}))
    assert await anna.until(lambda: anna.all("hello")) == [{"n": 1}]
    assert door.buffered() == door.socket.transport.get_write_buffer_size()
    door.goodbye(SLOW)
    assert await anna.until(lambda: anna.closed) == SLOW.number
    door.socket.transport = None
    assert door.buffered() == 0
    door.write(b"to nobody")


async def test_both_doors_tell_of_a_reader_that_reads_nothing(world: World) -> None:
    stalled = await world.connect("stalled")
    world.clients.remove(stalled)  # it will not take part in goodbyes
    stalled._task.cancel()  # type: ignore[union-attr]
    stalled.websocket._response.connection.transport.pause_reading()
    channel = world.gateway.channels.get(SHOW)
    assert channel is not None
    (viewer,) = channel.everyone()
    frame = event_frame("msgpack", "frame", {"text": "x" * 60_000})
    async with asyncio.timeout(20):
        while viewer.door is not None and viewer.door.buffered() < 1_000_000:
            viewer.door.write(frame)
            await asyncio.sleep(0)
    assert viewer.door is not None, "a door only tells; whom to close is the broadcast's to say"
    stalled.websocket._response.connection.transport.abort()


@pytest.mark.parametrize("serializer", ["json", "msgpack"])
async def test_a_viewer_hears_the_same_through_both(world: World, serializer: str) -> None:
    anna = await world.connect("anna", serializer=serializer)
    channel = world.gateway.channels.get(SHOW)
    assert channel is not None
    (viewer,) = channel.everyone()
    for number in range(20):
        viewer.send("hello", {"number": number, "字": "字"})
    await anna.until(lambda: len(anna.all("hello")) == 20)
    assert anna.all("hello") == [{"number": number, "字": "字"} for number in range(20)]
