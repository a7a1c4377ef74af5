"""ICE over TCP: datagrams come out of the stream as they were framed, in whatever pieces it arrives."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from livecommerce.media.transport import tcp
from livecommerce.media.transport.dtls import HandshakePool, Identity
from livecommerce.media.transport.mux import Mux
from livecommerce.media.transport.tcp import (
    STRANGERS_MAX,
    STRANGERS_PER_NETWORK_MAX,
    UNSENT_BYTES_MAX,
    TcpConnection,
    TcpDoor,
)
from livecommerce.media.wire.rtp import DATAGRAM_BYTES_MAX
from tests.media.transport.test_mux import Ear, check


class Line:
    """A transport: what was written, how much waits, whether it was cut."""

    def __init__(self, number: int = 1, host: str = "127.0.0.9") -> None:
        self.peer_address: tuple[str, int] | None = (host, 40_000 + number)
        self.written = b""
        self.waiting = 0
        self.is_cut = False

    def get_extra_info(self, name: str) -> Any:
        assert name == "peername"
        return self.peer_address

    def is_closing(self) -> bool:
        return self.is_cut

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def write(self, data: bytes) -> None:
        self.written += data

    def abort(self) -> None:
        self.is_cut = True


@pytest.fixture
def door() -> Iterator[TcpDoor]:
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    mux = Mux(udp, HandshakePool(Identity()), None)
    yield TcpDoor(mux)
    udp.close()
    mux.handshakes.close()


def connect(door: TcpDoor, number: int = 1) -> tuple[TcpConnection, Line]:
    connection, line = TcpConnection(door), Line(number)
    connection.connection_made(line)  # type: ignore[arg-type]
    return connection, line


def framed(*datagrams: bytes) -> bytes:
    return b"".join(struct.pack("!H", len(datagram)) + datagram for datagram in datagrams)


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1_000])
async def test_datagrams_come_out_in_whatever_pieces_they_arrive(door: TcpDoor, piece: int) -> None:
    peer = Ear(door.mux)
    door.mux.register(peer)
    connection, line = connect(door)
    stream = framed(check(peer), b"\x80\x66" + bytes(20), b"", b"\x16\xfe\xfd", b"\x80\xc8" + bytes(9))
    for start in range(0, len(stream), piece):
        connection.data_received(stream[start : start + piece])
    assert connection.peer is peer
    assert peer.heard == ["rtp", "dtls", "rtcp"]
    assert not line.is_cut
    (length,) = struct.unpack("!H", line.written[:2])
    assert len(line.written) == 2 + length, "the check was answered by the same way"
    assert door.mux.address_count == 0, "an address of TCP is no address of UDP"


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("!H", DATAGRAM_BYTES_MAX + 1),
        struct.pack("!H", 0xFFFF) + bytes(100),
        framed(b"\x80\x66" + bytes(20)),
        framed(b"\x16\xfe\xfd" + bytes(20)),
        b"GET / HTTP/1.1\r\nHost: relay\r\n\r\n",
    ],
    ids=["longer than a datagram", "as long as can be", "media of a stranger", "a stranger's handshake", "HTTP"],
)
async def test_whoever_sends_anything_else_first_is_cut_off(door: TcpDoor, data: bytes) -> None:
    connection, line = connect(door)
    connection.data_received(data)
    assert line.is_cut
    assert connection.peer is None


async def test_a_check_that_nobody_signed_leaves_it_a_stranger(door: TcpDoor) -> None:
    peer = Ear(door.mux)
    door.mux.register(peer)
    connection, line = connect(door)
    connection.data_received(framed(check(peer, "guess")))
    assert (connection.peer, line.written, line.is_cut) == (None, b"", False)
    connection._expire()
    assert line.is_cut


async def test_strangers_are_few_and_who_vouched_is_none_of_them(
    door: TcpDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcp, "STRANGERS_MAX", 2)
    monkeypatch.setattr(tcp, "CONNECTIONS_MAX", 3)
    peer = Ear(door.mux)
    door.mux.register(peer)
    known, _ = connect(door, 1)
    known.data_received(framed(check(peer)))
    waiting = [connect(door, number) for number in (2, 3)]
    _, refused = connect(door, 4)
    assert refused.is_cut
    assert not any(line.is_cut for _, line in waiting)
    waiting[0][0].connection_lost(None)
    _, taken = connect(door, 5)
    assert not taken.is_cut, "a place that is free again"


async def test_silent_connections_of_one_network_keep_nobody_else_out(door: TcpDoor) -> None:
    lines = [connect(door, number)[1] for number in range(STRANGERS_MAX)]
    assert sum(line.is_cut for line in lines) == STRANGERS_MAX - STRANGERS_PER_NETWORK_MAX
    other = TcpConnection(door)
    line = Line(1, "198.51.100.9")
    other.connection_made(line)  # type: ignore[arg-type]
    assert not line.is_cut


async def test_who_reads_too_slowly_gets_gaps_and_no_growing_delay(door: TcpDoor) -> None:
    connection, line = connect(door)
    connection.send(b"first")
    line.waiting = UNSENT_BYTES_MAX + 1
    connection.send(b"late")
    line.waiting = 0
    connection.send(b"next")
    assert line.written == framed(b"first", b"next")
    connection.connection_lost(None)
    connection.send(b"to nobody")
    assert connection.dropped == 2


def test_who_has_gone_before_we_looked_is_no_fault(door: TcpDoor) -> None:
    line = Line()
    line.peer_address = None  # what a transport says of a connection that was reset
    connection = TcpConnection(door)
    connection.connection_made(line)  # type: ignore[arg-type]
    assert line.is_cut
    connection.connection_lost(None)
    assert not door._strangers
