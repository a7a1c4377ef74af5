"""Connections of the HTTP port before anything is read of them: what a network may have, and how long for a head.

A connection costs a descriptor from the moment in which it is accepted, whoever it is of; who never sends a request
must not take those of others. Shares are counted by the one network key, at accept. A trusted proxy brings everybody:
its connections are not counted as one stranger's, and the sockets that come through it are counted by the forwarded
address (`realtime`). What is left of the descriptors is for the stores, the files and the internal port.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Protocol

from prometheus_client import Counter

from livecommerce.http.addresses import is_trusted, network_of
from livecommerce.http.shares import Shares
from livecommerce.ops.descriptors import DESCRIPTORS, Descriptors
from livecommerce.ops.log_limit import warn_seldom
from livecommerce.ops.logs import logger

log = logger(__name__)

HEAD_SECONDS_MAX = 20.0  # from accept, or from the first byte of a later request, to the end of the head
SWEEP_SECONDS = 1.0
# Of the descriptors: connections without a whole head. A crowd's are that for one round trip, and some browsers open
# one ahead; silent ones of one network are cut down to this for as long as they like.
SILENT_PER_NETWORK_SHARE, SILENT_SHARE = 0.05, 0.5
SILENT_PER_NETWORK_LEAST = 32

CLOSED = Counter("livecommerce_http_connections_closed", "Connections closed before a request came.", ["why"])
for _why in ("network", "silent", "late", "full"):  # each is there before the first one is closed
    CLOSED.labels(_why)


class Connection(Protocol):
    """What is counted: the protocol of one connection."""

    def cut(self) -> None:
        """Closes it at once."""


class Connections:
    """Those of one listening port. `network_percent` of the descriptors at most are of one network."""

    def __init__(
        self, trusted_proxies: tuple[str, ...], network_percent: int, descriptors: Descriptors = DESCRIPTORS
    ) -> None:
        descriptors.look()
        limit = descriptors.limit
        self._trusted = trusted_proxies
        self._descriptors = descriptors
        self._of_network = Shares(max(SILENT_PER_NETWORK_LEAST, limit * network_percent // 100))
        self._silent_of = Shares(max(SILENT_PER_NETWORK_LEAST, int(limit * SILENT_PER_NETWORK_SHARE)))
        self._silent_max = max(SILENT_PER_NETWORK_LEAST, int(limit * SILENT_SHARE))
        self._networks: dict[Connection, str] = {}  # "" for a proxy that we trust
        # The oldest first: all have the same time.
        self._silent: OrderedDict[Connection, float] = OrderedDict()
        self._sweeping: asyncio.TimerHandle | None = None

    def admit(self, connection: Connection, peer: str | None) -> bool:
        """Just accepted. False where it has to be closed at once; then it is not counted."""
        network = "" if is_trusted(peer, self._trusted) else network_of(peer or "")
        refused = self._refused(network)
        if refused:
            CLOSED.labels(refused).inc()
            advice = (
                "raise LimitNOFILE (ulimit -n) and restart"
                if refused == "full"
                else ("a stranger, or a proxy that http.trusted_proxies should name")
            )
            warn_seldom(
                log, "connections are closed at accept", key=f"connections {refused}", why=refused,
                network=network or "a trusted proxy", of_network=self._of_network.taken(network),
                silent_of_network=self._silent_of.taken(network), in_all=len(self._networks), advice=advice,
            )  # fmt: skip
            return False
        self._networks[connection] = network
        self._descriptors.opened += 1
        if network:
            self._of_network.take(network)
        self.begins(connection)
        return True

    def _refused(self, network: str) -> str:
        if self._descriptors.is_full:
            return "full"
        if network and self._of_network.is_full(network):
            return "network"
        return "silent" if network and self._silent_of.is_full(network) else ""

    def begins(self, connection: Connection) -> None:
        """From now on a head is awaited. Where too many are silent, the one that was so longest gives way: honest ones
        are silent for a moment."""
        if connection in self._silent or connection not in self._networks:
            return
        if len(self._silent) >= self._silent_max:
            self._cut_oldest("silent")
        self._silent[connection] = asyncio.get_running_loop().time()
        if network := self._networks[connection]:
            self._silent_of.take(network)
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)

    def has_head(self, connection: Connection) -> None:
        if self._silent.pop(connection, None) is not None and (network := self._networks[connection]):
            self._silent_of.give_back(network)

    def left(self, connection: Connection) -> None:
        self.has_head(connection)
        network = self._networks.pop(connection, None)
        if network is None:
            return
        self._descriptors.opened -= 1
        if network:
            self._of_network.give_back(network)

    def _cut_oldest(self, why: str) -> None:
        oldest = next(iter(self._silent))
        CLOSED.labels(why).inc()
        self.has_head(oldest)
        oldest.cut()

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        too_old = loop.time() - HEAD_SECONDS_MAX
        while self._silent and next(iter(self._silent.values())) <= too_old:
            self._cut_oldest("late")
        self._sweeping = loop.call_later(SWEEP_SECONDS, self._sweep) if self._silent else None

    def close(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
