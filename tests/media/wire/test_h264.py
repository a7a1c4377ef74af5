"""H.264: where viewers can enter, how large the picture is, and nothing from noise."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecommerce.media.wire import h264

SPS_720P = bytes.fromhex("6742c01fda014016ec0440000003004000000f03c60ca8")


def test_the_picture_size_is_read_from_the_parameters() -> None:
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
def test_where_viewers_can_enter(payload: bytes, starts: bool) -> None:
    assert h264.starts_keyframe(payload) is starts


@given(st.binary(max_size=80))
def test_noise_is_no_picture_or_a_sane_one(noise: bytes) -> None:
    h264.units(noise)
    h264.starts_keyframe(noise)
    picture = h264.parse_sequence_parameters(b"\x67" + noise)
    assert picture is None or 0 < picture.width <= 16_384


def test_random_bytes_of_every_length() -> None:
    for length in range(64):
        h264.parse_sequence_parameters(b"\x67" + os.urandom(length))
