"""A cluster of three primaries and three replicas on loopback, made by plain commands."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from pathlib import Path
from subprocess import DEVNULL, Popen

from redis import Redis
from redis.exceptions import RedisError

from tests.stock.servers import binary

NODE_TIMEOUT_MS = 1500  # a dead primary is noticed after this; then a replica is voted in
SLOTS = 16384


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on, all different: they are held open together before they are given out."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


FAILOVER_SECONDS = 6.0  # Valkey gives a manual failover five
FAILOVER_TRIES = 5


class Cluster:
    def __init__(self, kind: str, folder: Path) -> None:
        ports = free_ports(12)
        self.ports, self._bus = ports[:6], ports[6:]
        self._commands = []
        for port, bus in zip(self.ports, self._bus, strict=True):
            place = folder / str(port)
            place.mkdir()
            self._commands.append(
                [
                    binary(kind),
                    *("--port", str(port), "--bind", "127.0.0.1", "--dir", str(place), "--save", ""),
                    *("--cluster-enabled", "yes", "--cluster-port", str(bus)),
                    *("--cluster-node-timeout", str(NODE_TIMEOUT_MS), "--appendonly", "yes"),
                    *("--appendfsync", "always", "--maxmemory-policy", "noeviction"),
                    *("--repl-diskless-sync-delay", "0", "--cluster-replica-validity-factor", "0"),
                ]
            )
        self._processes = [self._spawn(number) for number in range(6)]

    def _spawn(self, number: int) -> Popen[bytes]:
        return Popen(self._commands[number], stdout=DEVNULL, stderr=DEVNULL)

    def node(self, port: int) -> Redis:
        return Redis(port=port, decode_responses=True)

    async def until(self, what: str, ready: object, seconds: float = 40) -> None:
        """Polls `ready()`; a cluster agrees when it agrees."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            try:
                if ready():  # type: ignore[operator]
                    return
            except RedisError:
                pass
            await asyncio.sleep(0.05)
        raise AssertionError(f"the cluster never came to: {what}")

    async def start(self) -> None:
        await self.until("six nodes that answer", lambda: all(self.node(port).ping() for port in self.ports))
        for number, port in enumerate(self.ports[:3]):
            first, last = SLOTS * number // 3, SLOTS * (number + 1) // 3 - 1
            self.node(port).execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
        for port, bus in zip(self.ports[1:], self._bus[1:], strict=True):
            self.node(self.ports[0]).execute_command("CLUSTER", "MEET", "127.0.0.1", port, bus)
        await self.until("six that know each other", lambda: all(self._known(port) == 6 for port in self.ports))
        for number in range(3):
            primary = self.node(self.ports[number]).execute_command("CLUSTER", "MYID")
            self.node(self.ports[number + 3]).execute_command("CLUSTER", "REPLICATE", primary)
        await self.until("all slots served", lambda: all(self._state(port) == "ok" for port in self.ports))
        await self.until("replicas that follow", lambda: all(self._follows(port) for port in self.ports[3:]))

    def _known(self, port: int) -> int:
        return int(self.node(port).cluster("info")["cluster_known_nodes"])

    def _state(self, port: int) -> str:
        return str(self.node(port).cluster("info")["cluster_state"])

    def _follows(self, port: int) -> bool:
        return self.node(port).info("replication").get("master_link_status") == "up"

    def ask_for_failover(self, primary: int) -> None:
        """A planned failover from `primary`. It is only asked for: a busy node lets it time out, so ask again."""
        self.node(self.replica_of(primary)).execute_command("CLUSTER", "FAILOVER")

    async def until_another(self, key: str, primary: int) -> None:
        """Waits until the key has another primary, asking again for a failover that came to nothing."""
        for _ in range(FAILOVER_TRIES):
            with contextlib.suppress(AssertionError):
                await self.until("another primary", lambda: self.primary_of(key) != primary, FAILOVER_SECONDS)
                return
            with contextlib.suppress(RedisError):  # it may have become the primary in this moment
                self.ask_for_failover(primary)
        await self.until("another primary", lambda: self.primary_of(key) != primary)

    def primary_of(self, key: str) -> int:
        """Port of the node that serves the key's slot now, as a node that lives tells it."""
        for number, port in enumerate(self.ports):
            if self._processes[number].poll() is None:
                slot = self.node(port).cluster("keyslot", key)
                for low, high, primary, *_ in self.node(port).execute_command("CLUSTER", "SLOTS"):
                    if low <= slot <= high:
                        return int(primary[1])
        raise AssertionError("nobody serves the slot")

    def replica_of(self, port: int) -> int:
        identity = self.node(port).execute_command("CLUSTER", "MYID")
        for other in self.ports:
            if other != port and self.node(other).info("replication").get("master_port") == port:
                return other
        raise AssertionError(f"no replica of {identity}")

    def kill(self, port: int) -> None:
        process = self._processes[self.ports.index(port)]
        process.kill()
        process.wait()

    def revive(self, port: int) -> None:
        """The killed node comes back with its files, and follows who took over."""
        number = self.ports.index(port)
        self._processes[number] = self._spawn(number)

    def stop(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
                process.wait()
