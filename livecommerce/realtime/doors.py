"""The two ways to one socket: the transport itself, or the stock queue."""

from __future__ import annotations

import asyncio

from livecommerce.realtime.close_codes import CloseCode
from livecommerce.realtime.frames import payload_of
from livecommerce.realtime.private_names import LeanSocket, MixedServer


class FastDoor:
    """Writes whole frames to the transport."""

    __slots__ = ("socket",)

    def __init__(self, socket: LeanSocket) -> None:
        self.socket = socket

    def buffered(self) -> int:
        transport = self.socket.transport
        return transport.get_write_buffer_size() if transport is not None else 0

    def write(self, frame: bytes) -> None:
        self.socket.write(frame)

    def goodbye(self, close_code: CloseCode) -> None:
        self.socket.goodbye(close_code)


class StockDoor:
    """Hands messages to the stock server, in order, from one task per socket.

    Its queue needs no limit of its own: `buffered` tells of it, and the broadcast closes who lets CLOSE_BYTES wait.
    """

    __slots__ = ("_eio_sid", "_pending", "_server", "_task", "_waiting_bytes")

    def __init__(self, server: MixedServer, eio_sid: str) -> None:
        self._server = server
        self._eio_sid = eio_sid
        self._pending: list[bytes] = []
        self._waiting_bytes = 0
        self._task: asyncio.Task[None] | None = None

    def buffered(self) -> int:
        return self._waiting_bytes + self._server.queued_bytes(self._eio_sid)

    def write(self, frame: bytes) -> None:
        self._pending.append(frame)
        self._waiting_bytes += len(frame)
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._drain())

    async def _drain(self) -> None:
        while self._pending:
            frame = self._pending.pop(0)
            self._waiting_bytes -= len(frame)
            await self._server.eio.send(self._eio_sid, payload_of(frame))

    def goodbye(self, close_code: CloseCode) -> None:
        self._server.goodbye(self._eio_sid, close_code)
