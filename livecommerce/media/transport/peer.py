"""One remote end: its ICE credentials, where it was last verified, its DTLS association and its silence.

`Host` (host.py) and `Viewer` (viewer.py) say what its media means. States go one way except connected ⇄ moved address:
new → verified (ICE) → connected (DTLS) → closed.
"""

from __future__ import annotations

import enum
import logging
import secrets
import time
from collections.abc import Callable
from typing import Protocol

from livecommerce.http.addresses import network_of
from livecommerce.media.transport.dtls import Association, HandshakePool
from livecommerce.media.transport.srtp import Keys
from livecommerce.media.wire import sdp, stun
from livecommerce.media.wire.stun import Address

log = logging.getLogger(__name__)

# Browsers check every 2.5 s; five misses and the sweep interval still make less than 20 s.
SILENCE_SECONDS_MAX = 15.0
# An offer whose checks never come holds its place this long.
UNVERIFIED_SECONDS_MAX = 10.0
# From the offer to the keys: three turns of a handshake that had to wait for its network's share.
UNKEYED_SECONDS_MAX = 40.0
# DTLS repeats a flight after 1, 2 and 4 s; whoever needs longer joins again.
LINGER_SECONDS = 5.0
# A living peer checks every 2.5 s (browsers) to 6 s (aiortc).
GOODBYE_SECONDS = 7.0
# Content type of a DTLS record (RFC 6347 section 4.3.1); a close_notify is one.
ALERT = 21
# Credentials before and after an ICE restart.
CREDENTIALS_MAX = 2


class PeerState(enum.Enum):
    NEW = "new"
    VERIFIED = "verified"
    CONNECTED = "connected"
    CLOSED = "closed"


class Path(Protocol):
    """Where a peer's datagrams go: a UDP address or a framed TCP connection."""

    address: Address
    is_stream: bool

    def send(self, datagram: bytes) -> None: ...


class Credentials:
    """One pair of ICE credentials of ours (RFC 8445 section 5.3)."""

    __slots__ = ("password", "username")

    def __init__(self) -> None:
        # The alphabet of ICE is that of base64 without '-' and '_', so hex it is.
        self.username = secrets.token_hex(8)
        self.password = secrets.token_hex(16)


class Port(Protocol):
    """What a peer needs of the port that finds it (`Mux`)."""

    handshakes: HandshakePool

    def register(self, peer: Peer) -> None: ...

    def unregister(self, peer: Peer) -> None: ...

    def forget_credentials(self, credentials: Credentials) -> None: ...


class Peer:
    """Base of host and viewer.

    Args:
        is_client: we begin the DTLS handshake (the offer said setup:passive).
    """

    __slots__ = (
        "_challenged",
        "association",
        "close_reason",
        "connected_at",
        "created_at",
        "credentials",
        "fingerprints",
        "heard_at",
        "is_client",
        "keys",
        "on_closed",
        "path",
        "port",
        "remote_password",
        "remote_username",
        "session",
        "show",
        "state",
    )

    def __init__(self, port: Port, show: str, offer: sdp.Offer, now: float) -> None:
        self.port = port
        self.show = show
        self.session = secrets.token_urlsafe(18)
        self.fingerprints = offer.fingerprints
        self.remote_username = offer.ice_username
        self.remote_password = offer.ice_password
        self.is_client = offer.setup == "passive"
        self.credentials = [Credentials()]
        self.state = PeerState.NEW
        self.created_at = now
        self.heard_at = now
        self.path: Path | None = None
        self._challenged: tuple[bytes, Path] | None = None
        self.association: Association | None = None
        self.keys: Keys | None = None
        self.connected_at = 0.0
        self.close_reason = ""
        self.on_closed: Callable[[Peer], None] | None = None

    def local(self, candidates: tuple[str, ...]) -> sdp.Local:
        """Our transport for the answer; the newest credentials."""
        newest = self.credentials[-1]
        return sdp.Local(
            newest.username,
            newest.password,
            self.port.handshakes.identity.fingerprint,
            "active" if self.is_client else "passive",
            candidates,
        )

    @property
    def etag(self) -> str:
        """Identifies the ICE session (RFC 9725 section 4.3.1)."""
        return f'"{self.credentials[-1].username}"'

    def restart_ice(self, remote_username: str, remote_password: str) -> None:
        """New credentials; the old ones work until the next restart, so media does not pause."""
        self.remote_username, self.remote_password = remote_username, remote_password
        self.credentials.append(Credentials())
        while len(self.credentials) > CREDENTIALS_MAX:
            self.port.forget_credentials(self.credentials.pop(0))
        self.port.register(self)

    def set_state(self, state: PeerState, reason: str = "") -> None:
        if state is self.state:
            return
        log.info("%s %s %s: %s -> %s %s", self.role, self.show, self.session[:6], self.state.value, state.value, reason)
        self.state = state

    role = "peer"

    def verified(self, path: Path, nominated: bool, now: float) -> None:
        """An authenticated check came by `path`: the peer may be answered there."""
        self.heard_at = now
        if self.state is PeerState.CLOSED:
            return
        if self.path is None or (self.keys is None and nominated):
            self._take_path(path)
        elif nominated and path.address != self.path.address:
            self._challenge(path)
        if self.state is PeerState.NEW:
            self.set_state(PeerState.VERIFIED)
        if self.is_client and self.keys is None:  # again with each check, while its network has no place free
            self._associate()

    def _take_path(self, path: Path) -> None:
        if self.path is None or path.address != self.path.address:
            self.path = path
            self.moved(path)

    def _challenge(self, path: Path) -> None:
        """Media moves to a new address only after a round trip: else a viewer could aim the stream at a victim."""
        if self._challenged is None or self._challenged[1].address != path.address:
            self._challenged = (secrets.token_bytes(12), path)
        name = f"{self.remote_username}:{self.credentials[-1].username}".encode()
        path.send(stun.challenge(name, self.remote_password.encode(), self._challenged[0]))

    def receive_challenge_answer(self, answer: stun.BindingSuccess, now: float) -> None:
        """The new address answered our check."""
        if (
            self._challenged is None
            or answer.transaction_id != self._challenged[0]
            or not answer.is_signed_by(self.remote_password.encode())
        ):
            return
        self.heard_at = now
        path, self._challenged = self._challenged[1], None
        log.info("%s %s %s: moved to %s", self.role, self.show, self.session[:6], path.address)
        self._take_path(path)

    def moved(self, path: Path) -> None:
        """Called with each new address, the first included."""

    def send(self, datagram: bytes) -> None:
        if self.path is not None:
            self.path.send(datagram)

    def _associate(self) -> Association | None:
        """The association, made when first needed; None while this network has its share of handshakes.

        DTLS repeats a flight that nobody answered, so those of a crowd behind one address take turns.
        """
        if self.association is None and self.path is not None:
            network = network_of(str(self.path.address[0]))
            if not self.port.handshakes.has_room(network):
                return None
            self.association = self.port.handshakes.associate(
                self.fingerprints,
                is_server=not self.is_client,
                send=self.send,
                on_keys=self._connected,
                on_closed=self.close,
            )
            self.port.handshakes.charge(self.association, network)
        return self.association

    def receive_dtls(self, datagram: bytes) -> None:
        """A DTLS record from a verified address."""
        if self.keys is not None and self.association is None:
            if datagram[0] == ALERT:
                # Probably a goodbye, but nobody can vouch for it any more: believe it unless the peer speaks up soon.
                self.heard_at = min(self.heard_at, time.monotonic() - SILENCE_SECONDS_MAX + GOODBYE_SECONDS)
        elif self.state in (PeerState.VERIFIED, PeerState.CONNECTED):
            association = self._associate()
            if association is not None:
                association.feed(datagram)

    def release_association(self, now: float) -> None:
        """OpenSSL's 80 KiB are needed only while the peer may repeat its last flight."""
        if self.keys is not None and self.association is not None and now - self.connected_at > LINGER_SECONDS:
            self.association.release()
            self.association = None

    def _connected(self, keys: Keys) -> None:
        if self.state is PeerState.CLOSED:
            return
        self.keys = keys
        self.connected_at = time.monotonic()
        self.set_state(PeerState.CONNECTED, keys.profile.decode())
        self.connected(keys)

    def connected(self, keys: Keys) -> None:
        """SRTP keys are there."""

    def receive_rtp(self, datagram: bytes, now: float) -> None:
        """An SRTP packet, not yet authenticated."""

    def receive_rtcp(self, datagram: bytes, now: float) -> None:
        """An SRTCP packet, not yet authenticated."""

    def is_dead(self, now: float) -> bool:
        if self.state is PeerState.NEW:
            return now - self.created_at > UNVERIFIED_SECONDS_MAX
        if self.keys is None and now - self.created_at > UNKEYED_SECONDS_MAX:
            return True  # checks alone keep no place
        return now - self.heard_at > SILENCE_SECONDS_MAX

    def close(self, reason: str) -> None:
        """Frees everything; idempotent."""
        if self.state is PeerState.CLOSED:
            return
        self.close_reason = reason
        self.set_state(PeerState.CLOSED, reason)
        if self.association is not None:
            self.association.close()
        self.port.unregister(self)
        if self.on_closed is not None:
            self.on_closed(self)
