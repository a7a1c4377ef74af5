"""A shop's own words: how they are checked, kept, and learned from a moderator's correction.

They belong to the shop, not to a show: one stream of one entry a shop in Valkey is the truth and the doorbell, every
process that has a show of the shop on reads it. `revision` grows by one with every change; who writes says which
revision was read, so nobody overwrites what was not seen. The copy in SQL is kept_words.py's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from livecommerce.comments import CatalogueIndex, ItemWords, ShopWords, fold, kinds
from livecommerce.shows.errors import ShopWordRefused

WORD_LENGTH_MAX = 20  # as the parser's own suggestions; a longer stretch is a sentence, not a word
WORDS_MAX = 200  # of one list: a shop that needs more writes a grammar
LOOK_ALIKES_MAX = 100
ALIASES_MAX = 1_000  # three names for each product of a large catalogue; the index is built again at each change
_SIGNS = frozenset("+-*=")  # of quantities, after folding
LISTS = ("order", "cancel", "ignore")


class KeptWords(Struct, frozen=True):
    """The shop's words and how often they were changed; 0 is never."""

    revision: int = 0
    words: ShopWords = ShopWords()


def words_shape(words: ShopWords) -> dict[str, Any]:
    """As JSON and msgpack carry them: lists and maps."""
    return {
        "order": list(words.order), "cancel": list(words.cancel), "ignore": list(words.ignore),
        "look_alikes": dict(words.look_alikes), "aliases": dict(words.aliases),
    }  # fmt: skip


def words_of(shape: Any) -> ShopWords:
    """The reverse of `words_shape`.

    Raises:
        ShopWordRefused: of another form.
    """
    try:
        return msgspec.convert(shape, ShopWords)
    except msgspec.ValidationError as error:
        raise ShopWordRefused(f"The words are not of the expected form: {error}") from error


def merged(under: ShopWords, over: ShopWords) -> ShopWords:
    """Both; where they disagree about a look-alike or an alias, `over` counts."""
    return ShopWords(
        order=tuple(dict.fromkeys((*under.order, *over.order)))[:WORDS_MAX],
        cancel=tuple(dict.fromkeys((*under.cancel, *over.cancel)))[:WORDS_MAX],
        ignore=tuple(dict.fromkeys((*under.ignore, *over.ignore)))[:WORDS_MAX],
        look_alikes=dict(list({**under.look_alikes, **over.look_alikes}.items())[:LOOK_ALIKES_MAX]),
        aliases=dict(list({**under.aliases, **over.aliases}.items())[:ALIASES_MAX]),
    )


_MEANT = {"order": kinds.CLAIM, "cancel": kinds.CANCEL, "ignore": kinds.IGNORE}

# Why a word is refused, as `details.why` of the error and `why` of a warning name it; pages translate these.
WHY = {
    "form": f"a word has 1 to {WORD_LENGTH_MAX} characters and no line break",
    "count": "the list is full",
    "number": "it reads as a number or a quantity",
    "clash": "it has a meaning already: a code, a name or an option of the catalogue, or a word of the grammar",
    "twice": "it is in two lists",
    "one_sign": "a look-alike is one character for one character",
    "in_use": "codes or names are written with it",
    "no_product": "the shop has no such product",
}


def refusal(field: str, word: str, why: str) -> ShopWordRefused:
    return ShopWordRefused(f"{word[:60]}: {WHY[why]}.".removeprefix(": "), field=field, word=word[:60], why=why)


def clash_of(word: str, index: CatalogueIndex, packs: Sequence[str]) -> str:
    """Why a word may not get a meaning of its own (a key of WHY), "" where it may."""
    folded = fold(word)
    if not folded.strip():
        return "form"
    if set(folded) & _SIGNS or (folded.isascii() and not any(sign.isalpha() for sign in folded)):
        return "number"
    return "clash" if folded in index.view(tuple(packs)).words else ""


def check_words(
    words: ShopWords, before: ShopWords, items: Sequence[ItemWords], packs: Sequence[str]
) -> list[dict[str, str]]:
    """Refuses what is new and would be misread. Of what was kept before and no longer fits: {field, word, why, reason}.

    Raises:
        ShopWordRefused: `details` has `field`, `word` and `why`.
    """
    _check_form(words)
    index = CatalogueIndex.build(items)
    known = set(_all(before))
    warnings: list[dict[str, str]] = []
    for field, word, why in _complaints(words, index, items, packs):
        if (field, word) not in known:
            raise refusal(field, word, why)
        warnings.append({"field": field, "word": word, "why": why, "reason": f"{word}: {WHY[why]}."})
    return warnings


def _all(words: ShopWords) -> Iterator[tuple[str, str]]:
    for field in LISTS:
        yield from ((field, word) for word in getattr(words, field))
    yield from (("look_alikes", f"{sign} → {plain}") for sign, plain in words.look_alikes.items())
    yield from (("aliases", f"{alias} → {code}") for alias, code in words.aliases.items())


def _check_form(words: ShopWords) -> None:
    lengths = {**dict.fromkeys(LISTS, WORDS_MAX), "look_alikes": LOOK_ALIKES_MAX, "aliases": ALIASES_MAX}
    for field, most in lengths.items():
        if len(getattr(words, field)) > most:
            raise refusal(field, "", "count")
    seen: dict[str, str] = {}
    listed = [(name, word) for name in LISTS for word in getattr(words, name)]
    for field, word in (*listed, *(("aliases", alias) for alias in words.aliases)):
        if not 1 <= len(word) <= WORD_LENGTH_MAX or word != word.strip() or not word.isprintable():
            raise refusal(field, word, "form")
        if seen.setdefault(fold(word), field) != field:
            raise refusal(field, word, "twice")
    for sign, plain in words.look_alikes.items():
        if len(sign) != 1 or len(plain) != 1 or sign.isspace() or plain.isspace():
            raise refusal("look_alikes", f"{sign} → {plain}", "one_sign")


def _complaints(
    words: ShopWords, index: CatalogueIndex, items: Sequence[ItemWords], packs: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    """(field, the word as `_all` names it, a key of WHY)."""
    meanings = index.view(tuple(packs)).words
    for field in LISTS:
        for word in getattr(words, field):
            if meanings.get(fold(word), (None,))[0] == _MEANT[field]:
                continue  # a grammar that learned the word means by it what the shop does
            if clash := clash_of(word, index, packs):
                yield field, word, clash
    used = {sign for item in items for text in (item.code, *item.names) for sign in fold(text)}
    for sign, plain in words.look_alikes.items():
        if sign.isascii() or fold(sign) in used:
            yield "look_alikes", f"{sign} → {plain}", "in_use"
    for alias, code in words.aliases.items():
        if code not in index.items:
            yield "aliases", f"{alias} → {code}", "no_product"
        elif clash := clash_of(alias, index, packs):
            yield "aliases", f"{alias} → {code}", clash


def learned(kept: KeptWords, word: str, code: str, index: CatalogueIndex, packs: Sequence[str]) -> KeptWords | str:
    """The words with one more alias, as a moderator taught it; or why it is not kept (a stable word for pages).

    `known`: it means this product already. `taken`: another one. `clash`: a word of grammar or catalogue. `length`,
    `full`.
    """
    word = " ".join(word.split())
    if not 2 <= len(word) <= WORD_LENGTH_MAX or not word.isprintable():
        return "length"
    same = next((alias for alias in kept.words.aliases if fold(alias) == fold(word)), None)
    if same is not None:
        return "known" if kept.words.aliases[same] == code else "taken"
    others = {fold(other) for field in LISTS for other in getattr(kept.words, field)}
    if fold(word) in others or clash_of(word, index, packs):
        return "clash"
    if len(kept.words.aliases) >= ALIASES_MAX:
        return "full"
    words = msgspec.structs.replace(kept.words, aliases={**kept.words.aliases, word: code})
    return KeptWords(kept.revision + 1, words)
