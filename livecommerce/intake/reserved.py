"""Names that pass for the host: compared as a person's eye does (UTS #39 skeletons). Pure.

Reserved are words for the people who run a show, the display names of its staff, and the name of its shop. A name is
refused when it is one of them, whatever look-alike letters, accents, signs and digits are put into or around it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import regex
from disarm import skeleton_key

from livecommerce.comments import fold_for_match

# Scripts without spaces: found anywhere in a name.
ROLES_ANYWHERE = (
    "主持人", "主持", "主播", "官方", "客服", "小編", "版主", "管理員", "店家", "店長", "工作人員", "司会", "運営",
    "진행자", "운영자", "관리자", "공식", "ผู้ดูแล", "แอดมิน",
)  # fmt: skip
# As a whole name alone.
ROLES_WHOLE = ("老闆", "系統", "公式", "system", "support", "seller", "owner", "operator")
# As a whole word of a name.
ROLES_AS_WORDS = (
    "host", "cohost", "moderator", "mod", "mods", "admin", "administrator", "official", "staff", "streamer",
    "helpdesk", "customerservice", "livecommerce",
)  # fmt: skip
FOUND_WITHIN_MIN = 3  # ideographs of a shop's name that is found within a longer name too; shorter ones are words

_LEAD = regex.compile(r"^[^\p{L}\p{N}]+")
_TRAIL = regex.compile(r"[^\p{L}\p{N}]+$")
_SIGNS = regex.compile(r"[^\p{L}\p{N}\p{M}]+")
_DIGITS = regex.compile(r"[\p{N}]+$")
_ACCENTS = regex.compile(r"[\u0300-\u036f]+")
_HAN = regex.compile(r"\p{Han}")


def key_of(text: str) -> str:
    """What a text looks like: letters and digits alone, without accents, each look-alike as the one it looks like."""
    skeleton: str = skeleton_key(text, digit_policy="tr39")
    plain = _ACCENTS.sub("", unicodedata.normalize("NFD", fold_for_match(skeleton)))
    folded = _SIGNS.sub("", unicodedata.normalize("NFC", plain))
    return folded.replace("rn", "m").replace("vv", "w")


def _readings(name: str) -> set[str]:
    """A name with and without the signs around it: `🅥` is a letter in one and a mark in the other."""
    shapes = {
        name,
        _LEAD.sub("", name),
        _TRAIL.sub("", name),
        _TRAIL.sub("", _LEAD.sub("", name)),
        _SIGNS.sub("", name),
    }
    return {key for shape in shapes for key in (key_of(shape), key_of(_DIGITS.sub("", _TRAIL.sub("", shape)))) if key}


_ANYWHERE = frozenset(map(key_of, ROLES_ANYWHERE))
_WHOLE = frozenset(map(key_of, ROLES_WHOLE))
_AS_WORDS = frozenset(map(key_of, ROLES_AS_WORDS))


class Reserved:
    """The names of one shop that viewers may not take. Equal ones refuse the same names."""

    def __init__(self, shop_name: str = "", staff: Iterable[str] = ()) -> None:
        shop = key_of(shop_name)
        self.whole = frozenset({shop, *map(key_of, staff)} - {""})
        self._within = frozenset({shop} if len(_HAN.findall(shop)) >= FOUND_WITHIN_MIN else ())

    def takes(self, name: str) -> bool:
        """Whether the name passes for a person of the show or for the shop."""
        readings = _readings(name)
        if readings & (self.whole | _WHOLE | _AS_WORDS):
            return True
        if any(word in reading for reading in readings for word in (*_ANYWHERE, *self._within)):
            return True
        words = {key_of(word) for word in _SIGNS.split(name)} | {key_of(_DIGITS.sub("", w)) for w in _SIGNS.split(name)}
        return not words.isdisjoint(_AS_WORDS)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reserved) and (self.whole, self._within) == (other.whole, other._within)

    def __hash__(self) -> int:
        return hash((self.whole, self._within))
