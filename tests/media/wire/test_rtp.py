"""RTP: what others write is read, noise is a packet or nothing."""

from __future__ import annotations

import struct

import pytest
from aiortc import rtp as aiortc_rtp
from hypothesis import given
from hypothesis import strategies as st

from livecommerce.media.wire import rtp


def test_a_packet_of_another_implementation_is_understood() -> None:
    packet = aiortc_rtp.RtpPacket(payload_type=102, sequence_number=65_535, timestamp=7, marker=1)
    packet.ssrc, packet.payload, packet.padding_size = 9, b"picture", 5
    parsed = rtp.parse(packet.serialize())
    assert parsed == rtp.RtpPacket(102, True, 65_535, 7, 9, b"picture", 0, b"")


def test_header_extensions_of_both_forms() -> None:
    assert rtp.extension_values(0xBEDE, b"\x10\xaa\x00\x51\x01\x02\x00\x00") == {1: b"\xaa", 5: b"\x01\x02"}
    assert rtp.extension_values(0x1000, b"\x07\x02\x01\x02\x00\x09\x01\xff") == {7: b"\x01\x02", 9: b"\xff"}
    assert rtp.extension_values(0xBEDE, b"\x1f\xaa") == {}


@pytest.mark.parametrize(
    ("sequence", "reference", "number"),
    [(5, 0x1FFFF, 0x20005), (65_535, 0x20000, 0x1FFFF), (7, 0x10007, 0x10007), (0, 0x18000, 0x10000 + 0x10000)],
)
def test_numbers_are_unwrapped_to_the_nearest(sequence: int, reference: int, number: int) -> None:
    assert rtp.unwrap(sequence, reference) in (number, number - 0x10000)
    assert abs(rtp.unwrap(sequence, reference) - reference) <= 0x8000


@given(st.binary(max_size=64))
def test_noise_is_a_packet_or_nothing(noise: bytes) -> None:
    packet = rtp.parse(noise)
    if packet is not None:
        rtp.extension_values(packet.extension_profile, packet.extension)
        assert len(packet.payload) <= len(noise) - 12


GOOD = struct.pack("!BBHII", 0x80, 0x80 | 102, 7, 90, 5) + b"picture"


@pytest.mark.parametrize(
    ("datagram", "payload"),
    [
        (GOOD, b"picture"),
        (GOOD[:12], b""),
        (b"\x81" + GOOD[1:12] + b"csrc" + GOOD[12:], b"picture"),
        (b"\x90" + GOOD[1:12] + struct.pack("!HH", 0xBEDE, 1) + b"\x10\xaa\0\0" + GOOD[12:], b"picture"),
        (b"\xa0" + GOOD[1:] + b"\0\0\x03", b"picture"),
    ],
    ids=["plain", "empty", "one CSRC", "extension", "padding"],
)
def test_what_a_packet_carries(datagram: bytes, payload: bytes) -> None:
    packet = rtp.parse(datagram)
    assert packet is not None
    assert (packet.payload, packet.sequence, packet.ssrc) == (payload, 7, 5)


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        GOOD[:11],
        b"\x40" + GOOD[1:],
        b"\xc0" + GOOD[1:],
        b"\x8f" + GOOD[1:],
        b"\x90" + GOOD[1:14],
        b"\x90" + GOOD[1:12] + struct.pack("!HH", 0xBEDE, 0xFFFF) + b"short",
        b"\xa0" + GOOD[1:] + b"\0",
        b"\xa0" + GOOD[1:] + b"\xff",
        b"\xa0" + GOOD[1:12],
    ],
    ids=[
        "nothing",
        "half a header",
        "version 1",
        "version 3",
        "15 CSRCs in 7 bytes",
        "extension without its length",
        "extension beyond the end",
        "no padding said to be there",
        "padding before the header",
        "padding of an empty packet",
    ],
)
def test_a_broken_packet_is_none(datagram: bytes) -> None:
    assert rtp.parse(datagram) is None


@pytest.mark.parametrize(
    ("profile", "extension", "read"),
    [
        (0xBEDE, b"\x10\xaa\x51\x01", {1: b"\xaa"}),
        (0xBEDE, b"\xf0\xaa\x10\xbb", {}),
        (0xBEDE, b"\0\0\0\0", {}),
        (0x1000, b"\x07\x09\x01\x02", {}),
        (0x1000, b"\x07", {}),
        (0x1000, b"\x07\x00\x09\x01\xff", {7: b"", 9: b"\xff"}),
        (0x1234, b"\x10\xaa", {}),
        (0, b"", {}),
    ],
    ids=[
        "cut off",
        "id 15 ends it",
        "padding alone",
        "longer than it is",
        "no length",
        "empty",
        "unknown form",
        "none",
    ],
)
def test_extensions_stop_at_the_first_fault(profile: int, extension: bytes, read: dict[int, bytes]) -> None:
    assert rtp.extension_values(profile, extension) == read


@pytest.mark.parametrize(
    ("ticks", "read"),
    [(0, 0), (5, 5), (-5, -5), (0x7FFFFFFF, 0x7FFFFFFF), (0x80000000, -0x80000000), (0xFFFFFFFF, -1), (1 << 32, 0)],
)
def test_the_difference_of_two_timestamps_is_around_zero(ticks: int, read: int) -> None:
    assert rtp.signed(ticks) == read


@pytest.mark.parametrize(("second", "is_rtcp"), [(191, False), (192, True), (200, True), (223, True), (224, False)])
def test_reports_are_told_from_media_by_their_type(second: int, is_rtcp: bool) -> None:
    assert rtp.is_rtcp(bytes((0x80, second, 0, 0))) is is_rtcp
    assert not rtp.is_rtcp(b"\x80")
