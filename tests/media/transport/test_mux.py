"""The port's table: who is found by which address and user name, how many addresses one keeps, what is nobody's."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest

from livecommerce.media.transport.dtls import HandshakePool, Identity
from livecommerce.media.transport.mux import ADDRESSES_PER_PEER_MAX, Mux
from livecommerce.media.transport.peer import Peer, PeerState
from livecommerce.media.wire import sdp, stun
from tests.media.wire.test_sdp import GOOD

OFFER = sdp.parse_offer(GOOD)


class Ear(Peer):
    """A peer that writes down what reaches it."""

    def __init__(self, port: Mux) -> None:
        super().__init__(port, "demo", OFFER, 1.0)
        self.heard: list[str] = []

    def receive_rtp(self, datagram: bytes, now: float) -> None:
        self.heard.append("rtp")

    def receive_rtcp(self, datagram: bytes, now: float) -> None:
        self.heard.append("rtcp")

    def receive_dtls(self, datagram: bytes) -> None:
        self.heard.append("dtls")


@pytest.fixture
def mux() -> Iterator[Mux]:
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    mux = Mux(udp, HandshakePool(Identity()), None)
    yield mux
    udp.close()
    mux.handshakes.close()


def check(peer: Peer, password: str = "") -> bytes:
    ours = peer.credentials[-1]
    return stun.binding_request(f"{ours.username}:abcd".encode(), (password or ours.password).encode(), b"t" * 12)


def address(number: int) -> stun.Address:
    return ("127.0.0.9", 40_000 + number)


def joined(mux: Mux, number: int = 1) -> Ear:
    peer = Ear(mux)
    mux.register(peer)
    mux._dispatch(check(peer), address(number), 2.0)
    assert peer.state is PeerState.VERIFIED
    return peer


@pytest.mark.parametrize(
    ("datagram", "heard", "malformed"),
    [
        (b"\x80\x66" + bytes(20), ["rtp"], 0),
        (b"\x80\xc8" + bytes(20), ["rtcp"], 0),
        (b"\x80", ["rtp"], 0),
        (b"\x16\xfe\xfd", ["dtls"], 0),
        (b"\x40\0\0\0", [], 1),
        (b"\xff" * 30, [], 1),
        (b"\x10" * 30, [], 1),
        (b"", [], 0),
        (b"\x00\x01\x00\x00", [], 1),
        (b"\x01\x01" + struct.pack("!HI", 0, 0x2112A442) + bytes(12), [], 1),
    ],
    ids=[
        "media",
        "a report",
        "one byte",
        "a handshake",
        "TURN",
        "nothing known",
        "ZRTP",
        "empty",
        "half a check",
        "unsigned answer",
    ],
)
def test_what_a_verified_address_sends_goes_where_its_first_byte_says(
    mux: Mux, datagram: bytes, heard: list[str], malformed: int
) -> None:
    peer = joined(mux)
    mux._dispatch(datagram, address(1), 2.0)
    assert peer.heard == heard
    assert mux.counters.malformed == malformed


@pytest.mark.parametrize("datagram", [b"\x80\x66" + bytes(20), b"\x16\xfe\xfd", b"\x40\0\0\0"])
def test_a_stranger_is_counted_and_nothing_else(mux: Mux, datagram: bytes) -> None:
    peer = joined(mux)
    mux._dispatch(datagram, address(2), 2.0)
    assert (peer.heard, mux.counters.stranger, mux.address_count) == ([], 1, 1)


def test_a_check_without_our_password_verifies_nobody(mux: Mux) -> None:
    peer = Ear(mux)
    mux.register(peer)
    mux._dispatch(check(peer, "guess"), address(1), 2.0)
    assert (peer.state, peer.path, mux.counters.unsigned, mux.address_count) == (PeerState.NEW, None, 1, 0)
    mux._dispatch(stun.binding_request(b"nobody:abcd", b"guess", b"t" * 12), address(1), 2.0)
    assert mux.counters.unsigned == 2


def test_an_address_belongs_to_whoever_vouched_for_it_last(mux: Mux) -> None:
    first, second = joined(mux), joined(mux)
    mux._dispatch(b"\x80\x66" + bytes(20), address(1), 2.0)
    assert (first.heard, second.heard) == ([], ["rtp"])
    first.close("gone")
    mux._dispatch(b"\x80\x66" + bytes(20), address(1), 2.0)
    assert second.heard == ["rtp", "rtp"], "who had it before takes nothing away"


def test_a_peer_keeps_a_few_addresses_and_always_the_one_it_is_answered_at(mux: Mux) -> None:
    peer = joined(mux, 0)
    for number in range(1, 50):
        mux._dispatch(check(peer), address(number), 2.0)
        assert mux.address_count <= ADDRESSES_PER_PEER_MAX
    assert peer.path is not None
    assert mux._by_address[peer.path.address] is peer


def test_who_is_gone_is_found_by_nothing(mux: Mux) -> None:
    peer = joined(mux)
    question = check(peer)
    peer.close("gone")
    mux._dispatch(question, address(1), 2.0)
    mux._dispatch(b"\x80\x66" + bytes(20), address(1), 2.0)
    assert (peer.heard, mux.address_count, len(mux._by_username)) == ([], 0, 0)


def test_after_a_restart_old_and_new_credentials_find_the_peer_and_older_ones_do_not(mux: Mux) -> None:
    peer = joined(mux)
    questions = [check(peer)]
    for number in range(2):
        peer.restart_ice(f"other{number}", "another-password-of-theirs")
        questions.append(check(peer))
    before = mux.counters.unsigned
    for question in questions:
        mux._dispatch(question, address(1), 3.0)
    assert mux.counters.unsigned - before == 1
    assert len(mux._by_username) == 2
