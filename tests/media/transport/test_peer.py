"""A peer's life: where it is answered, when it is silent, dead or gone; what of it its port is told."""

from __future__ import annotations

from typing import Any

import pytest

from livecommerce.media.transport.dtls import HANDSHAKES_MAX, HANDSHAKES_PER_NETWORK_MAX, HandshakePool, Identity
from livecommerce.media.transport.peer import (
    ALERT,
    CREDENTIALS_MAX,
    SILENCE_SECONDS_MAX,
    UNKEYED_SECONDS_MAX,
    UNVERIFIED_SECONDS_MAX,
    Credentials,
    Peer,
    PeerState,
)
from livecommerce.media.transport.srtp import GCM_PROFILE, Keys
from livecommerce.media.wire import sdp, stun
from tests.media.wire.test_sdp import GOOD

OFFER = sdp.parse_offer(GOOD)
KEYS = Keys(GCM_PROFILE, bytes(28), bytes(28))


class Desk:
    """A port that only remembers."""

    def __init__(self) -> None:
        self.handshakes = HandshakePool(Identity())
        self.known: list[Peer] = []
        self.forgotten: list[Credentials] = []

    def register(self, peer: Peer) -> None:
        self.known.append(peer)

    def unregister(self, peer: Peer) -> None:
        self.known.remove(peer)

    def forget_credentials(self, credentials: Credentials) -> None:
        self.forgotten.append(credentials)


class Way:
    is_stream = False

    def __init__(self, number: int) -> None:
        self.address: stun.Address = ("192.0.2.1", number)
        self.sent: list[bytes] = []

    def send(self, datagram: bytes) -> None:
        self.sent.append(datagram)


@pytest.fixture
def desk() -> Any:
    desk = Desk()
    yield desk
    desk.handshakes.close()


@pytest.fixture
def peer(desk: Desk) -> Peer:
    peer = Peer(desk, "demo", OFFER, 100.0)
    desk.register(peer)
    return peer


def test_the_first_verified_way_is_taken_and_another_one_is_asked_first(peer: Peer) -> None:
    first, other = Way(1), Way(2)
    peer.verified(first, nominated=False, now=101.0)
    assert (peer.path, peer.state) == (first, PeerState.VERIFIED)
    peer._connected(KEYS)
    peer.verified(other, nominated=False, now=102.0)
    assert (peer.path, other.sent) == (first, []), "a check that names no way moves nothing"
    peer.verified(other, nominated=True, now=103.0)
    assert peer.path is first, "nor does one that nobody has answered from there"
    question = stun.parse_binding_request(other.sent[0])
    assert question is not None
    assert question.is_signed_by(peer.remote_password.encode())
    answer = stun.parse_binding_success(stun.binding_success(question, ("192.0.2.9", 9), b"forged"))
    assert answer is not None
    peer.receive_challenge_answer(answer, 104.0)
    assert peer.path is first
    answer = stun.parse_binding_success(stun.binding_success(question, ("192.0.2.9", 9), peer.remote_password.encode()))
    assert answer is not None
    peer.receive_challenge_answer(answer, 105.0)
    assert peer.path is other
    peer.receive_challenge_answer(answer, 106.0)
    assert peer.heard_at == 105.0, "an answer counts once"


@pytest.mark.parametrize(
    ("is_verified", "seconds", "is_dead"),
    [
        (False, UNVERIFIED_SECONDS_MAX - 0.1, False),
        (False, UNVERIFIED_SECONDS_MAX + 0.1, True),
        (True, SILENCE_SECONDS_MAX - 0.1, False),
        (True, SILENCE_SECONDS_MAX + 0.1, True),
    ],
)
def test_silence_ends_it(peer: Peer, is_verified: bool, seconds: float, is_dead: bool) -> None:
    if is_verified:
        peer.verified(Way(1), nominated=True, now=100.0)
    assert peer.is_dead(100.0 + seconds) is is_dead


def test_an_alert_that_nobody_vouches_for_is_believed_unless_the_peer_speaks_up(peer: Peer) -> None:
    peer.verified(Way(1), nominated=True, now=1e12)
    peer._connected(KEYS)
    peer.receive_dtls(bytes((ALERT,)) + bytes(20))
    heard_at = peer.heard_at
    assert heard_at < 1e12
    peer.receive_dtls(bytes((22,)) + bytes(20))
    assert peer.heard_at == heard_at
    peer.verified(Way(1), nominated=True, now=1e12)
    assert peer.heard_at == 1e12


def test_handshakes_of_who_is_not_verified_are_not_begun(peer: Peer) -> None:
    peer.receive_dtls(bytes((22,)) + bytes(20))
    assert peer.association is None


async def test_hanging_handshakes_of_one_network_keep_nobody_else_out(desk: Desk) -> None:
    """256 of them filled the pool of a relay: no viewer could join."""

    def hang(address: str, number: int) -> Peer:
        peer, way = Peer(desk, "demo", OFFER, 100.0), Way(number)
        way.address = (address, number)
        desk.register(peer)
        peer.verified(way, nominated=True, now=100.0)
        peer.receive_dtls(bytes((22,)) + bytes(20))
        return peer

    peers = [hang("::ffff:192.0.2.1", number) for number in range(HANDSHAKES_MAX)]
    assert len(desk.handshakes.running) == HANDSHAKES_PER_NETWORK_MAX
    assert not desk.handshakes.is_full
    assert hang("198.51.100.7", 1).association is not None
    peers[0].close("gone")
    assert hang("192.0.2.1", 9_999).association is not None, "its place is free for the next of the network"


def test_checks_alone_keep_no_place(peer: Peer) -> None:
    for second in range(0, int(UNKEYED_SECONDS_MAX) + 3, 2):
        peer.verified(Way(1), nominated=True, now=100.0 + second)
    assert peer.is_dead(100.0 + UNKEYED_SECONDS_MAX + 1)


def test_a_restart_makes_new_credentials_and_forgets_the_oldest(desk: Desk, peer: Peer) -> None:
    tags = {peer.etag}
    oldest = peer.credentials[0]
    for number in range(3):
        peer.restart_ice(f"name{number}", "password")
        tags.add(peer.etag)
        assert len(peer.credentials) <= CREDENTIALS_MAX
    assert len(tags) == 4
    assert oldest in desk.forgotten
    assert len(desk.forgotten) == 2
    assert peer.local(("a",)).ice_username == peer.credentials[-1].username


def test_it_closes_once_and_hears_nothing_afterwards(desk: Desk, peer: Peer) -> None:
    gone: list[Peer] = []
    peer.on_closed = gone.append
    peer.close("enough")
    peer.close("again")
    assert (gone, desk.known, peer.close_reason) == ([peer], [], "enough")
    peer.verified(Way(1), nominated=True, now=101.0)
    peer._connected(KEYS)
    assert (peer.state, peer.path, peer.keys) == (PeerState.CLOSED, None, None)
