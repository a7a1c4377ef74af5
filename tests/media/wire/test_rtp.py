"""RTP: what others write is read, noise is a packet or nothing."""

from __future__ import annotations

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
