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
    ("payload", "marks"),
    [
        (b"\x67" + SPS_720P[1:], h264.HAS_SEQUENCE),
        (b"\x68rest", h264.HAS_PICTURE),
        (b"\x65rest", h264.STARTS_IDR),
        (b"\x7c\x85rest", h264.STARTS_IDR),
        (b"\x7c\x05rest", 0),
        (b"\x7c\x81rest", 0),
        (b"\x61rest", 0),
        (b"\x09\xf0", 0),
        (b"\x06\x06\x01\xc4\x80", h264.HAS_RECOVERY),
        (b"\x06\x05rest", 0),
        (b"\x78\x00\x04\x67abc\x00\x02\x68d", h264.HAS_SETS),
        (b"\x78\x00\x02\x09\xf0\x00\x04\x67abc\x00\x02\x68d\x00\x02\x65e", h264.HAS_SETS | h264.STARTS_IDR),
        (b"\x78\x00\x05\x06\x06\x01\xc4\x80\x00\x02\x61e", h264.HAS_RECOVERY),
        (b"\x78\x00\x04\x61abc", 0),
        (b"\x78\x00\x01\x06", 0),
        (b"", 0),
    ],
    ids=[
        "SPS",
        "PPS",
        "IDR",
        "first of a fragmented IDR",
        "later fragment",
        "first of a fragmented P",
        "P",
        "AUD",
        "recovery point",
        "other SEI",
        "aggregate of sets",
        "aggregate of a whole picture",
        "aggregate with a recovery point",
        "aggregate without",
        "SEI of nothing",
        "empty",
    ],
)
def test_what_of_a_key_picture_begins_here(payload: bytes, marks: int) -> None:
    assert h264.landmarks(payload) == marks


@given(st.binary(max_size=80))
def test_noise_is_no_picture_or_a_sane_one(noise: bytes) -> None:
    h264.units(noise)
    h264.landmarks(noise)
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
