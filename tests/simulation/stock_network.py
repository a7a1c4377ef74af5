"""A network between engines and a real server that loses, delays, doubles and cuts, as a seed says.

It speaks RESP only so far as to know where a command and an answer end, so that what is lost is always a whole command
(never applied) or a whole answer (applied, but nobody knows).
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path


class Chances:
    """What may happen to an FCALL; each a probability."""

    def __init__(self, lost: float = 0.05, unheard: float = 0.05, doubled: float = 0.05, late: float = 0.2) -> None:
        self.lost, self.unheard, self.doubled, self.late = lost, unheard, doubled, late


async def read_reply(reader: asyncio.StreamReader) -> bytes:
    """One whole RESP2 value."""
    head = await reader.readline()
    if not head.endswith(b"\n"):
        raise ConnectionError("cut")
    if head[:1] == b"$" and head != b"$-1\r\n":
        return head + await reader.readexactly(int(head[1:]) + 2)
    if head[:1] == b"*" and head != b"*-1\r\n":
        return head + b"".join([await read_reply(reader) for _ in range(int(head[1:]))])
    return head


class Network:
    """A Unix socket that leads to the server's, through weather."""

    def __init__(self, path: Path, server_path: str, seed: int, chances: Chances) -> None:
        self.path = path
        self.happened: Counter[str] = Counter()
        self._server_path = server_path
        self._random = random.Random(seed)
        self._chances = chances
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._accept, str(self.path))

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._relay(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, OSError):
            pass  # a cut: either side sees the connection end, which is the point
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_unix_connection(self._server_path)
        try:
            while True:
                command = await read_reply(reader)
                fate = self._fate() if b"FCALL" in command[:40] else "well"
                self.happened[fate] += 1
                if fate == "lost":
                    return  # it never arrives, and the connection is gone
                if fate == "doubled":  # a retry of somebody in between: the server sees it twice
                    up_writer.write(command)
                    await read_reply(up_reader)
                up_writer.write(command)
                answer = await read_reply(up_reader)
                if fate == "unheard":
                    return  # done, but nobody hears of it
                if fate == "late":
                    await asyncio.sleep(self._random.random() * 0.02)
                writer.write(answer)
        finally:
            up_writer.close()

    def _fate(self) -> str:
        roll, chances = self._random.random(), self._chances
        for name in ("lost", "unheard", "doubled", "late"):
            if roll < getattr(chances, name):
                return name
            roll -= getattr(chances, name)
        return "well"
