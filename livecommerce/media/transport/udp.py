"""The relay's UDP socket: sends that never block, segmentation offload while the kernel has it, and what left.

`UDP_SEGMENT` (GSO) hands the kernel one buffer of equal segments; where a path refuses it, plain sends take over for
the rest of the process.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

from livecommerce.media.wire.stun import Address

log = logging.getLogger(__name__)

# Of linux/udp.h; Python's `socket` has no names for them.
SOL_UDP, UDP_SEGMENT = 17, 103
# What a device or kernel without segmentation offload answers: it will not get better.
_GSO_ABSENT = (errno.EIO, errno.EOPNOTSUPP, errno.ENOPROTOOPT)
# What one viewer's narrow path answers (a tunnel's small MTU): only that viewer is sent to plainly.
_GSO_TOO_LARGE = (errno.EINVAL, errno.EMSGSIZE)
# Of the kernel's queue in each direction: the 200 KiB it gives unasked are full of one keyframe to a few viewers. The
# system may give less than this (net.core.wmem_max, rmem_max).
BUFFER_BYTES = 4 * 1024 * 1024


@dataclass(slots=True)
class SendCounters:
    """What left the socket.

    `calls` counts messages given to the kernel, segmented or plain (the compiled core gives many in one system call);
    `refused` datagrams it had no room for; viewers ask for them again. `repairs` were asked for by viewers, by RTX or
    as the identical bytes; `probes` are measurements of a viewer's line.
    """

    packets: int = 0
    calls: int = 0
    octets: int = 0
    refused: int = 0
    segmented: int = 0
    repairs: int = 0
    probes: int = 0


class Socket:
    """A non-blocking UDP socket with sticky GSO.

    Args:
        core: the compiled core (`compiled.core()`), or None for Python alone.
    """

    def __init__(self, udp: socket.socket, core: ModuleType | None) -> None:
        self._udp = udp
        self.core = core
        self.counters = SendCounters()
        self.has_gso = self._probe()

    def _probe(self) -> bool:
        try:
            self._udp.setsockopt(SOL_UDP, UDP_SEGMENT, 0)
        except OSError:
            return False
        return True

    def send(self, datagram: bytes, address: Address) -> None:
        try:
            self._udp.sendto(datagram, address)
        except (BlockingIOError, InterruptedError):
            self.counters.refused += 1
            return
        except OSError as error:
            # Unreachable peers, firewalls: the peer's silence will end it.
            log.debug("send to %s: %s", address, error)
            self.counters.refused += 1
            return
        self.counters.packets += 1
        self.counters.calls += 1
        self.counters.octets += len(datagram)

    def fileno(self) -> int:
        """The descriptor, for the compiled core; -1 once closed, so that nobody sends to another file by it."""
        return self._udp.fileno()

    @property
    def sendmsg(self) -> Callable[..., int]:
        """The bare system call, for the fan-out's loop; what it raises goes to `failed`."""
        return self._udp.sendmsg

    def sent(self, calls: int, packets: int, octets: int) -> None:
        """Counts what `sendmsg` took."""
        self.counters.calls += calls
        self.counters.packets += packets
        self.counters.octets += octets
        self.counters.segmented += packets - calls

    def failed(self, error: OSError, datagrams: bytearray, segment: int, address: Address) -> None:
        """A segmented send failed: no room (repairs will follow), or a path without offload (plain sends instead)."""
        count = -(-len(datagrams) // segment)
        if count == 1 or error.errno not in (*_GSO_ABSENT, *_GSO_TOO_LARGE):
            self.counters.refused += count
            return
        if error.errno in _GSO_ABSENT or not self.counters.segmented:
            log.warning("segmentation offload is off from now on: %s", error)
            self.has_gso = False
        for start in range(0, len(datagrams), segment):
            self.send(bytes(datagrams[start : start + segment]), address)


class UdpPath:
    """A verified UDP address."""

    __slots__ = ("_socket", "address")

    is_stream = False

    def __init__(self, socket_: Socket, address: Address) -> None:
        self._socket = socket_
        self.address = address

    def send(self, datagram: bytes) -> None:
        self._socket.send(datagram, self.address)


def open_socket(host: str, port: int) -> socket.socket:
    """Binds the relay's port with large buffers.

    Raises:
        OSError: where the address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    udp = socket.socket(family, socket.SOCK_DGRAM)
    udp.setblocking(False)
    if family == socket.AF_INET6:
        udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    for name, forced in ((socket.SO_RCVBUF, 33), (socket.SO_SNDBUF, 32)):
        udp.setsockopt(socket.SOL_SOCKET, name, BUFFER_BYTES)
        with contextlib.suppress(OSError):  # SO_*BUFFORCE ignores the system's limit where we may
            udp.setsockopt(socket.SOL_SOCKET, forced, BUFFER_BYTES)
    udp.bind((host, port))
    return udp
