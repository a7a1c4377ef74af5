"""A bad network in front of the relay, in a process of its own: loss, delay, jitter, a narrow line, blackouts.

The tests need no privileges for it: it stands at another loopback address with the relay's own port number
(127.0.0.2:P before 127.0.0.1:P), and every client gets one upstream socket, so that the relay sees as many addresses as
there are clients. All that is random comes from one seed; a loss pattern may be a list instead.
"""

from __future__ import annotations

import contextlib
import heapq
import json
import random
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

# A test has a handful of browsers, each with a few sockets while it gathers.
CLIENTS_MAX = 64
# What a home router queues before it drops: longer would hide the narrow line behind seconds of delay.
QUEUE_SECONDS_MAX = 0.3
DELAYED_MAX = 20_000
DATAGRAM_BYTES_MAX = 65_535
STREAM_BYTES_MAX = 65_536


@dataclass(frozen=True)
class Line:
    """One direction of the line; the default lets everything through at once.

    Attributes:
        loss: share of datagrams lost at random, 0..1.
        pattern: instead of `loss`: for each media packet (RTP, not RTCP) whether it is lost; repeated for ever.
        delay_ms: every datagram's delay.
        jitter_ms: up to so much more, anew for each datagram, so they overtake one another.
        kbps: width of the line with a drop-tail queue; 0 is unlimited.
        is_blocked: nothing passes (a tunnel, or UDP refused by a firewall).
    """

    loss: float = 0.0
    pattern: tuple[bool, ...] = ()
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    kbps: int = 0
    is_blocked: bool = False


@dataclass
class Counters:
    """Datagrams of one direction. `late`: passed after one that was sent after it."""

    passed: int = 0
    lost: int = 0
    queue_full: int = 0
    late: int = 0


@dataclass
class Direction:
    """A line at work: decides for each datagram when it leaves, or that it does not."""

    seed: int
    line: Line = Line()
    counters: Counters = field(default_factory=Counters)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._pattern: Iterator[bool] = iter(())
        self._free_at = 0.0
        self._leaves_last = 0.0

    def become(self, line: Line) -> None:
        self.line = line
        self._pattern = self._repeat(line.pattern)

    @staticmethod
    def _repeat(pattern: tuple[bool, ...]) -> Iterator[bool]:
        while pattern:
            yield from pattern

    def _is_lost(self, datagram: bytes) -> bool:
        if self.line.is_blocked:
            return True
        if self.line.pattern:
            is_media = len(datagram) > 1 and 128 <= datagram[0] <= 191 and not 192 <= datagram[1] <= 223
            return is_media and next(self._pattern)
        return self._random.random() < self.line.loss

    def leaves_at(self, datagram: bytes, now: float) -> float | None:
        """When this datagram goes on; None where it is lost."""
        if self._is_lost(datagram):
            self.counters.lost += 1
            return None
        leaves = now
        if self.line.kbps:
            self._free_at = max(self._free_at, now)
            if self._free_at - now > QUEUE_SECONDS_MAX:
                self.counters.queue_full += 1
                return None
            self._free_at += (len(datagram) + 28) * 8 / (self.line.kbps * 1_000)
            leaves = self._free_at
        leaves += (self.line.delay_ms + self._random.random() * self.line.jitter_ms) / 1_000
        if leaves < self._leaves_last:
            self.counters.late += 1
        self._leaves_last = max(self._leaves_last, leaves)
        self.counters.passed += 1
        return leaves


class Forwarder:
    """The loop of the process: UDP by the lines, TCP as it comes (with `tcp`)."""

    def __init__(self, door: tuple[str, int], relay: tuple[str, int], seed: int, *, tcp: bool) -> None:
        self._relay = relay
        self.up, self.down = Direction(seed), Direction(seed + 1)
        self._selector = selectors.DefaultSelector()
        self._door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._door.bind(door)
        self._door.setblocking(False)
        self._clients: dict[tuple[str, int], socket.socket] = {}
        self._delayed: list[tuple[float, int, socket.socket, bytes, tuple[str, int]]] = []
        self._order = 0
        self.streams = 0
        self._selector.register(self._door, selectors.EVENT_READ, self._from_clients)
        if tcp:
            listener = socket.create_server(door)
            listener.setblocking(False)
            self._selector.register(listener, selectors.EVENT_READ, lambda: self._accept(listener))

    def _upstream(self, client: tuple[str, int]) -> socket.socket | None:
        known = self._clients.get(client)
        if known is None and len(self._clients) < CLIENTS_MAX:
            known = self._clients[client] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            known.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            known.setblocking(False)
            known.bind((self._relay[0], 0))
            self._selector.register(known, selectors.EVENT_READ, lambda: self._from_relay(known, client))
        return known

    def _from_clients(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                datagram, client = self._door.recvfrom(DATAGRAM_BYTES_MAX)
                upstream = self._upstream(client)
                if upstream is not None:
                    self._pass(self.up, upstream, datagram, self._relay)

    def _from_relay(self, upstream: socket.socket, client: tuple[str, int]) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while True:
                self._pass(self.down, self._door, upstream.recv(DATAGRAM_BYTES_MAX), client)

    def _pass(self, direction: Direction, out: socket.socket, datagram: bytes, target: tuple[str, int]) -> None:
        now = time.monotonic()
        leaves = direction.leaves_at(datagram, now)
        if leaves is None:
            return
        if leaves <= now or len(self._delayed) >= DELAYED_MAX:
            self._send(out, datagram, target)
            return
        self._order += 1
        heapq.heappush(self._delayed, (leaves, self._order, out, datagram, target))

    @staticmethod
    def _send(out: socket.socket, datagram: bytes, target: tuple[str, int]) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            out.sendto(datagram, target)

    def _accept(self, listener: socket.socket) -> None:
        near, _ = listener.accept()
        far = socket.create_connection(self._relay)
        self.streams += 1
        for source, sink in ((near, far), (far, near)):
            source.settimeout(5.0)
            self._selector.register(source, selectors.EVENT_READ, lambda a=source, b=sink: self._copy(a, b))

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            octets = source.recv(STREAM_BYTES_MAX)
            sink.sendall(octets)
        except OSError:
            octets = b""
        if octets:
            return
        for each in (source, sink):
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(each)
            each.close()

    def _command(self) -> bool:
        """One line from the test; False at the end of its input."""
        text = sys.stdin.readline()
        if not text:
            return False
        said = json.loads(text)
        for name, direction in (("up", self.up), ("down", self.down)):
            if name in said:
                direction.become(Line(**{**said[name], "pattern": tuple(said[name]["pattern"])}))
        answer = {"up": asdict(self.up.counters), "down": asdict(self.down.counters), "streams": self.streams}
        print(json.dumps(answer), flush=True)
        return True

    def serve(self) -> None:
        self._selector.register(sys.stdin, selectors.EVENT_READ, None)
        print(json.dumps({}), flush=True)
        while True:
            wait = max(0.0, self._delayed[0][0] - time.monotonic()) if self._delayed else 1.0
            for key, _ in self._selector.select(wait):
                if key.data is not None:
                    key.data()
                elif not self._command():
                    return
            now = time.monotonic()
            while self._delayed and self._delayed[0][0] <= now:
                _, _, out, datagram, target = heapq.heappop(self._delayed)
                self._send(out, datagram, target)


class LossyNetwork:
    """The test's end of the forwarder's process.

    Args:
        address: loopback address it stands at, with the relay's port number.
        tcp: connections to that number are carried too, unharmed.
    """

    def __init__(self, address: str, relay_port: int, *, seed: int = 1, tcp: bool = False) -> None:
        self.address = address
        self._process = subprocess.Popen(
            [sys.executable, __file__, address, str(relay_port), str(seed), str(int(tcp))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        text = self._process.stdout.readline()
        assert text, f"the forwarder at {self.address} ended: {self._process.wait(5)}"
        found: dict[str, Any] = json.loads(text)
        return found

    def become(self, *, up: Line | None = None, down: Line | None = None) -> dict[str, Any]:
        """Changes the directions given. Returns the counters until now: {"up": {…}, "down": {…}, "streams": n}."""
        said = {name: asdict(line) for name, line in (("up", up), ("down", down)) if line is not None}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(said) + "\n")
        self._process.stdin.flush()
        return self._read()

    def counters(self) -> dict[str, Any]:
        return self.become()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._process.stdout.close()


if __name__ == "__main__":
    _, own, port, seed_text, with_tcp = sys.argv
    Forwarder((own, int(port)), ("127.0.0.1", int(port)), int(seed_text), tcp=with_tcp == "1").serve()
