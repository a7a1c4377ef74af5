"""What is no text of a comment, and no name."""

from __future__ import annotations

import pytest

from livecommerce.intake.errors import CommentNotText, CommentTooLong, NameRefused
from livecommerce.intake.text import NAME_LENGTH_MAX, checked_name, checked_text


@pytest.mark.parametrize(
    ("text", "checked"),
    [
        ("  +1 ", "+1"),
        ("two\r\nlines", "two\nlines"),
        ("a\tb", "a\tb"),
        ("👩‍👧", "👩‍👧"),
        (" " * 15 + "+1" + " " * 15, "+1"),
        ("字" * 10, "字" * 10),
    ],
    ids=["trimmed", "line ends", "tab", "joined emoji", "spaces do not count", "as long as allowed"],
)
def test_text_is_trimmed_and_kept(text: str, checked: str) -> None:
    assert checked_text(text, 10) == checked


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (None, CommentNotText),
        (7, CommentNotText),
        (b"+1", CommentNotText),
        ("", CommentNotText),
        (" \n ", CommentNotText),
        ("a\x00b", CommentNotText),
        ("\x1b[31m", CommentNotText),
        ("\ud800", CommentNotText),
        ("\ue000", CommentNotText),
        ("字" * 11, CommentTooLong),
        (" " * 41, CommentTooLong),
    ],
)
def test_what_is_no_comment(text: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        checked_text(text, 10)


@pytest.mark.parametrize(
    ("name", "checked"),
    [("  小  花 ", "小 花"), ("e\u0301", "é"), ("x" * NAME_LENGTH_MAX, "x" * NAME_LENGTH_MAX), ("a\nb", "a b")],
)
def test_names_are_trimmed_and_composed(name: str, checked: str) -> None:
    assert checked_name(name) == checked


@pytest.mark.parametrize(
    "name", [None, 7, "", "  ", "x" * (NAME_LENGTH_MAX + 1), " " * 81, "an\u200bna", "\u202eanna", "a\x07", "\ue000"]
)
def test_what_is_no_name(name: object) -> None:
    with pytest.raises(NameRefused):
        checked_name(name)
