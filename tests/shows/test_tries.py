"""The ids of tries to accept a line lead back to the line."""

from __future__ import annotations

import pytest

from livecommerce.shows.tries import line_of, try_id


@pytest.mark.parametrize("comment", ["0123456789abcdef0123456789abcdef", "line-1", "a" * 54, "a-again", "b" * 64])
@pytest.mark.parametrize("tries", [0, 1, 2, 999])
def test_a_try_belongs_to_its_line(comment: str, tries: int) -> None:
    identity = try_id(comment, tries)
    assert len(identity) <= 64
    assert line_of(identity, ["another-line", comment]) == comment
