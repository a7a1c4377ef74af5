"""A point-in-time copy of a Valkey/Redis over its own replication: one file that any server of its version loads.

SYNC makes the server fork and stream its data set as it was at that moment (functions included), without stopping it
and without access to its disk. What it has acknowledged before is in it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

from redis.asyncio import Redis, RedisCluster

from livecommerce.ops.errors import BackupRefused
from livecommerce.ops.valkey import AOF_FOLDER, EmbeddedValkey
from livecommerce.stock.connection import Address, address_of, encode

ANSWER_SECONDS_MAX = 60.0  # without a byte: a fork, or the server's own delay before it begins
CHUNK_BYTES = 1 << 20
MARK_LENGTH = 40  # of the end of a stream whose length is not known before
BASE_NAME = "appendonly.aof.1.base.rdb"


def addresses_of(redis: Redis) -> list[Address]:
    """Of the server, or of every primary of a cluster."""
    seed = address_of(redis)
    if not isinstance(redis, RedisCluster):
        return [seed]
    return [
        Address(host=node.host, port=int(node.port), username=seed.username, password=seed.password, tls=seed.tls)
        for node in redis.get_primaries()
    ]


@contextlib.contextmanager
def _connected(address: Address) -> Iterator[socket.socket]:
    if address.path:
        raw = socket.socket(socket.AF_UNIX)
        raw.settimeout(ANSWER_SECONDS_MAX)
        raw.connect(address.path)
    else:
        raw = socket.create_connection((address.host, address.port), ANSWER_SECONDS_MAX)
        if address.tls:
            raw = ssl.create_default_context().wrap_socket(raw, server_hostname=address.host)
    with contextlib.closing(raw):
        yield raw


class _Stream:
    """What the server sends, by lines first, then by bytes."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._rest = b""

    def _more(self) -> None:
        got = self._connection.recv(CHUNK_BYTES)
        if not got:
            raise BackupRefused("Valkey closed the connection in the middle of its snapshot.")
        self._rest += got

    def line(self) -> bytes:
        while b"\n" not in self._rest:
            self._more()
        line, _, self._rest = self._rest.partition(b"\n")
        return line.rstrip(b"\r")

    def chunk(self) -> bytes:
        if not self._rest:
            self._more()
        chunk, self._rest = self._rest, b""
        return chunk


def _ask(connection: socket.socket, stream: _Stream, *words: str) -> None:
    connection.sendall(encode(words))
    answer = stream.line()
    if answer.startswith(b"-"):
        raise BackupRefused(f"Valkey refuses {words[0]}: {answer[1:].decode('utf-8', 'replace')}")


def fetch(address: Address, path: Path) -> int:
    """Writes the snapshot to `path` and returns its bytes. Blocking.

    Raises:
        BackupRefused: the server does not let us (some providers forbid SYNC: use their own snapshots then).
        OSError: it is away, or the disk is full.
    """
    with _connected(address) as connection, path.open("xb") as file:
        os.fchmod(file.fileno(), 0o600)
        stream = _Stream(connection)
        if address.password:
            _ask(connection, stream, "AUTH", *filter(None, (address.username, address.password)))
        _ask(connection, stream, "REPLCONF", "capa", "eof")  # streamed: nothing is left on the server's disk
        connection.sendall(encode(("SYNC",)))
        head = stream.line()
        while not head:  # it says that it lives while it prepares
            head = stream.line()
        if not head.startswith(b"$"):
            raise BackupRefused(f"Valkey refuses SYNC: {head[1:].decode('utf-8', 'replace')}")
        if head.startswith(b"$EOF:"):
            written = _until_mark(stream, file, head[5:])
        else:
            written = _of_length(stream, file, int(head[1:]))
        file.flush()
        os.fsync(file.fileno())
    return written


def _until_mark(stream: _Stream, file: object, mark: bytes) -> int:
    held, written = b"", 0
    write = file.write  # type: ignore[attr-defined]
    while True:
        held += stream.chunk()
        place = held.find(mark)
        if place >= 0:
            write(held[:place])
            return written + place
        safe = len(held) - MARK_LENGTH
        if safe > 0:
            write(held[:safe])
            written, held = written + safe, held[safe:]


def _of_length(stream: _Stream, file: object, length: int) -> int:
    left = length
    while left:
        chunk = stream.chunk()[:left]
        file.write(chunk)  # type: ignore[attr-defined]
        left -= len(chunk)
    return length


def place(snapshot: Path, folder: Path) -> None:
    """Makes an embedded server's folder of a snapshot: the base of an append-only file, and its manifest."""
    aof = folder / AOF_FOLDER
    aof.mkdir(mode=0o700)
    with snapshot.open("rb") as source, (aof / BASE_NAME).open("xb") as target:
        while chunk := source.read(CHUNK_BYTES):
            target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
    manifest = aof / "appendonly.aof.manifest"
    manifest.write_text(f"file {BASE_NAME} seq 1 type b\n", "ascii")


async def copy_keys(snapshot: Path, folder: Path, target: Redis) -> int:
    """Loads a snapshot into a server of the moment in `folder` and writes its keys into `target`. Returns how many.
    Functions are left out: every role loads its own when it starts.

    Raises:
        BackupRefused: `target` is older than what wrote the snapshot.
    """
    place(snapshot, folder)
    server = EmbeddedValkey(folder)
    await server.start_async()
    source = Redis.from_url(server.url)
    copied = 0
    try:
        async for key in source.scan_iter(count=500):
            payload, left_ms = await source.dump(key), await source.pttl(key)
            try:
                await target.restore(key, max(0, left_ms), payload or b"")
            except Exception as error:
                raise BackupRefused(
                    f"The target does not take key {copied + 1} ({error}). It must be as new as the server that was "
                    "backed up."
                ) from error
            copied += 1
    finally:
        await source.aclose()
        server.stop()
    return copied
