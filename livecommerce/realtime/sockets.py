"""The engine sockets of a process, from the handshake until their connection is gone: whose place each of them takes.

| state | its place is one of | no longer than |
|---|---|---|
| unjoined: it has asked for no show yet, or was refused | `UNJOINED_MAX`, a part of them its network's | JOIN_SECONDS |
| joined: it has a seat | `viewers_max`, a part of them its network's | it answers pings |
| closing: it left, or was told to go | those it had a place of before | GOODBYE_SECONDS |

There is no other state: who has joined and leaves does not come back on the same socket.
"""

from __future__ import annotations

from livecommerce.http.shares import Shares
from livecommerce.realtime import limits


class Socket:
    """One of them, from `opened` to `gone`."""

    __slots__ = ("budget", "has_joined", "is_closing", "network", "refusals")

    def __init__(self, network: str) -> None:
        self.network = network
        self.budget = limits.MessageBudget()
        self.refusals = 0
        self.has_joined = self.is_closing = False


class Sockets:
    def __init__(self, viewers_max: int, network_percent: int) -> None:
        self.all_of = Shares(max(1, viewers_max * network_percent // 100))
        self.unjoined_of = Shares(max(1, limits.UNJOINED_MAX * network_percent // 100))
        self.unjoined = 0
        self._most = viewers_max
        self._sockets: dict[str, Socket] = {}

    def __len__(self) -> int:
        return len(self._sockets)

    def get(self, eio_sid: str) -> Socket | None:
        return self._sockets.get(eio_sid)

    def is_full(self, network: str) -> bool:
        """Whether there is no room for one more, or for one more of this network."""
        return (
            self.all_of.is_full(network)
            or self.unjoined_of.is_full(network)
            or self.unjoined >= limits.UNJOINED_MAX
            or len(self._sockets) >= self._most + limits.UNJOINED_MAX
        )

    def opened(self, eio_sid: str, network: str) -> None:
        self._sockets[eio_sid] = Socket(network)
        self.all_of.take(network)
        self.unjoined_of.take(network)
        self.unjoined += 1

    def joined(self, eio_sid: str) -> bool:
        """False where it has ended meanwhile: then nothing changes."""
        socket = self._sockets.get(eio_sid)
        if socket is None or socket.is_closing:
            return False
        if not socket.has_joined:
            socket.has_joined = True
            self._waits_no_more(socket)
        return True

    def closes(self, eio_sid: str) -> None:
        """It is read no more; its place it keeps until the connection is gone."""
        socket = self._sockets.get(eio_sid)
        if socket is not None:
            socket.is_closing = True

    def gone(self, eio_sid: str) -> None:
        socket = self._sockets.pop(eio_sid, None)
        if socket is None:
            return
        self.all_of.give_back(socket.network)
        if not socket.has_joined:
            self._waits_no_more(socket)

    def _waits_no_more(self, socket: Socket) -> None:
        self.unjoined_of.give_back(socket.network)
        self.unjoined -= 1
