"""Why a socket was closed: numbers and words are ours for good, and the page lists them all."""

from __future__ import annotations

import re
from pathlib import Path

from livecommerce.realtime import close_codes


def test_every_close_code_is_documented_with_whether_to_come_back() -> None:
    page = (Path(__file__).parents[2] / "docs" / "realtime.md").read_text("utf-8")
    rows = {int(number): yes for number, yes in re.findall(r"^\| (\d{4}) \| .*? \| (yes|no)\b", page, re.MULTILINE)}
    assert rows == {one.number: "yes" if one.reconnect else "no" for one in close_codes.ALL}
    assert len({one.code for one in close_codes.ALL}) == len(close_codes.ALL)


def test_numbers_are_those_that_applications_may_use() -> None:
    """RFC 6455 section 7.4.2: 4000 to 4999; 1009 is the protocol's own for a message that is too big (7.4.1)."""
    for one in close_codes.ALL:
        assert 4000 <= one.number <= 4999 or one is close_codes.TOO_LARGE, one.code
    assert close_codes.TOO_LARGE.number == 1009
    assert len({one.number for one in close_codes.ALL}) == len(close_codes.ALL)


def test_every_code_of_the_file_is_in_the_list() -> None:
    found = {value for value in vars(close_codes).values() if isinstance(value, close_codes.CloseCode)}
    assert found == set(close_codes.ALL)
