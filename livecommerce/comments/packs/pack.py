"""The shape of a grammar pack."""

from __future__ import annotations

import msgspec


class Pack(msgspec.Struct, frozen=True):
    """Words of one language.

    Attributes:
        name: "zh-TW", "en", …
        words: rows of (kind, value, words with bars between); see kinds.py for kinds and values.
        bare_plus_binds: whether "+1" alone takes the item on the screen.
        phone_claims: whether a phone number counts as the claim word.
    """

    name: str
    words: tuple[tuple[int, object, str], ...]
    bare_plus_binds: bool = True
    phone_claims: bool = False


def numerals(listed: str, kind: int) -> tuple[tuple[int, object, str], ...]:
    """Rows for number words: the first of the list is one, the second two, …"""
    return tuple((kind, value, word) for value, word in enumerate(listed.split("|"), 1))
