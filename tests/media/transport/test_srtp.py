"""SRTP and SRTCP: what we seal real libsrtp opens and the other way round; what is damaged or repeated is None."""

from __future__ import annotations

import struct

import pytest

from livecommerce.media.transport.srtp import (
    CM_PROFILE,
    GCM_PROFILE,
    PROFILES,
    GcmRtcpInbound,
    Keys,
    LibsrtpInbound,
    derive,
    libsrtp_session,
    outbound,
    rtcp_inbound,
)
from livecommerce.media.wire import rtcp

LENGTHS = {GCM_PROFILE: 56, CM_PROFILE: 60}
COMPOUND = rtcp.receiver_report(7, [rtcp.ReportBlock(5, 0, 0, 1, 0, 0, 0)]) + rtcp.picture_loss(7, 5)


def both(profile: bytes) -> tuple[Keys, Keys]:
    """The keys of a server and of its client."""
    material = bytes(range(LENGTHS[profile]))
    return (
        Keys.from_material(profile, material, is_server=True),
        Keys.from_material(profile, material, is_server=False),
    )


@pytest.mark.parametrize("profile", PROFILES)
def test_what_one_end_sends_by_is_what_the_other_opens_by(profile: bytes) -> None:
    server, client = both(profile)
    assert Keys.material_bytes(profile) == LENGTHS[profile]
    assert (server.outbound, server.inbound) == (client.inbound, client.outbound)
    assert server.inbound != server.outbound
    # RFC 5764 section 4.2: client key, server key, client salt, server salt
    assert client.outbound[:16] == bytes(range(16))
    assert server.outbound[:16] == bytes(range(16, 32))
    assert "inbound" not in repr(server), "keys never get into a log"


def test_keys_are_derived_as_the_standard_shows() -> None:
    """RFC 3711 appendix B.3."""
    master = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139" + "0EC675AD498AFEEBB6960B3AABE6")
    assert derive(master, 0, 16).hex().upper() == "C61E7A93744F39EE10734AFE3FF7A087"
    assert derive(master, 2, 14).hex().upper() == "30CBBC08863D8C85D49DB34A9AE1"
    assert derive(master, 1, 94).hex().upper().startswith("CEBE321F6FF7716B6FD4AB49AF256A15")


@pytest.mark.parametrize("profile", PROFILES)
def test_libsrtp_opens_what_we_seal(profile: bytes) -> None:
    server, client = both(profile)
    sender = outbound(server)
    receiver = libsrtp_session(profile, client.inbound, inbound=True)
    header = struct.pack("!BBHII", 0x80, 102, 7, 90, 5)
    sealed = sender.seal_rtp(header, b"picture", 5, 7)
    assert receiver.unprotect(sealed) == header + b"picture"
    assert b"picture" not in sealed
    for _ in range(3):
        assert receiver.unprotect_rtcp(sender.seal_rtcp(COMPOUND)) == COMPOUND


@pytest.mark.parametrize("profile", PROFILES)
def test_what_libsrtp_seals_we_open_once(profile: bytes) -> None:
    server, client = both(profile)
    sender = libsrtp_session(profile, client.outbound, inbound=False)
    inbound = rtcp_inbound(server)
    sealed = [sender.protect_rtcp(COMPOUND) for _ in range(5)]
    for index in (0, 2, 1, 4):
        assert inbound.open(sealed[index]) == COMPOUND
        assert inbound.open(sealed[index]) is None, "the same again"
    assert inbound.open(sealed[3]) == COMPOUND


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    "damage",
    [
        lambda sealed: b"",
        lambda sealed: sealed[:7],
        lambda sealed: sealed[:27],
        lambda sealed: sealed[:-1],
        lambda sealed: sealed + b"\0",
        lambda sealed: sealed[:5] + bytes((sealed[5] ^ 1,)) + sealed[6:],
        lambda sealed: sealed[:12] + bytes((sealed[12] ^ 1,)) + sealed[13:],
        lambda sealed: sealed[:-1] + bytes((sealed[-1] ^ 1,)),
        lambda sealed: sealed.replace(b"\x80\0\0\x01", b"\0\0\0\x01"),
        lambda sealed: COMPOUND,
    ],
    ids=[
        "nothing",
        "half a header",
        "too short for a tag",
        "cut off",
        "longer",
        "another sender",
        "another body",
        "another tag or index",
        "said to be in clear",
        "in clear",
    ],
)
def test_a_damaged_report_is_none(profile: bytes, damage) -> None:
    server, client = both(profile)
    sealed = outbound(client).seal_rtcp(COMPOUND)
    inbound = rtcp_inbound(server)
    assert inbound.open(damage(sealed)) is None
    assert inbound.open(sealed) == COMPOUND, "a forgery does not use up the index of what is real"


def test_a_report_from_before_the_window_is_none() -> None:
    server, client = both(GCM_PROFILE)
    sender, inbound = outbound(client), GcmRtcpInbound(server.inbound)
    sealed = [sender.seal_rtcp(COMPOUND) for _ in range(70)]
    assert inbound.open(sealed[69]) == COMPOUND
    assert inbound.open(sealed[5]) is None
    assert inbound.open(sealed[6]) == COMPOUND


@pytest.mark.parametrize("profile", PROFILES)
def test_a_hosts_damaged_packet_is_none(profile: bytes) -> None:
    server, client = both(profile)
    sender = libsrtp_session(profile, client.outbound, inbound=False)
    inbound = LibsrtpInbound(server)
    plain = struct.pack("!BBHII", 0x80, 102, 7, 90, 5) + b"picture"
    sealed = sender.protect(plain)
    broken = [b"", sealed[:11], sealed[:-1], b"\x40" + sealed[1:], sealed[:-1] + bytes((sealed[-1] ^ 1,)), plain]
    assert [inbound.open_rtp(each) for each in broken] == [None] * len(broken)
    assert inbound.open_rtp(sealed) == plain
    assert inbound.open_rtp(sealed) is None, "the same again"
    assert inbound.open(b"") is None
    assert inbound.open(sealed) is None
