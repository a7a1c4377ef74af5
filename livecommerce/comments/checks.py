"""Look over a catalogue before the show: codes that will be misread, and with what they clash."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from livecommerce.comments import kinds
from livecommerce.comments.catalogue import CatalogueIndex, ItemWords
from livecommerce.comments.folding import fold, suspects

_TIMES: Final = re.compile(r"(.+?)x([0-9]{1,2})")
_WORD_KINDS: Final = {
    kinds.OPTION: ("reads_as_option", "reads as a colour or a size"),
    kinds.CLAIM: ("reads_as_word", "is a claim word"),
    kinds.CANCEL: ("reads_as_word", "is a cancel word"),
    kinds.COUNTER: ("reads_as_quantity", "is a counter"),
    kinds.WORD_NUMBER: ("reads_as_quantity", "is a number"),
}


class CatalogueWarning(msgspec.Struct, frozen=True):
    """One clash.

    Attributes:
        reason: "same_code", "same_name", "all_digits", "reads_as_quantity", "reads_as_option", "reads_as_word",
            "touches_claim", "game_keyword" or "look_alike".
        code: the code (or name) concerned, as written.
        clash: what it clashes with, as written.
        text: one English sentence that shows both.
    """

    reason: str
    code: str
    clash: str
    text: str


def check_catalogue(
    items: Sequence[ItemWords], packs: Sequence[str], game_keywords: Sequence[str] = ()
) -> list[CatalogueWarning]:
    """All clashes of a catalogue under these packs; an empty list means every code is safe to show."""
    found: list[CatalogueWarning] = []
    known = CatalogueIndex.build([]).view(tuple(packs))
    words = known.words
    claims = [claim for listed in known.claims.values() for claim in listed]
    codes: dict[str, str] = {}
    for item in items:
        code = fold(item.code)
        if code in codes:
            found.append(_warn("same_code", item.code, codes[code], "is the same code after folding as"))
        codes.setdefault(code, item.code)
    names: dict[str, str] = {}
    games = {fold(keyword): keyword for keyword in game_keywords}
    options = {
        fold(word): word
        for item in items
        for axis in item.options
        for value, more in axis.values
        for word in (value, *more)
    }
    for item in items:
        code = fold(item.code)
        found.extend(_code_alone(item.code, code, codes, claims))
        if code in options:
            found.append(_warn("reads_as_option", item.code, options[code], "is also an option value:"))
        elif code in words and words[code][0] in _WORD_KINDS:
            reason, why = _WORD_KINDS[words[code][0]]
            found.append(_warn(reason, item.code, code, f"{why} in these packs:"))
        if code in games:
            found.append(_warn("game_keyword", item.code, games[code], "is also the keyword of a game:"))
        for name in item.names:
            folded = fold(name)
            if names.setdefault(folded, item.code) != item.code:
                found.append(_warn("same_name", item.code, names[folded], f"shares the name {name} with"))
            if folded in codes and codes[folded] != item.code:
                found.append(_warn("same_name", item.code, codes[folded], f"has the name {name}, which is the code of"))
            if folded in games:
                found.append(_warn("game_keyword", name, games[folded], "is also the keyword of a game:"))
    return found


def _code_alone(written: str, code: str, codes: dict[str, str], claims: Sequence[str]) -> list[CatalogueWarning]:
    found: list[CatalogueWarning] = []
    if code.isdigit():
        example = f"+{code}" if len(code) < 3 else f"${code}"
        found.append(_warn("all_digits", written, example, "is all digits and can be meant as a number:"))
    if match := _TIMES.fullmatch(code):
        clash = codes.get(match.group(1), match.group(1).upper())
        found.append(_warn("reads_as_quantity", written, f"{clash} x {match.group(2)}", "reads as a quantity:"))
    for claim in claims:
        rest = code.removeprefix(claim)
        if rest != code and rest in codes:
            found.append(
                _warn("touches_claim", written, f"{claim} {codes[rest]}", "reads as a claim word and another code:")
            )
    if suspects(written):
        found.append(_warn("look_alike", written, code, "has letters or digits that only look Latin:"))
    return found


def _warn(reason: str, code: str, clash: str, why: str) -> CatalogueWarning:
    return CatalogueWarning(reason, code, clash, f"{code} {why} {clash}")
