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


@pytest.mark.parametrize("length", range(len(SPS_720P)))
def test_parameters_that_end_early_are_no_picture(length: int) -> None:
    picture = h264.parse_sequence_parameters(SPS_720P[:length])
    # what comes after the size and its cropping is not read
    assert picture is None or (picture.width, picture.height) == (1280, 720)


@pytest.mark.parametrize(
    "unit",
    [b"", b"\x67", b"\x68" + SPS_720P[1:], b"\x67" + bytes(40), b"\x67\x42\xc0\x1f" + bytes(60)],
    ids=["nothing", "a header alone", "another kind of unit", "zeros", "a code without an end"],
)
def test_what_is_no_parameter_set_is_none(unit: bytes) -> None:
    assert h264.parse_sequence_parameters(unit) is None


@pytest.mark.parametrize(
    ("payload", "kinds"),
    [
        (b"\x78\x00\x02\x67a\x00\x02\x68b", [7, 8]),
        (b"\x78\x00\x02\x67a\x00\x09\x68b", [7]),
        (b"\x78\x00\x00\x67a", []),
        (b"\x78\x00", []),
        (b"\x78", []),
        (b"\x7c\x85a", [5]),
        (b"\x7c\x45a", []),
        (b"\x7c\x85", []),
        (b"\x79\x00\x00", []),
        (b"\x7f", []),
        (b"\x60", []),
    ],
    ids=[
        "aggregate",
        "aggregate cut off",
        "a unit of no length",
        "half a length",
        "an empty aggregate",
        "first fragment",
        "last fragment",
        "a fragment of nothing",
        "STAP-B",
        "reserved",
        "type 0",
    ],
)
def test_units_that_begin_here(payload: bytes, kinds: list[int]) -> None:
    assert [kind for kind, _ in h264.units(payload)] == kinds
