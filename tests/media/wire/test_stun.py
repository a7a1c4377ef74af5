"""STUN: what others write is read, what strangers write is nothing or unsigned."""

from __future__ import annotations

import struct

import pytest
from aioice import stun as oracle
from hypothesis import given
from hypothesis import strategies as st

from livecommerce.media.wire import stun

PASSWORD = b"password-of-ours"


def check(username: str = "ours:theirs", password: bytes = PASSWORD, **attributes: object) -> bytes:
    """A connectivity check as another implementation writes it."""
    message = oracle.Message(oracle.Method.BINDING, oracle.Class.REQUEST)
    message.attributes["USERNAME"] = username
    message.attributes["PRIORITY"] = 1
    message.attributes.update(attributes)
    message.add_message_integrity(password)
    return bytes(message)


# the last attribute; what follows MESSAGE-INTEGRITY is not signed
FINGERPRINT_BYTES = 8


def test_a_check_of_another_implementation_is_understood() -> None:
    datagram = check(**{"USE-CANDIDATE": None, "ICE-CONTROLLING": 7})
    request = stun.parse_binding_request(datagram)
    assert request is not None
    assert (request.username, request.nominated, request.peer_is_controlled) == (b"ours:theirs", True, False)
    assert request.is_signed_by(PASSWORD)
    assert not request.is_signed_by(b"another")


@pytest.mark.parametrize("address", [("192.0.2.7", 40_000), ("2001:db8::1", 9, 0, 0), ("::ffff:192.0.2.7", 5, 0, 0)])
def test_another_implementation_understands_our_answer(address: stun.Address) -> None:
    request = stun.parse_binding_request(check())
    assert request is not None
    answer = oracle.parse_message(stun.binding_success(request, address, PASSWORD))
    assert answer.check_message_integrity(PASSWORD)
    assert answer.transaction_id == request.transaction_id
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == (address[0].removeprefix("::ffff:"), address[1])


def test_another_implementation_understands_our_checks_and_refusals() -> None:
    for ours in (stun.binding_request, stun.challenge):
        message = oracle.parse_message(ours(b"theirs:ours", PASSWORD, bytes(12)))
        assert message.check_message_integrity(PASSWORD)
        assert message.attributes["USERNAME"] == "theirs:ours"
    request = stun.parse_binding_request(check(**{"ICE-CONTROLLED": 7}))
    assert request is not None
    assert request.peer_is_controlled
    assert oracle.parse_message(stun.role_conflict(request, PASSWORD)).error_code == 487


def test_an_answer_to_our_challenge_is_checked() -> None:
    request = stun.parse_binding_request(stun.challenge(b"a:b", PASSWORD, b"t" * 12))
    assert request is not None
    answer = stun.parse_binding_success(stun.binding_success(request, ("192.0.2.1", 1), PASSWORD))
    assert answer is not None
    assert answer.transaction_id == b"t" * 12
    assert answer.is_signed_by(PASSWORD)
    assert not answer.is_signed_by(b"forged")


@pytest.mark.parametrize("place", range(len(check()) - FINGERPRINT_BYTES))
def test_a_changed_byte_is_noticed(place: int) -> None:
    datagram = bytearray(check())
    datagram[place] ^= 1
    request = stun.parse_binding_request(bytes(datagram))
    assert request is None or not request.is_signed_by(PASSWORD)


def test_our_answer_is_hardly_longer_than_the_question() -> None:
    datagram = check(**{"USE-CANDIDATE": None, "ICE-CONTROLLING": 7})
    request = stun.parse_binding_request(datagram)
    assert request is not None
    assert len(stun.binding_success(request, ("2001:db8::1", 9, 0, 0), PASSWORD)) <= len(datagram)


@given(st.binary(max_size=200), st.integers(0, 3))
def test_noise_is_nothing(noise: bytes, kind: int) -> None:
    for datagram in (noise, bytes((0, kind)) + struct.pack("!HI", len(noise), 0x2112A442) + bytes(12) + noise):
        request = stun.parse_binding_request(datagram)
        assert request is None or not request.is_signed_by(PASSWORD)
        stun.parse_binding_success(datagram)


@given(st.integers(0, 120), st.binary(max_size=4))
def test_a_mutilated_check_is_nothing_or_unsigned(place: int, junk: bytes) -> None:
    datagram = check()
    mutilated = datagram[:place] + junk + datagram[place + len(junk) :]
    request = stun.parse_binding_request(mutilated)
    assert request is None or mutilated == datagram or not request.is_signed_by(PASSWORD) or place > 60


def longer(datagram: bytes, by: int) -> bytes:
    return datagram[:2] + struct.pack("!H", len(datagram) - 20 + by) + datagram[4:]


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        check()[:20],
        check()[:-1],
        longer(check(), 4),
        longer(check(), -4),
        b"\x01\x01" + check()[2:],
        b"\x00\x11" + check()[2:],
        check()[:4] + b"\0\0\0\0" + check()[8:],
        longer(check()[:26], 0),
        check() + bytes(600),
        longer(check()[:20] + bytes.fromhex("0006ffff") + b"ours", 8),
    ],
    ids=[
        "nothing",
        "a header alone",
        "cut off",
        "longer than it is",
        "shorter than it is",
        "an answer",
        "an indication",
        "another cookie",
        "an attribute cut off",
        "longer than any check",
        "an attribute beyond the end",
    ],
)
def test_a_broken_check_is_none(datagram: bytes) -> None:
    assert stun.parse_binding_request(datagram) is None


@pytest.mark.parametrize("cut", [0, 19, 20, 31, 33, 35, 36, 55])
def test_a_broken_answer_is_none(cut: int) -> None:
    """Signed are its first 56 bytes; the fingerprint behind them vouches for nothing."""
    request = stun.parse_binding_request(check())
    assert request is not None
    answer = stun.binding_success(request, ("192.0.2.1", 1), PASSWORD)
    assert stun.parse_binding_success(answer[:cut]) is None
    assert stun.parse_binding_success(check()) is None
