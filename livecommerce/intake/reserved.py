"""Names that pass for the host: compared as a person's eye does (UTS #39 skeletons). Pure.

Reserved are words for the people who run a show (`reserved_words.py`), the display names of its staff, and the name of
its shop. A name is refused when it is one of them, whatever look-alike letters, accents, signs and digits are put into
or around it. Of guests it is the form of their names, which nobody chooses.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence

import regex
from disarm import skeleton_key

from livecommerce.comments import fold_for_match
from livecommerce.intake import reserved_words

FOUND_WITHIN_MIN = 3  # ideographs of a shop's name that is found within a longer name too; shorter ones are words

_LEAD = regex.compile(r"^[^\p{L}\p{N}]+")
_TRAIL = regex.compile(r"[^\p{L}\p{N}]+$")
_SIGNS = regex.compile(r"[^\p{L}\p{N}\p{M}]+")
_DIGITS = regex.compile(r"[\p{N}]+$")
_HAS_DIGIT = regex.compile(r"\p{N}")
_ACCENTS = regex.compile(r"[\u0300-\u036f]+")
_HAN = regex.compile(r"\p{Han}")


_LEET = str.maketrans("1l345789", "iieastbg")
_LEET_SIGNS = str.maketrans("!|$@", "iisa")
_GUEST, _GUEST_CODE_MAX = "guest", 6  # signs after the word; those of the server have four
_GUEST_PARTS = regex.compile(rf"[^\p{{L}}\p{{N}}\p{{M}}]+|[{reserved_words.DASHES}]")
WORDS_MAX = 4  # of a reserved phrase


def _plain(text: str) -> str:
    """Each look-alike as the one it looks like, without accents; signs stay."""
    skeleton: str = skeleton_key(text, digit_policy="tr39")
    return _ACCENTS.sub("", unicodedata.normalize("NFD", fold_for_match(skeleton)))


def _letters(plain: str) -> str:
    folded = _SIGNS.sub("", unicodedata.normalize("NFC", plain))
    return folded.replace("rn", "m").replace("vv", "w")


def key_of(text: str) -> str:
    """What a text looks like: letters and digits alone, without accents, each look-alike as the one it looks like."""
    return _letters(_plain(text))


def looks_like_a_guest(name: str) -> bool:
    """Whether a name has the form of those that guests get (`guest-o4vr`): the word, a code after it, and between them
    any dash, sign or space; or none, where the code has a digit (`Guesten` is somebody)."""
    parts = [key for part in _GUEST_PARTS.split(_plain(name)) if (key := _letters(part))]
    whole = "".join(parts)
    if whole[: len(_GUEST)].translate(_LEET) != _GUEST or not 1 <= len(whole) - len(_GUEST) <= _GUEST_CODE_MAX:
        return False
    ends = {sum(map(len, parts[:count])) for count in range(1, len(parts))}
    return len(_GUEST) in ends or _HAS_DIGIT.search(name) is not None


def _readings(name: str) -> set[str]:
    """A name with and without the signs around it: `🅥` is a letter in one and a mark in the other."""
    shapes = {
        name,
        _LEAD.sub("", name),
        _TRAIL.sub("", name),
        _TRAIL.sub("", _LEAD.sub("", name)),
        _SIGNS.sub("", name),
        _SIGNS.sub("", name.translate(_LEET_SIGNS)),
    }
    return {key for shape in shapes for key in (key_of(shape), key_of(_DIGITS.sub("", _TRAIL.sub("", shape)))) if key}


def _phrases(name: str) -> set[str]:
    """The words of a name, each alone and with those that follow."""
    words = _SIGNS.split(name)
    bare = [_DIGITS.sub("", word) for word in words]
    return {
        key_of("".join(some[start : start + count]))
        for some in (words, bare, _SIGNS.split(name.translate(_LEET_SIGNS)))
        for count in range(1, WORDS_MAX + 1)
        for start in range(len(some) - count + 1)
    } - {""}


def _keys(*languages: Mapping[str, Sequence[str]]) -> frozenset[str]:
    return frozenset(key_of(word) for words in languages for those in words.values() for word in those)


_ANYWHERE = _keys(reserved_words.ANYWHERE)
_AT_END = _keys(reserved_words.AT_END)
_AS_WORDS = _keys(reserved_words.AS_WORDS)
_ALL = _ANYWHERE | _AT_END | _AS_WORDS | _keys(reserved_words.WHOLE)


def _twice_folded(keys: Iterable[str]) -> set[str]:
    """As a quick eye reads: digits for letters, one ideograph for the other."""
    return {key.translate(_LEET).translate(reserved_words.HAN_LOOK_ALIKES) for key in keys}


_ALL_FOLDED = frozenset(_twice_folded(_ALL))
_AS_WORDS_FOLDED = frozenset(_twice_folded(_AS_WORDS))


class Reserved:
    """The names of one shop that viewers may not take. Equal ones refuse the same names."""

    def __init__(self, shop_name: str = "", staff: Iterable[str] = ()) -> None:
        shop = key_of(shop_name)
        self.whole = frozenset({shop, *map(key_of, staff)} - {""})
        self._whole_folded = frozenset(_twice_folded(self.whole)) | _ALL_FOLDED
        self._within = frozenset({shop} if len(_HAN.findall(shop)) >= FOUND_WITHIN_MIN else ())

    def takes(self, name: str) -> bool:
        """Whether the name passes for a person of the show or for the shop."""
        readings = _readings(name)
        if not self._whole_folded.isdisjoint(_twice_folded(readings)):
            return True
        if any(word in reading for reading in readings for word in (*_ANYWHERE, *self._within)):
            return True
        if any(reading.endswith(word) for reading in readings for word in _AT_END):
            return True
        return not _AS_WORDS_FOLDED.isdisjoint(_twice_folded(_phrases(name)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reserved) and (self.whole, self._within) == (other.whole, other._within)

    def __hash__(self) -> int:
        return hash((self.whole, self._within))
