"""Ports before the children need them: is it free, whose is it, and keep it while a child restarts."""

from __future__ import annotations

import errno
import random
import socket
from collections.abc import Sequence

from livecommerce.ops.errors import PortInUse
from livecommerce.settings import environment_name

_BASE_TRIES = 64  # random bases tried for a row of free ports; on a sane machine the first fits
_FREE_FROM, _FREE_TO = 10_240, 32_000  # Linux gives out 32768 and up by itself, the BSDs 49152 and up
RELAY_OFFSET = 100  # internal ports: web n at +n, relay n at +100+n, worker at +200 of http.internal_port
WORKER_OFFSET = 200


def internal_port(base: int, role: str, index: int = 0) -> int | None:
    """The port of /health and /metrics of one process, None when switched off (`base`, `http.internal_port`, is -1).

    With 0 the process takes any free port (tests); `serve` replaces 0 by a real base first.
    """
    if base < 0:
        return None
    if base == 0:
        return 0
    return base + {"web": 0, "relay": RELAY_OFFSET, "worker": WORKER_OFFSET}[role] + index


def _bind(host: str, port: int, kind: socket.SocketKind, *, shared: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, kind)
    try:
        if shared:
            # this alone: with SO_REUSEADDR too, Linux would let strangers bind beside a socket that does not listen
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        elif kind == socket.SOCK_STREAM:
            # without SO_REUSEADDR a port in TIME_WAIT from our last run would look taken
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
    except BaseException:
        made.close()
        raise
    return made


def problem(host: str, port: int, kind: socket.SocketKind) -> OSError | None:
    """Why this port cannot be bound now, None when it can."""
    try:
        made = _bind(host, port, kind, shared=False)
    except OSError as error:
        return error
    made.close()
    return None


def refuse_taken(host: str, port: int, kind: socket.SocketKind, setting: str) -> None:
    """
    Raises:
        PortInUse: the reason says which port, what it is for and which setting changes it.
    """
    error = problem(host, port, kind)
    if error is None:
        return
    word = "TCP" if kind == socket.SOCK_STREAM else "UDP"
    host_setting = f"{setting.partition('.')[0]}.{'internal_host' if 'internal' in setting else 'host'}"
    mend = f"Set {environment_name(setting)} to another, or end what has it."
    if error.errno == errno.EADDRINUSE:
        why = f"{word} port {port} on {host} is in use by another program"
    elif error.errno == errno.EACCES:
        why = f"{word} port {port} on {host} may not be used by this user (below 1024?)"
    elif error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        why = f"{host} is not an address of this machine"
        if isinstance(error, socket.gaierror):
            why = f"{host} is no name of this machine ({error.strerror})"
        mend = f"Set {environment_name(host_setting)} to one of them, or to 0.0.0.0."
    else:
        why = f"{word} port {port} on {host}: {error.strerror}"
    raise PortInUse(f"{why}. {mend}", port=port)


def refuse_host(host: str, setting: str) -> None:
    """As `refuse_taken`, of the host alone; no port of it is touched that anybody has.

    Raises:
        PortInUse: it cannot be resolved, or is another machine's.
    """
    refuse_taken(host, 0, socket.SOCK_STREAM, setting)


def reserve(host: str, port: int) -> socket.socket:
    """A bound TCP socket that does not listen: the port stays ours while the web processes, which bind it with
    SO_REUSEPORT, come and go. `port` 0 takes a free one. Connections never reach a socket that does not listen."""
    return _bind(host, port, socket.SOCK_STREAM, shared=True)


def free_row(host: str, kinds: Sequence[socket.SocketKind], offsets: Sequence[int]) -> int:
    """A base port such that base + every offset is free for all `kinds`.

    Below the range from which systems give out ephemeral ports: between this look and the bind, seconds later in a
    child, any outgoing connection could take one of those.

    Raises:
        PortInUse: none was found in _BASE_TRIES random bases.
    """
    for _ in range(_BASE_TRIES):
        base = random.randrange(_FREE_FROM, _FREE_TO - max(offsets))
        if all(problem(host, base + offset, kind) is None for offset in offsets for kind in kinds):
            return base
    raise PortInUse(f"No {len(offsets)} free ports in a row on {host}.", port=0)
