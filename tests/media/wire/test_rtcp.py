"""RTCP: what we write others read, what others write we read, noise is a list."""

from __future__ import annotations

import struct

import pytest
from aiortc import rtp as aiortc_rtp
from hypothesis import given
from hypothesis import strategies as st

from livecommerce.media.wire import rtcp


def test_what_we_write_another_implementation_reads() -> None:
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


def test_what_we_write_we_read() -> None:
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
def test_what_a_viewer_says_its_line_carries(tail: bytes, read: rtcp.Item | None) -> None:
    body = struct.pack("!II", 1, 0) + b"REMB" + tail
    packet = struct.pack("!BBH", 0x8F, 206, len(body) // 4) + body
    assert rtcp.parse(packet) == ([] if read is None else [read])


@given(st.binary(max_size=300))
def test_noise_is_a_list_or_nothing(noise: bytes) -> None:
    assert isinstance(rtcp.parse(noise), list)


@given(st.sampled_from([200, 201, 202, 203, 204, 205, 206]), st.integers(0, 31), st.binary(max_size=200))
def test_noise_in_a_good_envelope(kind: int, count: int, body: bytes) -> None:
    body += bytes(-len(body) & 3)
    items = rtcp.parse(struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body)
    for item in items:
        if isinstance(item, rtcp.Nack):
            assert len(item.sequences) <= rtcp.NACK_NUMBERS_MAX


@given(st.lists(st.integers(0, 65_535), max_size=60))
def test_any_nack_names_what_it_was_given(sequences: list[int]) -> None:
    (item,) = rtcp.parse(rtcp.nack(1, 2, sequences)) if sequences else [rtcp.Nack(2, ())]
    assert isinstance(item, rtcp.Nack)
    assert set(item.sequences) >= set(sequences)


REPORT = rtcp.receiver_report(1, [rtcp.ReportBlock(5, 12, -3, 70_000, 4, 99, 7)])
SENT = rtcp.sender_report(1, 2 << 40, 3, 4, 5)


@pytest.mark.parametrize(
    ("compound", "kinds"),
    [
        (b"", []),
        (REPORT[:3], []),
        (REPORT[:-1], []),
        (b"\x41" + REPORT[1:], []),
        (REPORT[:2] + b"\xff\xff" + REPORT[4:], []),
        (SENT + REPORT[:-4], ["SenderReport"]),
        (SENT + b"\x01" + REPORT[1:], ["SenderReport"]),
        (bytes((0x80, 200, 0, 1)) + bytes(4), []),
        (bytes((0x80, 201, 0, 0)), []),
        (bytes((0x9F, 203, 0, 1)) + bytes(4), ["Bye"]),
        (bytes((0x81, 205, 0, 1)) + bytes(4), []),
        (bytes((0x84, 206, 0, 2)) + bytes(8), []),
        (bytes((0x8F, 205, 0, 3)) + bytes(12), []),
        (bytes((0x80, 204, 0, 1)) + b"name" + SENT, ["SenderReport"]),
        (REPORT * 40, ["ReceiverReport"] * rtcp.PARTS_MAX),
    ],
    ids=[
        "nothing",
        "half a header",
        "cut off",
        "version 1",
        "longer than it is",
        "a good part before a cut one",
        "a good part before another version",
        "sender report without its fields",
        "receiver report without an SSRC",
        "goodbye of 31, one named",
        "feedback without a medium",
        "FIR without an entry",
        "transport-cc without its counts",
        "a kind we do not read",
        "more parts than anybody sends",
    ],
)
def test_a_broken_compound_gives_what_was_whole_before_it(compound: bytes, kinds: list[str]) -> None:
    assert [type(item).__name__ for item in rtcp.parse(compound)] == kinds


def test_more_blocks_than_there_are_bytes_are_not_read() -> None:
    (report,) = rtcp.parse(b"\x9f" + REPORT[1:])
    assert isinstance(report, rtcp.ReceiverReport)
    assert [block.ssrc for block in report.blocks] == [5]


def test_a_feedback_that_counts_more_than_it_tells_ends_with_its_bytes() -> None:
    body = struct.pack("!IIHHI", 1, 5, 10, 60_000, 0) + struct.pack("!HH", 0x2003, 0)
    packet = struct.pack("!BBH", 0x8F, 205, len(body) // 4) + body
    assert rtcp.parse(packet) == [rtcp.TransportFeedback(10, 60_000, 3)]
