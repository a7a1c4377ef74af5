"""Blocked words and links, compared after folding: `ｂａｄ`, `b-a-d` or a zero-width space do not slip by. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from livecommerce.comments import fold_for_match

# Between the letters of a word people put these; they carry no meaning there. Spaces are handled apart: "a bad" is
# not "abad", so they are only taken out between single letters.
_BETWEEN = re.compile(r"[\W_]+", re.UNICODE)
_SPACED_LETTERS = re.compile(r"(?:(?<=\s)|^)(?:\S\s){2,}\S(?=\s|$)")
_LINK = re.compile(
    r"(?:https?://|www\.)\S|(?<![\w@.])[a-z0-9-]{2,63}\.(?:com|net|org|tw|cn|hk|jp|kr|vn|th|ph|io|me|cc|co|app|shop|link|info|xyz|ly|gg|tv)\b(?:/|\b)"
)


def fold_word(word: str) -> str:
    """A blocked word as stored: folded, without signs between its letters."""
    return _BETWEEN.sub("", fold_for_match(word))


def _has_han_or_kana_or_thai(text: str) -> bool:
    return any(
        unicodedata.name(char, "").startswith(("CJK", "HIRAGANA", "KATAKANA", "THAI", "HANGUL", "LAO")) for char in text
    )


class WordFilter:
    """Finds the first blocked word in a text. Latin words match whole words; scripts without spaces match anywhere."""

    def __init__(self, words: Iterable[str]) -> None:
        self._anywhere: list[str] = []
        self._whole: set[str] = set()
        for word in words:
            if _has_han_or_kana_or_thai(word):
                self._anywhere.append(word)
            else:
                self._whole.add(word)

    def find(self, text: str) -> str | None:
        folded = fold_for_match(text)
        spaced = _SPACED_LETTERS.sub(lambda found: found[0].replace(" ", ""), folded)
        solid = _BETWEEN.sub("", folded)
        for word in self._anywhere:
            if word in solid:
                return word
        for line in (folded, spaced):
            for piece in line.split():
                bare = _BETWEEN.sub("", piece)
                if bare in self._whole:
                    return bare
                for part in _BETWEEN.split(piece):
                    if part in self._whole:
                        return part
        return None


def has_link(text: str) -> bool:
    return _LINK.search(fold_for_match(text)) is not None
