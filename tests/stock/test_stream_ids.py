"""Ids of streams are ordered as numbers, and what is none is refused."""

from __future__ import annotations

import pytest

from livecommerce.bounds import STREAM_ID_PART_MAX
from livecommerce.stock.stream_ids import stream_key


@pytest.mark.parametrize(
    ("earlier", "later"),
    [("0-0", "1-0"), ("9-0", "10-0"), ("5-2", "5-10"), ("1732300000000", "1732300000000-1"), ("5-0", "5-1")],
)
def test_they_are_ordered_as_numbers_not_as_text(earlier: str, later: str) -> None:
    assert stream_key(earlier) < stream_key(later)


def test_half_an_id_is_the_first_of_its_millisecond_and_the_largest_is_taken() -> None:
    assert stream_key("5") == stream_key("5-0") == (5, 0)
    assert stream_key(f"{STREAM_ID_PART_MAX}-{STREAM_ID_PART_MAX}") == (STREAM_ID_PART_MAX, STREAM_ID_PART_MAX)


@pytest.mark.parametrize(
    "odd",
    [
        "", "-", "5-", "-5", "x-0", "1-x", "1-2-3", " 1-0", "1-0\n", "+1-0", "1_0-0", "１-0", "1" * 41,
        f"{STREAM_ID_PART_MAX + 1}-0", f"0-{STREAM_ID_PART_MAX + 1}",
    ],
)  # fmt: skip
def test_what_is_none_is_refused(odd: str) -> None:
    with pytest.raises(ValueError, match="stream"):
        stream_key(odd)
