"""ICE over TCP (RFC 6544, passive): for networks that let no UDP out. Datagrams are framed by their length (RFC 4571).

The port has the number of the UDP port. A connection that vouches for nobody within seconds is closed.
"""

from __future__ import annotations

import asyncio
import logging
import struct
import time
from typing import TYPE_CHECKING, cast

from livecommerce.http.addresses import network_of
from livecommerce.http.shares import Shares
from livecommerce.media.wire import stun
from livecommerce.media.wire.rtp import DATAGRAM_BYTES_MAX

if TYPE_CHECKING:
    from livecommerce.media.transport.mux import Mux
    from livecommerce.media.transport.peer import Peer

log = logging.getLogger(__name__)

# TCP viewers are the few behind strict firewalls; each costs a descriptor and unshared sends.
CONNECTIONS_MAX = 1_000
# Connections of strangers at once: they have no authenticated check yet.
STRANGERS_MAX = 200
# Of each of the two, those of one network, so that silent ones keep nobody else out.
STRANGERS_PER_NETWORK_MAX = 50
CONNECTIONS_PER_NETWORK_MAX = 500
# As long as an offer whose checks never come (peer.py).
STRANGER_SECONDS_MAX = 10.0
# A second of 720p. A viewer further behind gets gaps, which it repairs or a keyframe heals, instead of growing delay.
UNSENT_BYTES_MAX = 192 * 1024
_LENGTH = struct.Struct("!H")


class TcpConnection(asyncio.Protocol):
    """One connection; also the path its peer is answered by."""

    is_stream = True

    def __init__(self, door: TcpDoor) -> None:
        self._door = door
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._timer: asyncio.TimerHandle | None = None
        self.peer: Peer | None = None
        self.address: stun.Address = ()
        self.network = ""
        self.dropped = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A stream's, as it came from `create_server`; uvloop's is no subclass of asyncio's.
        transport = self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        if not peer:  # it has gone before we looked
            transport.abort()
            return
        host, port, *_ = peer
        # The third part keeps it apart from the UDP address of the same numbers.
        self.address = (host, port, "tcp")
        self.network = network_of(host)
        if not self._door.admit(self):
            transport.abort()
            return
        self._timer = asyncio.get_running_loop().call_later(STRANGER_SECONDS_MAX, self._expire)

    def _expire(self) -> None:
        if self.peer is None:
            self.abort()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._door.forget(self)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        now = time.monotonic()
        while len(self._buffer) >= 2:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > DATAGRAM_BYTES_MAX:
                self.abort()
                return
            if len(self._buffer) < 2 + length:
                return
            datagram, self._buffer = self._buffer[2 : 2 + length], self._buffer[2 + length :]
            if datagram:
                self._take(datagram, now)

    def _take(self, datagram: bytes, now: float) -> None:
        mux = self._door.mux
        if datagram[0] < 4:
            vouched = mux.receive_check(datagram, self, now, owner=self.peer)
            if self.peer is None and vouched is not None:
                self.peer = vouched
                self._door.vouched(self)
        elif self.peer is None:
            mux.counters.stranger += 1
            self.abort()
        else:
            mux.deliver(self.peer, datagram, now)

    def send(self, datagram: bytes) -> None:
        """Frames and queues a datagram; drops it where the viewer is a second behind."""
        transport = self._transport
        if transport is None or transport.is_closing() or transport.get_write_buffer_size() > UNSENT_BYTES_MAX:
            self.dropped += 1
            return
        transport.write(_LENGTH.pack(len(datagram)) + datagram)


class TcpDoor:
    """The listening side."""

    def __init__(self, mux: Mux) -> None:
        self.mux = mux
        self._strangers: set[TcpConnection] = set()
        self._known: set[TcpConnection] = set()
        self._stranger_shares = Shares(STRANGERS_PER_NETWORK_MAX)
        self._known_shares = Shares(CONNECTIONS_PER_NETWORK_MAX)
        self._server: asyncio.Server | None = None

    async def listen(self, host: str, port: int) -> None:
        """Raises OSError where the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: TcpConnection(self), host, port)

    def admit(self, connection: TcpConnection) -> bool:
        if len(self._strangers) >= STRANGERS_MAX or len(self._strangers) + len(self._known) >= CONNECTIONS_MAX:
            return False
        if not self._stranger_shares.take(connection.network):
            return False
        self._strangers.add(connection)
        return True

    def vouched(self, connection: TcpConnection) -> None:
        """A check that a peer's password signed came by it: no stranger any more."""
        if not self._known_shares.take(connection.network):
            connection.abort()
            return
        self._forget_stranger(connection)
        self._known.add(connection)

    def _forget_stranger(self, connection: TcpConnection) -> None:
        if connection in self._strangers:
            self._strangers.discard(connection)
            self._stranger_shares.give_back(connection.network)

    def forget(self, connection: TcpConnection) -> None:
        self._forget_stranger(connection)
        if connection in self._known:
            self._known.discard(connection)
            self._known_shares.give_back(connection.network)

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in (*self._strangers, *self._known):
            connection.abort()
