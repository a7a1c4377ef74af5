"""The socket: what the kernel refuses is counted, what a path refuses is sent otherwise, nothing is raised."""

from __future__ import annotations

import errno
import os
import socket
from typing import Any

import pytest

from livecommerce.media.transport.udp import Socket, UdpPath, open_socket

THERE = ("127.0.0.1", 9)


class Kernel:
    """Answers each call as told; `sent` are the datagrams it took."""

    def __init__(self, fault: OSError | None = None, *, has_gso: bool = True) -> None:
        self.fault, self.has_gso = fault, has_gso
        self.sent: list[bytes] = []

    def setsockopt(self, *_: Any) -> None:
        if not self.has_gso:
            raise OSError(errno.ENOPROTOOPT, os.strerror(errno.ENOPROTOOPT))

    def sendto(self, datagram: bytes, address: Any) -> int:
        if self.fault is not None:
            raise self.fault
        self.sent.append(datagram)
        return len(datagram)

    def fileno(self) -> int:
        return 7


def on(kernel: Kernel) -> Socket:
    return Socket(kernel, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fault", "packets", "refused"),
    [
        (None, 1, 0),
        (BlockingIOError(errno.EAGAIN, "full"), 0, 1),
        (OSError(errno.ENETUNREACH, "no way"), 0, 1),
        (ConnectionRefusedError(errno.ECONNREFUSED, "nobody"), 0, 1),
    ],
)
def test_a_datagram_is_taken_or_counted(fault: OSError | None, packets: int, refused: int) -> None:
    out = on(Kernel(fault))
    UdpPath(out, THERE).send(b"12345")
    counters = out.counters
    assert (counters.packets, counters.calls, counters.octets, counters.refused) == (
        packets,
        packets,
        5 * packets,
        refused,
    )


@pytest.mark.parametrize(
    ("code", "segmented_before", "count", "is_sent_plainly", "stays_on"),
    [
        (errno.EAGAIN, 100, 3, False, True),
        (errno.ENETUNREACH, 100, 3, False, True),
        (errno.EIO, 100, 3, True, False),
        (errno.EOPNOTSUPP, 100, 3, True, False),
        (errno.EMSGSIZE, 100, 3, True, True),
        (errno.EMSGSIZE, 0, 3, True, False),
        (errno.EMSGSIZE, 100, 1, False, True),
    ],
    ids=["full", "no way there", "no offload", "not supported", "a narrow path", "it never worked", "one datagram"],
)
def test_a_segmented_send_that_failed(
    code: int, segmented_before: int, count: int, is_sent_plainly: bool, stays_on: bool
) -> None:
    kernel = Kernel()
    out = on(kernel)
    out.counters.segmented = segmented_before
    datagrams = bytearray(b"abcde" * count)[: 5 * count - 2]
    out.failed(OSError(code, os.strerror(code)), datagrams, 5, THERE)
    assert b"".join(kernel.sent) == (bytes(datagrams) if is_sent_plainly else b"")
    assert len(kernel.sent) == (count if is_sent_plainly else 0)
    assert out.counters.refused == (0 if is_sent_plainly else count)
    assert out.has_gso is stays_on


@pytest.mark.parametrize("has_gso", [True, False])
def test_it_asks_the_kernel_once_whether_it_segments(has_gso: bool) -> None:
    assert on(Kernel(has_gso=has_gso)).has_gso is has_gso


def test_what_segmented_calls_took_is_counted() -> None:
    out = on(Kernel())
    out.sent(2, 40, 48_000)
    assert (out.counters.calls, out.counters.packets, out.counters.segmented) == (2, 40, 38)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_port_has_room_for_a_burst(host: str) -> None:
    udp = open_socket(host, 0)
    try:
        with socket.socket(udp.family, socket.SOCK_DGRAM) as plain:
            usual = plain.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        assert udp.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= usual
        out = Socket(udp, None)
        assert out.fileno() == udp.fileno()
        with pytest.raises(OSError):
            open_socket(host, udp.getsockname()[1])
    finally:
        udp.close()
    assert out.fileno() == -1, "a number that may be another file by now"
    out.send(b"too late", THERE)
    assert out.counters.refused == 1
