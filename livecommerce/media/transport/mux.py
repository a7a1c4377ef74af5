"""One UDP port for everyone: datagrams find their peer by verified address, STUN by the user name we handed out.

A stranger gets nothing: no state before an authenticated check, and no answer to anything else.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from dataclasses import dataclass
from types import ModuleType

from livecommerce.media.transport.dtls import HandshakePool
from livecommerce.media.transport.peer import Credentials, Path, Peer
from livecommerce.media.transport.udp import Socket, UdpPath
from livecommerce.media.wire import rtp, stun
from livecommerce.media.wire.stun import Address
from livecommerce.ops.log_limit import LogLimit

log = logging.getLogger(__name__)
_faults = LogLimit()

# Datagrams taken before other work of the loop gets its turn: about 1 ms.
DRAIN_MAX = 128
# Addresses a peer keeps at once: Wi-Fi, mobile and IPv6, each before and after a move.
ADDRESSES_PER_PEER_MAX = 6


@dataclass(slots=True)
class MuxCounters:
    """What arrived, by what became of it. `stranger`: no verified address; `unsigned`: STUN nobody vouches for."""

    received: int = 0
    checks: int = 0
    stranger: int = 0
    unsigned: int = 0
    malformed: int = 0


class Mux:
    """The port. Peers register by their ICE user names; the loop calls `_readable`."""

    def __init__(self, udp: socket.socket, handshakes: HandshakePool, core: ModuleType | None) -> None:
        self._udp = udp
        self.socket = Socket(udp, core)
        self.handshakes = handshakes
        self.counters = MuxCounters()
        self.port: int = udp.getsockname()[1]
        self._by_username: dict[bytes, tuple[Peer, Credentials]] = {}
        self._by_address: dict[Address, Peer] = {}
        self._addresses: dict[str, list[Address]] = {}

    def start(self) -> None:
        asyncio.get_running_loop().add_reader(self._udp.fileno(), self._readable)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._udp.fileno())
        self._udp.close()

    def register(self, peer: Peer) -> None:
        """Makes the peer's credentials known; call again after a restart."""
        for credentials in peer.credentials:
            self._by_username[credentials.username.encode()] = (peer, credentials)

    def forget_credentials(self, credentials: Credentials) -> None:
        self._by_username.pop(credentials.username.encode(), None)

    def unregister(self, peer: Peer) -> None:
        for credentials in peer.credentials:
            self.forget_credentials(credentials)
        for address in self._addresses.pop(peer.session, ()):
            if self._by_address.get(address) is peer:
                del self._by_address[address]

    @property
    def address_count(self) -> int:
        return len(self._by_address)

    def _readable(self) -> None:
        receive = self._udp.recvfrom
        now = time.monotonic()
        for _ in range(DRAIN_MAX):
            try:
                datagram, address = receive(rtp.DATAGRAM_BYTES_MAX)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:  # an ICMP error of an earlier send
                log.debug("receive: %s", error)
                continue
            self.counters.received += 1
            try:
                self._dispatch(datagram, address, now)
            except Exception as error:
                # One hostile or unforeseen packet must not end the port for everyone, nor a thousand fill the log.
                left_out = _faults.take(type(error).__name__)
                if left_out is not None:
                    words = "datagram of %d bytes from %s (%d like it not told)"
                    log.warning(words, len(datagram), address, left_out, exc_info=True)

    def _dispatch(self, datagram: bytes, address: Address, now: float) -> None:
        if not datagram:
            return
        first = datagram[0]
        if first < 4:
            self.receive_check(datagram, UdpPath(self.socket, address), now)
            return
        peer = self._by_address.get(address)
        if peer is None:
            self.counters.stranger += 1
            return
        self.deliver(peer, datagram, now)

    def deliver(self, peer: Peer, datagram: bytes, now: float) -> None:
        """Gives a datagram of a verified path to its peer (RFC 7983)."""
        first = datagram[0]
        if 128 <= first <= 191:
            if rtp.is_rtcp(datagram):
                peer.receive_rtcp(datagram, now)
            else:
                peer.receive_rtp(datagram, now)
        elif 20 <= first <= 63:
            peer.receive_dtls(datagram)
        else:
            self.counters.malformed += 1

    def receive_check(self, datagram: bytes, path: Path, now: float, *, owner: Peer | None = None) -> Peer | None:
        """A STUN check by any path; the peer it vouched for, or None. `owner`: whose connection it came by (TCP)."""
        request = stun.parse_binding_request(datagram)
        if request is None:
            self._receive_answer(datagram, owner or self._by_address.get(path.address), now)
            return None
        known = self._by_username.get(request.username.partition(b":")[0])
        if known is None or not request.is_signed_by(known[1].password.encode()):
            self.counters.unsigned += 1
            return None
        peer, credentials = known
        password = credentials.password.encode()
        if request.peer_is_controlled:
            path.send(stun.role_conflict(request, password))
            return None
        self.counters.checks += 1
        if not path.is_stream:
            self._remember(peer, path.address)
        path.send(stun.binding_success(request, path.address, password))
        peer.verified(path, request.nominated, now)
        return peer

    def _receive_answer(self, datagram: bytes, peer: Peer | None, now: float) -> None:
        answer = stun.parse_binding_success(datagram)
        if answer is None or peer is None:
            self.counters.malformed += 1
        else:
            peer.receive_challenge_answer(answer, now)

    def _remember(self, peer: Peer, address: Address) -> None:
        owner = self._by_address.get(address)
        if owner is peer:
            return
        addresses = self._addresses.setdefault(peer.session, [])
        if owner is not None and address in self._addresses.get(owner.session, ()):
            self._addresses[owner.session].remove(address)
        addresses.append(address)
        self._by_address[address] = peer
        if len(addresses) > ADDRESSES_PER_PEER_MAX:
            current = peer.path.address if peer.path is not None else None
            oldest = next(each for each in addresses if each != current)
            addresses.remove(oldest)
            self._by_address.pop(oldest, None)
