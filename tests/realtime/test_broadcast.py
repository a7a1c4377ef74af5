"""Viewers that do not keep up: first without chat, then only the latest, then closed; the others notice nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from livecommerce.realtime import broadcast as module
from livecommerce.realtime.broadcast import CLOSE_BYTES, LEAN_BYTES, NOTHING_BYTES, broadcast
from livecommerce.realtime.close_codes import CloseCode
from livecommerce.realtime.viewers import Viewer
from tests.realtime.world import SHOW, World


class Pipe:
    """A transport and door whose peer reads when told to."""

    def __init__(self) -> None:
        self.size = 0
        self.written: list[bytes] = []
        self.closed_with: CloseCode | None = None

    def is_closing(self) -> bool:
        return self.closed_with is not None

    def get_write_buffer_size(self) -> int:
        return self.size

    buffered = get_write_buffer_size

    def write(self, frame: bytes) -> None:
        self.written.append(frame)

    def goodbye(self, close_code: CloseCode) -> None:
        self.closed_with = close_code


def viewer_on(pipe: Pipe) -> Viewer:
    viewer = Viewer.__new__(Viewer)
    viewer.door = pipe
    viewer.behind, viewer.serializer = None, "json"
    viewer.plug(pipe)  # type: ignore[arg-type]
    return viewer


async def send(viewer: Viewer, number: int) -> Any:
    return await broadcast(
        [viewer], b"full %d" % number, lambda: b"lean %d" % number, f"{number}-0",
        lambda late: f"missed since {late.behind}".encode(),
    )  # fmt: skip


async def test_three_steps_and_the_way_back() -> None:
    pipe = Pipe()
    viewer = viewer_on(pipe)
    story = [
        (0, b"full 0"),
        (LEAN_BYTES - 1, b"full 1"),
        (LEAN_BYTES, b"lean 2"),
        (NOTHING_BYTES, None),
        (CLOSE_BYTES, None),
        (LEAN_BYTES, None),  # drained a little: still waits for all of it to be read
        (LEAN_BYTES - 1, b"missed since 3-0"),
        (0, b"full 7"),
    ]
    for number, (size, expected) in enumerate(story):
        pipe.size = size
        count = len(pipe.written)
        await send(viewer, number)
        assert pipe.written[count:] == ([] if expected is None else [expected]), number
    pipe.size = CLOSE_BYTES + 1
    await send(viewer, 8)
    assert pipe.closed_with is not None
    assert (pipe.closed_with.number, pipe.closed_with.reconnect) == (4001, True)


async def test_a_connection_that_just_ended_is_passed_over() -> None:
    class Gone(Pipe):
        def write(self, frame: bytes) -> None:
            raise RuntimeError("unable to perform operation; the handler is closed")  # as uvloop says it

    pipes = [Pipe(), Gone(), Pipe()]
    viewers = [viewer_on(pipe) for pipe in pipes]
    await broadcast(viewers, b"full", lambda: b"lean", "1-0", lambda late: None)
    assert [pipe.written for pipe in pipes] == [[b"full"], [], [b"full"]]


async def test_slow_for_too_long_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    pipe = Pipe()
    viewer = viewer_on(pipe)
    pipe.size = LEAN_BYTES
    await send(viewer, 0)
    clock[0] += module.SLOW_SECONDS_MAX
    await send(viewer, 1)
    assert pipe.closed_with is None
    clock[0] += 0.1
    await send(viewer, 2)
    assert pipe.closed_with is not None


async def test_a_viewer_that_stops_reading_is_closed_and_the_others_miss_nothing(
    fast_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = fast_world
    stalled = await world.connect("stalled")
    world.clients.remove(stalled)  # it will not take part in goodbyes
    stalled._task.cancel()  # type: ignore[union-attr]
    stalled.websocket._response.connection.transport.pause_reading()
    anna = await world.connect("anna")
    channel = world.gateway.channels.get(SHOW)
    text = "很長的一句話" * 30
    monkeypatch.setattr(module, "SLOW_SECONDS_MAX", 0.5)
    size_max = 0
    for number in range(100_000):  # ends when the server has had enough, far sooner
        line = {
            "t": "chat",
            "id": f"line-{number:05}",
            "viewer": "x",
            "name": "x",
            "text": text,
            "at": 1,
            "kind": "viewer",
        }
        channel.pending.append((f"9999999999999-{number}", [line] * 20))
        await channel.tick()
        await asyncio.sleep(0.001)
        stuck = [v for v in channel.everyone() if v.viewer == "stalled"]
        size_max = max([size_max, *(v.door.buffered() for v in stuck)])
        if not stuck or stuck[0].transport is None:
            break
    assert LEAN_BYTES < size_max <= CLOSE_BYTES
    last = f"9999999999999-{number}"
    await anna.until(lambda: anna.chain()[-1] == last)
    stalled.websocket._response.connection.transport.abort()


async def test_lean_frames_keep_counters_and_pins(fast_world: World) -> None:
    channel = (await fast_world.connect("anna")) and fast_world.gateway.channels.get(SHOW)
    events = [{"t": "chat"}, {"t": "claim"}, {"t": "stock", "items": {}}, {"t": "pin"}, {"t": "hidden"}]
    kept = [(job.full, job.lean()) for job in channel._jobs("viewer", channel.parts, events, "1-0", 1)]
    assert len(kept) == 1
    assert b"chat" in kept[0][0]
    assert b"chat" not in kept[0][1]
    for name in (b"stock", b"pin", b"hidden"):
        assert name in kept[0][1]
