"""Blocked words and links are found however they are spelled, and nothing else is."""

from __future__ import annotations

import pytest

from livecommerce.shows.words import WordFilter, fold_word, has_link

WORDS = WordFilter([fold_word(word) for word in ("bad", "壞話")])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("bad", "bad"),
        ("so BAD!", "bad"),
        ("ｂａｄ", "bad"),
        ("b-a-d", "bad"),
        ("b a d", "bad"),
        ("b\u200bad", "bad"),
        ("badly", None),
        ("a badge", None),
        ("not a, bd", None),
        ("說壞話了", fold_word("壞話")),
        ("壞-話", fold_word("壞話")),
        ("好話", None),
    ],
)
def test_a_blocked_word_does_not_slip_by(text: str, found: str | None) -> None:
    assert WORDS.find(text) == found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://a.b/c", True),
        ("www.shop", True),
        ("see example.com", True),
        ("ｅｘａｍｐｌｅ．ｃｏｍ", True),
        ("me@example.com", False),
        ("3.5 kg", False),
        ("A01+1", False),
    ],
)
def test_what_is_a_link(text: str, expected: bool) -> None:
    assert has_link(text) is expected
