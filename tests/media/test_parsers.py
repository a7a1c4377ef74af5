"""STUN, RTP, RTCP and H.264: what others write is read, what strangers write harms nobody."""

from __future__ import annotations

import os
import struct

import pytest
from aioice import stun as oracle
from aiortc import rtp as aiortc_rtp
from hypothesis import given
from hypothesis import strategies as st

from livecommerce.media import h264, rtcp, rtp, stun
from livecommerce.media.feedback import ArrivalLog, RateLimit, Reception

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


class TestStun:
    def test_a_check_of_another_implementation_is_understood(self) -> None:
        datagram = check(**{"USE-CANDIDATE": None, "ICE-CONTROLLING": 7})
        request = stun.parse_binding_request(datagram)
        assert request is not None
        assert (request.username, request.nominated, request.peer_is_controlled) == (b"ours:theirs", True, False)
        assert request.is_signed_by(PASSWORD)
        assert not request.is_signed_by(b"another")

    @pytest.mark.parametrize(
        "address", [("192.0.2.7", 40_000), ("2001:db8::1", 9, 0, 0), ("::ffff:192.0.2.7", 5, 0, 0)]
    )
    def test_another_implementation_understands_our_answer(self, address: stun.Address) -> None:
        request = stun.parse_binding_request(check())
        assert request is not None
        answer = oracle.parse_message(stun.binding_success(request, address, PASSWORD))
        assert answer.check_message_integrity(PASSWORD)
        assert answer.transaction_id == request.transaction_id
        assert answer.attributes["XOR-MAPPED-ADDRESS"] == (address[0].removeprefix("::ffff:"), address[1])

    def test_another_implementation_understands_our_checks_and_refusals(self) -> None:
        for ours in (stun.binding_request, stun.challenge):
            message = oracle.parse_message(ours(b"theirs:ours", PASSWORD, bytes(12)))
            assert message.check_message_integrity(PASSWORD)
            assert message.attributes["USERNAME"] == "theirs:ours"
        request = stun.parse_binding_request(check(**{"ICE-CONTROLLED": 7}))
        assert request is not None
        assert request.peer_is_controlled
        assert oracle.parse_message(stun.role_conflict(request, PASSWORD)).error_code == 487

    def test_an_answer_to_our_challenge_is_checked(self) -> None:
        request = stun.parse_binding_request(stun.challenge(b"a:b", PASSWORD, b"t" * 12))
        assert request is not None
        answer = stun.parse_binding_success(stun.binding_success(request, ("192.0.2.1", 1), PASSWORD))
        assert answer is not None
        assert answer.transaction_id == b"t" * 12
        assert answer.is_signed_by(PASSWORD)
        assert not answer.is_signed_by(b"forged")

    @pytest.mark.parametrize("place", range(len(check()) - FINGERPRINT_BYTES))
    def test_a_changed_byte_is_noticed(self, place: int) -> None:
        datagram = bytearray(check())
        datagram[place] ^= 1
        request = stun.parse_binding_request(bytes(datagram))
        assert request is None or not request.is_signed_by(PASSWORD)

    def test_our_answer_is_hardly_longer_than_the_question(self) -> None:
        datagram = check(**{"USE-CANDIDATE": None, "ICE-CONTROLLING": 7})
        request = stun.parse_binding_request(datagram)
        assert request is not None
        assert len(stun.binding_success(request, ("2001:db8::1", 9, 0, 0), PASSWORD)) <= len(datagram)

    @given(st.binary(max_size=200), st.integers(0, 3))
    def test_noise_is_nothing(self, noise: bytes, kind: int) -> None:
        for datagram in (noise, bytes((0, kind)) + struct.pack("!HI", len(noise), 0x2112A442) + bytes(12) + noise):
            request = stun.parse_binding_request(datagram)
            assert request is None or not request.is_signed_by(PASSWORD)
            stun.parse_binding_success(datagram)

    @given(st.integers(0, 120), st.binary(max_size=4))
    def test_a_mutilated_check_is_nothing_or_unsigned(self, place: int, junk: bytes) -> None:
        datagram = check()
        mutilated = datagram[:place] + junk + datagram[place + len(junk) :]
        request = stun.parse_binding_request(mutilated)
        assert request is None or mutilated == datagram or not request.is_signed_by(PASSWORD) or place > 60


class TestRtp:
    def test_a_packet_of_another_implementation_is_understood(self) -> None:
        packet = aiortc_rtp.RtpPacket(payload_type=102, sequence_number=65_535, timestamp=7, marker=1)
        packet.ssrc, packet.payload, packet.padding_size = 9, b"picture", 5
        parsed = rtp.parse(packet.serialize())
        assert parsed == rtp.RtpPacket(102, True, 65_535, 7, 9, b"picture", 0, b"")

    def test_header_extensions_of_both_forms(self) -> None:
        assert rtp.extension_values(0xBEDE, b"\x10\xaa\x00\x51\x01\x02\x00\x00") == {1: b"\xaa", 5: b"\x01\x02"}
        assert rtp.extension_values(0x1000, b"\x07\x02\x01\x02\x00\x09\x01\xff") == {7: b"\x01\x02", 9: b"\xff"}
        assert rtp.extension_values(0xBEDE, b"\x1f\xaa") == {}

    @pytest.mark.parametrize(
        ("sequence", "reference", "number"),
        [(5, 0x1FFFF, 0x20005), (65_535, 0x20000, 0x1FFFF), (7, 0x10007, 0x10007), (0, 0x18000, 0x10000 + 0x10000)],
    )
    def test_numbers_are_unwrapped_to_the_nearest(self, sequence: int, reference: int, number: int) -> None:
        assert rtp.unwrap(sequence, reference) in (number, number - 0x10000)
        assert abs(rtp.unwrap(sequence, reference) - reference) <= 0x8000

    @given(st.binary(max_size=64))
    def test_noise_is_a_packet_or_nothing(self, noise: bytes) -> None:
        packet = rtp.parse(noise)
        if packet is not None:
            rtp.extension_values(packet.extension_profile, packet.extension)
            assert len(packet.payload) <= len(noise) - 12


class TestRtcp:
    def test_what_we_write_another_implementation_reads(self) -> None:
        block = rtcp.ReportBlock(5, 12, -3, 70_000, 4, 99, 7)
        compound = rtcp.sender_report(1, 2 << 40, 3, 4, 5) + rtcp.source_description(1, b"name")
        compound += rtcp.receiver_report(1, [block]) + rtcp.nack(1, 5, [65_530, 65_535, 2, 400])
        compound += rtcp.picture_loss(1, 5) + rtcp.receiver_estimate(1, 2_500_000, [5]) + rtcp.goodbye([1])
        report, description, received, nack, loss, estimate, goodbye = aiortc_rtp.RtcpPacket.parse(compound)
        assert report.sender_info.ntp_timestamp == 2 << 40
        assert description.chunks[0].items == [(1, b"name")]
        assert (received.reports[0].packets_lost, received.reports[0].fraction_lost) == (-3, 12)
        assert [number & 0xFFFF for number in nack.lost] == [65_530, 65_535, 2, 400]
        assert (loss.fmt, loss.media_ssrc) == (1, 5)
        bitrate, ssrcs = aiortc_rtp.unpack_remb_fci(estimate.fci)
        assert ssrcs == [5]
        assert 2_490_000 < bitrate <= 2_500_000
        assert goodbye.sources == [1]

    def test_what_we_write_we_read(self) -> None:
        block = rtcp.ReportBlock(5, 12, -3, 70_000, 4, 99, 7)
        compound = rtcp.receiver_report(1, [block]) + rtcp.nack(1, 5, [7, 9]) + rtcp.full_intra_request(1, 5, 3)
        compound += rtcp.receiver_estimate(1, 1 << 30, [5]) + rtcp.goodbye([1, 2])
        assert rtcp.parse(compound) == [
            rtcp.ReceiverReport(1, (block,)),
            rtcp.Nack(5, (7, 9)),
            rtcp.KeyframeRequest(5),
            rtcp.Bitrate(1 << 30, (5,)),
            rtcp.Bye((1, 2)),
        ]

    @pytest.mark.parametrize(
        ("tail", "read"),
        [
            (bytes((1, 7 << 2 | 1, 0, 2)) + bytes((0, 0, 0, 5)), rtcp.Bitrate(0x10002 << 7, (5,))),
            (bytes((2, 0, 1, 0)) + bytes((0, 0, 0, 5)) + bytes((0, 0, 0, 6)), rtcp.Bitrate(256, (5, 6))),
            (bytes((0, 0xFF, 0xFF, 0xFF)), rtcp.Bitrate(0x3FFFF << 63, ())),
            (bytes((2, 0, 1, 0)) + bytes((0, 0, 0, 5)), None),
            (bytes((255, 0, 1, 0)), None),
            (b"", None),
        ],
        ids=["one", "two", "largest and for nobody", "fewer SSRCs than it says", "none of 255", "cut off"],
    )
    def test_what_a_viewer_says_its_line_carries(self, tail: bytes, read: rtcp.Item | None) -> None:
        body = struct.pack("!II", 1, 0) + b"REMB" + tail
        packet = struct.pack("!BBH", 0x8F, 206, len(body) // 4) + body
        assert rtcp.parse(packet) == ([] if read is None else [read])

    def test_arrivals_are_fed_back_once_each(self) -> None:
        log = ArrivalLog()
        for sequence, at in ((65_534, 10.0), (65_535, 10.001), (2, 10.3), (1, 10.31)):
            log.note(sequence, at)
        packets = log.feedback(1, 5)
        assert rtcp.parse(packets[0]) == [rtcp.TransportFeedback(65_534, 5, 4)]
        assert log.feedback(1, 5) == []
        log.note(65_535, 11.0)
        assert log.feedback(1, 5) == []
        log.note(3, 11.0)
        assert rtcp.parse(log.feedback(1, 5)[0]) == [rtcp.TransportFeedback(3, 1, 1)]

    @given(st.binary(max_size=300))
    def test_noise_is_a_list_or_nothing(self, noise: bytes) -> None:
        assert isinstance(rtcp.parse(noise), list)

    @given(st.sampled_from([200, 201, 202, 203, 204, 205, 206]), st.integers(0, 31), st.binary(max_size=200))
    def test_noise_in_a_good_envelope(self, kind: int, count: int, body: bytes) -> None:
        body += bytes(-len(body) & 3)
        items = rtcp.parse(struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body)
        for item in items:
            if isinstance(item, rtcp.Nack):
                assert len(item.sequences) <= rtcp.NACK_NUMBERS_MAX

    @given(st.lists(st.integers(0, 65_535), max_size=60))
    def test_any_nack_names_what_it_was_given(self, sequences: list[int]) -> None:
        (item,) = rtcp.parse(rtcp.nack(1, 2, sequences)) if sequences else [rtcp.Nack(2, ())]
        assert isinstance(item, rtcp.Nack)
        assert set(item.sequences) >= set(sequences)


class TestReception:
    def test_missing_packets_are_asked_for_until_they_come(self) -> None:
        reception = Reception(5, 90_000)
        for sequence in (10, 11, 14):
            reception.note(sequence, 0, 100, now=1.0)
        assert reception.wanted(1.0) == [12, 13]
        assert reception.wanted(1.01) == []
        assert reception.wanted(1.05) == [12, 13]
        reception.note(12, 0, 100, now=1.06)
        assert reception.repaired == 1
        asked = [reception.wanted(1.1 + step * 0.11) for step in range(20)]
        assert sum(map(bool, asked)) == 8
        assert reception.abandoned == 1

    def test_a_gap_of_thousands_asks_for_a_bounded_part(self) -> None:
        reception = Reception(5, 90_000)
        reception.note(0, 0, 100, now=1.0)
        reception.note(2_500, 0, 100, now=1.0)
        assert len(reception.wanted(1.0)) <= rtcp.NACK_NUMBERS_MAX
        assert reception.missing_count <= 512

    def test_the_report_tells_the_loss_since_the_last_one(self) -> None:
        reception = Reception(5, 90_000)
        for sequence in (65_530, 65_531, 65_534, 65_535, 0, 1, 2, 3):
            reception.note(sequence, 0, 100, now=1.0)
        block = reception.block(1.0)
        assert block is not None
        assert (block.packets_lost, block.fraction_lost) == (2, 256 * 2 // 10)
        reception.note(4, 0, 100, now=1.1)
        block = reception.block(2.0)
        assert block is not None
        assert (block.packets_lost, block.fraction_lost) == (2, 0)

    def test_the_estimate_falls_with_loss_and_climbs_back(self) -> None:
        limit = RateLimit(2_500)
        assert limit.step(0.0) == 2_500_000
        assert limit.step(0.2) == 2_000_000
        assert limit.step(0.05) == 2_000_000
        for _ in range(10):
            limit.step(0.0)
        assert limit.bits_per_second == 2_500_000


SPS_720P = bytes.fromhex("6742c01fda014016ec0440000003004000000f03c60ca8")


class TestH264:
    def test_the_picture_size_is_read_from_the_parameters(self) -> None:
        picture = h264.parse_sequence_parameters(SPS_720P)
        assert picture is not None
        assert (picture.width, picture.height, picture.is_baseline) == (1280, 720, True)

    @pytest.mark.parametrize(
        ("payload", "starts"),
        [
            (b"\x67" + SPS_720P[1:], True),
            (b"\x65rest", True),
            (b"\x7c\x85rest", True),
            (b"\x7c\x05rest", False),
            (b"\x61rest", False),
            (b"\x78\x00\x04\x67abc\x00\x02\x68d", True),
            (b"\x78\x00\x04\x61abc", False),
            (b"", False),
        ],
        ids=[
            "SPS",
            "IDR",
            "first of a fragmented IDR",
            "later fragment",
            "P",
            "aggregate with SPS",
            "without",
            "empty",
        ],
    )
    def test_where_viewers_can_enter(self, payload: bytes, starts: bool) -> None:
        assert h264.starts_keyframe(payload) is starts

    @given(st.binary(max_size=80))
    def test_noise_is_no_picture_or_a_sane_one(self, noise: bytes) -> None:
        h264.units(noise)
        h264.starts_keyframe(noise)
        picture = h264.parse_sequence_parameters(b"\x67" + noise)
        assert picture is None or 0 < picture.width <= 16_384

    def test_random_bytes_of_every_length(self) -> None:
        for length in range(64):
            h264.parse_sequence_parameters(b"\x67" + os.urandom(length))
