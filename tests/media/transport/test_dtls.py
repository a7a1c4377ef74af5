"""Handshakes without a network: both ends get the same keys, or the reason is a value."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import crypto

from livecommerce.media.transport.dtls import (
    DATAGRAM_BYTES_MAX,
    DATAGRAMS_IN_MAX,
    INBOX_MAX,
    Handshake,
    HandshakePool,
    Identity,
    Step,
    datagrams,
    self_signed,
)
from livecommerce.media.transport.srtp import GCM_PROFILE, Keys
from livecommerce.media.wire.sdp import Fingerprint
from tests.media.stage import until

SERVER, CLIENT = Identity(), Identity()
OTHERS = Fingerprint("sha-256", ":".join(["AB"] * 32))


def ends(
    expected_by_server: list[Fingerprint] | None = None, expected_by_client: list[Fingerprint] | None = None
) -> tuple[Handshake, Handshake]:
    server = Handshake(SERVER, expected_by_server or [CLIENT.fingerprint], is_server=True)
    client = Handshake(CLIENT, expected_by_client or [SERVER.fingerprint], is_server=False)
    return server, client


def talk(server: Handshake, client: Handshake) -> tuple[list[Step], list[Step]]:
    """The turns of both ends until neither has anything to say."""
    of_server: list[Step] = []
    of_client = [client.turn([])]
    while of_client[-1].send:
        of_server.append(server.turn(of_client[-1].send))
        if not of_server[-1].send:
            break
        of_client.append(client.turn(of_server[-1].send))
    return of_server, of_client


def keys_of(steps: list[Step]) -> Keys | None:
    found = [step.keys for step in steps if step.keys is not None]
    assert len(found) <= 1, "keys come once"
    return found[0] if found else None


def test_both_ends_have_the_same_keys_the_other_way_round() -> None:
    server, client = (keys_of(steps) for steps in talk(*ends()))
    assert server is not None
    assert client is not None
    assert server.profile == client.profile == GCM_PROFILE
    assert (server.outbound, server.inbound) == (client.inbound, client.outbound)


def test_what_is_sent_fits_a_tunnel() -> None:
    for steps in talk(*ends()):
        assert all(len(datagram) <= DATAGRAM_BYTES_MAX for step in steps for datagram in step.send)


@pytest.mark.parametrize(
    ("expected", "is_known"),
    [
        ([CLIENT.fingerprint], True),
        ([OTHERS], False),
        ([CLIENT.fingerprint, OTHERS], False),
        ([Fingerprint("md5", "AB"), CLIENT.fingerprint], True),
        ([Fingerprint("md5", "AB")], False),
        ([Fingerprint("sha-256", CLIENT.fingerprint.value.lower())], False),
    ],
    ids=["its own", "another's", "one of two", "one of a digest we do not know", "only such a one", "in small letters"],
)
def test_the_certificate_is_the_one_in_the_sdp(expected: list[Fingerprint], is_known: bool) -> None:
    steps, _ = talk(*ends(expected_by_server=expected))
    assert (keys_of(steps) is not None) is is_known
    failures = {step.failure for step in steps if step.failure}
    assert failures == (set() if is_known else {"the peer's certificate is not the one in its SDP"})


@pytest.mark.parametrize(
    "received",
    [b"", b"\x16", b"\x16\xfe\xfd" + bytes(10), b"\x16\xfe\xfd" + bytes(9) + b"\xff", bytes(1_200), b"\x17" * 60],
    ids=["nothing", "one byte", "an empty record", "a record cut off", "zeros", "data before keys"],
)
def test_noise_is_no_handshake_and_no_fault(received: bytes) -> None:
    server, client = ends()
    step = server.turn([received])
    assert step.keys is None
    if not step.failure:
        assert keys_of(talk(server, client)[0]) is not None, "the real peer is still let in"


def test_an_endless_handshake_is_given_up() -> None:
    server, _ = ends()
    step = server.turn([b"\x16\xfe\xfd" + bytes(10)] * (DATAGRAMS_IN_MAX + 1))
    assert step.failure


def test_a_goodbye_is_noticed() -> None:
    server, client = ends()
    talk(server, client)
    assert server.turn(client.close()).closed


@pytest.mark.parametrize(
    ("lengths", "sizes"),
    [
        ([], []),
        ([100], [113]),
        ([500, 500], [1_026]),
        ([600, 600], [613, 613]),
        ([1_187], [1_200]),
        ([2_000], [2_013]),
        ([100, 1_150, 100], [113, 1_163, 113]),
    ],
    ids=["nothing", "one", "two in one", "two in two", "as large as may be", "a record is never cut", "by turns"],
)
def test_records_are_put_into_datagrams(lengths: list[int], sizes: list[int]) -> None:
    stream = b"".join(b"\x16\xfe\xfd" + bytes(8) + length.to_bytes(2, "big") + bytes(length) for length in lengths)
    found = datagrams(stream)
    assert [len(datagram) for datagram in found] == sizes
    assert b"".join(found) == stream
    assert b"".join(datagrams(stream + b"\x16\xfe")) == stream, "half a header is no record"


async def test_associations_of_a_pool_find_to_each_other_and_leave_it() -> None:
    pool = HandshakePool(SERVER)
    keys: dict[str, Keys] = {}
    closed: list[str] = []
    try:
        server = pool.associate(
            [SERVER.fingerprint],
            is_server=True,
            send=lambda datagram: client.feed(datagram),
            on_keys=lambda found: keys.__setitem__("server", found),
            on_closed=closed.append,
        )
        client = pool.associate(
            [SERVER.fingerprint],
            is_server=False,
            send=lambda datagram: server.feed(datagram),
            on_keys=lambda found: keys.__setitem__("client", found),
            on_closed=closed.append,
        )
        await until(lambda: len(keys) == 2, "both have keys")
        assert keys["server"].outbound == keys["client"].inbound
        assert not pool.running
        client.close()
        await until(lambda: closed == ["closed by the peer"], "the server hears the goodbye")
    finally:
        pool.close()


async def test_a_flood_into_one_association_is_dropped() -> None:
    pool = HandshakePool(SERVER)
    closed: list[str] = []
    try:
        server = pool.associate(
            [CLIENT.fingerprint],
            is_server=True,
            send=lambda _: None,
            on_keys=lambda _: pytest.fail("no peer, no keys"),
            on_closed=closed.append,
        )
        for _ in range(1_000):
            server.feed(b"\x16\xfe\xfd" + bytes(10))
        assert len(server._inbox) <= INBOX_MAX
        server.close()
        server.close()
        assert closed == [], "whoever closes it knows"
        assert not pool.running
    finally:
        pool.close()


def identity_of(key: ec.EllipticCurvePrivateKey, der: Callable[[bytes], bytes]) -> Identity:
    """A peer whose certificate is `der` of a usual one."""
    made = Identity()
    sent = der(self_signed(key, "encoder").public_bytes(Encoding.DER))
    made.context.use_certificate(crypto.load_certificate(crypto.FILETYPE_ASN1, sent))
    made.context.use_privatekey(key)
    made.fingerprint = Fingerprint("sha-256", hashlib.sha256(sent).digest().hex(":").upper())
    return made


def version_2(der: bytes) -> bytes:
    """As libdatachannel 0.21 on OpenSSL writes it (OBS 30.2.3): `[0] INTEGER 1` is X.509 version 2."""
    assert der.count(b"\xa0\x03\x02\x01\x02") == 1
    return der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x01")


def between(encoder: Identity, fingerprint: Fingerprint) -> list[Step]:
    server = Handshake(SERVER, [fingerprint], is_server=True)
    client = Handshake(encoder, [SERVER.fingerprint], is_server=False)
    return talk(server, client)[0]


# The peer of the test has to be given such a certificate somehow; pyOpenSSL would rather have one that parses.
@pytest.mark.filterwarnings("ignore:Passing pyOpenSSL X509 objects is deprecated")
def test_a_certificate_that_no_parser_takes_is_known_by_its_fingerprint() -> None:
    encoder = identity_of(ec.generate_private_key(ec.SECP256R1()), version_2)
    assert keys_of(between(encoder, encoder.fingerprint)) is not None
    steps = between(encoder, OTHERS)
    assert keys_of(steps) is None
    assert {step.failure for step in steps if step.failure} == {"the peer's certificate is not the one in its SDP"}


@pytest.mark.filterwarnings("ignore:Passing pyOpenSSL X509 objects is deprecated")
def test_a_certificate_on_another_curve_is_refused_with_what_to_change() -> None:
    encoder = identity_of(ec.generate_private_key(ec.SECP256K1()), bytes)
    failures = [step.failure for step in between(encoder, encoder.fingerprint) if step.failure]
    assert failures == [
        "the encoder's certificate is on a curve that WebRTC does not use; give it one of P-256 (prime256v1)"
    ]
