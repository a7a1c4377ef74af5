"""The hot connection: one socket for stock calls, commands written at once, answers matched in order.

A general client costs about 90 us a call of 64 operations; this costs about 26. It knows RESP2 (by hiredis), nothing of
pools or retries: a lost connection fails every call in flight with ConnectionLost, and the batcher decides.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any

import hiredis
from msgspec import Struct
from redis.asyncio import RedisCluster

STALL_SECONDS_MAX = 4.0  # without an answer while one is due: calls take milliseconds, a big fork half a second
LOOK_SECONDS = 0.5
CONNECT_SECONDS_MAX = 5.0  # a server on the same network answers in milliseconds; a lost one should be noticed soon


class ConnectionLost(Exception):
    """The connection ended before the answer; whether the call was applied is not known."""


class ReplicasLacking(ConnectionLost):
    """The server applied the call, and too few replicas have it: it may be lost with the server."""


class Address(Struct, frozen=True):
    """Where a server is and who asks. `path` for a Unix socket, else host and port."""

    path: str = ""
    host: str = ""
    port: int = 0
    username: str = ""
    password: str = ""
    database: int = 0
    tls: bool = False

    def __str__(self) -> str:
        return self.path or f"{self.host}:{self.port}"


def address_of(redis: Any) -> Address:
    """The address a redis-py client is configured for; of a cluster's client, one of the nodes."""
    clustered = isinstance(redis, RedisCluster)
    where = next(iter(redis.nodes_manager.startup_nodes.values())) if clustered else redis.connection_pool
    known = where.connection_kwargs
    return Address(
        path=str(known.get("path") or ""),
        host=str(known.get("host") or "127.0.0.1"),
        port=int(known.get("port") or 6379),
        username=known.get("username") or "",
        password=known.get("password") or "",
        database=int(known.get("db") or 0),
        tls="SSL" in where.connection_class.__name__,
    )


def encode(parts: tuple[bytes | str | int, ...]) -> bytes:
    """A RESP command."""
    out = [b"*%d\r\n" % len(parts)]
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        out.append(b"$%d\r\n%b\r\n" % (len(data), data))
    return b"".join(out)


class Connection(asyncio.Protocol):
    """One RESP2 connection. `send` calls `done(answer or exception)` in the order of the calls."""

    def __init__(self) -> None:
        self._reader = hiredis.Reader()
        self._waiting: deque[Callable[[Any], None]] = deque()
        self._transport: asyncio.Transport | None = None
        self._asked_at = 0.0  # when the oldest call without an answer was sent, or the last answer came
        self.run_id = ""
        self.cluster = False
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        """A server that stalls (stopped, a dead disk) closes nothing: we do, so that every caller hears of it."""
        if self.lost:
            return
        if self._waiting and monotonic() - self._asked_at > STALL_SECONDS_MAX:
            self.close()
        else:
            asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        self._asked_at = monotonic()
        while True:
            try:
                answer = self._reader.gets()
            except hiredis.ProtocolError:
                self.close()
                return
            if answer is False:
                return
            if self._waiting:
                self._waiting.popleft()(answer)

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        waiting, self._waiting = self._waiting, deque()
        for done in waiting:
            done(ConnectionLost(str(error or "closed")))

    def send(self, command: bytes, done: Callable[[Any], None]) -> None:
        if self.lost or self._transport is None:
            done(ConnectionLost("not connected"))
            return
        if not self._waiting:
            self._asked_at = monotonic()
        self._waiting.append(done)
        self._transport.write(command)

    async def call(self, *parts: bytes | str | int) -> Any:
        """One command, awaited.

        Raises:
            ConnectionLost: no answer came.
            hiredis.ReplyError: the server refused.
        """
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def done(answer: Any) -> None:
            if future.done():
                return
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)

        self.send(encode(parts), done)
        return await future

    def close(self) -> None:
        self.lost = True
        if self._transport is not None:
            self._transport.abort()


async def connect(address: Address) -> Connection:
    """Opens a connection, logs in, selects the database and learns which server this is.

    Raises:
        OSError, ConnectionLost, TimeoutError: no server there.
        hiredis.ReplyError: it does not let us in.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(CONNECT_SECONDS_MAX):
        if address.path:
            _, connection = await loop.create_unix_connection(Connection, address.path)
        else:
            tls = ssl.create_default_context() if address.tls else None
            _, connection = await loop.create_connection(Connection, address.host, address.port, ssl=tls)
        try:
            if address.password:
                await connection.call("AUTH", *filter(None, (address.username, address.password)))
            if address.database:
                await connection.call("SELECT", address.database)
            information = (await connection.call("INFO", "server")).decode()
            found = dict(line.split(":", 1) for line in information.splitlines() if ":" in line)
            connection.cluster = found.get("redis_mode", found.get("server_mode", "")) == "cluster"
            connection.run_id = await _identity(connection, address, found.get("run_id", ""))
        except BaseException:
            connection.close()
            raise
    return connection


async def _identity(connection: Connection, address: Address, run_id: str) -> str:
    """What the fence compares. A restart on the same files is not a failover; another server answering is one.

    A cluster node has an id that outlives restarts; a Unix socket always leads to the same files; behind a TCP address
    anything may have taken over, so there a restart is looked at as well.
    """
    if connection.cluster:
        return str((await connection.call("CLUSTER", "MYID")).decode())
    return "local" if address.path else run_id
