"""Which server holds a shop, and a live connection to it.

A single server is the simple case. Of a cluster any node may be named; a shop's keys share one hash tag, so a shop is
one slot, and the node that answers MOVED tells where it lives. After a lost connection the other known nodes are asked.
"""

from __future__ import annotations

import asyncio
import contextlib

import hiredis
from msgspec.structs import replace

from livecommerce.stock import keys
from livecommerce.stock.connection import Address, Connection, ConnectionLost, connect
from livecommerce.stock.library import library

REDIRECTIONS_MAX = 5  # a slot moves once, perhaps while it is asked for
NODES_MAX = 64  # nodes remembered; more are found again by MOVED


class Servers:
    """Connections by address, addresses by shop."""

    def __init__(self, seed: Address, library_of: tuple[str, bytes] | None = None) -> None:
        self._seed = seed
        self._nodes: list[Address] = [seed]
        self._of_shop: dict[str, Address] = {}
        self._connections: dict[Address, Connection] = {}
        self._lock = asyncio.Lock()
        self.function, self._library = library_of or library()

    async def connection(self, shop: str) -> Connection:
        """A live connection to the server believed to hold the shop.

        Raises:
            ConnectionLost: none of the known servers can be reached now.
        """
        async with self._lock:
            address = self._of_shop.get(shop, self._seed)
            found = self._connections.get(address)
            if found is not None and not found.lost:
                return found
            reason: Exception | None = None
            for candidate in [address, *(node for node in self._nodes if node != address)]:
                try:
                    made = await self._open(candidate)
                except (OSError, ConnectionLost, TimeoutError, hiredis.ReplyError) as error:
                    reason = reason or error
                    continue
                self._of_shop[shop] = candidate
                return made
            raise ConnectionLost(f"no server can be reached: {reason}")

    async def connection_of(self, shop: str) -> Connection:
        """A connection to the server that holds the shop now, asked for rather than believed.

        Raises:
            ConnectionLost: it cannot be reached.
        """
        for _ in range(REDIRECTIONS_MAX):
            connection = await self.connection(shop)
            try:
                await connection.call("EXISTS", keys.ledger(shop))
            except hiredis.ReplyError as error:
                if not str(error).startswith("MOVED "):
                    raise
                self.moved(shop, str(error))
            else:
                return connection
        raise ConnectionLost(f"shop {shop} is moved around")

    async def connections(self) -> list[Connection]:
        """A connection to every known server that can be reached."""
        await self.connection("")
        found = []
        for address in list(self._nodes):
            with contextlib.suppress(OSError, ConnectionLost, TimeoutError, hiredis.ReplyError):
                found.append(await self._open(address))
        return found

    async def _open(self, address: Address) -> Connection:
        found = self._connections.get(address)
        if found is not None and not found.lost:
            return found
        made = await connect(address)
        self._connections[address] = made
        if made.cluster:
            with contextlib.suppress(ConnectionLost, hiredis.ReplyError):
                await self._learn_nodes(made)
        return made

    async def _learn_nodes(self, connection: Connection) -> None:
        for _, _, *nodes in await connection.call("CLUSTER", "SLOTS"):
            for host, port, *_ in nodes:
                address = replace(self._seed, path="", host=host.decode() or self._seed.host, port=int(port))
                if address not in self._nodes and len(self._nodes) < NODES_MAX:
                    self._nodes.append(address)

    def moved(self, shop: str, message: str) -> None:
        """`MOVED <slot> <host>:<port>`: the shop lives there from now on."""
        host, _, port = message.split(" ")[2].rpartition(":")
        address = replace(self._seed, path="", host=host or self._seed.host, port=int(port))
        if address not in self._nodes and len(self._nodes) < NODES_MAX:
            self._nodes.append(address)
        self._of_shop[shop] = address

    def forget(self, shop: str) -> None:
        """The server refused to be the shop's primary: ask another one first next time."""
        address = self._of_shop.pop(shop, None)
        if address is not None and len(self._nodes) > 1:
            others = [node for node in self._nodes if node != address]
            self._nodes = [*others, address]
            self._of_shop[shop] = others[0]

    async def load_library(self, connection: Connection) -> None:
        """Gives the server our functions; REPLACE, as another process may do the same at the same time."""
        await connection.call("FUNCTION", "LOAD", "REPLACE", self._library)

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()
