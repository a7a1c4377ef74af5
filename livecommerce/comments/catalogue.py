"""The show's items, compiled once per catalogue version into hash tables that the tokeniser reads.

An index is immutable to its users. For every set of packs it makes one View (words of packs and items merged) on
first use and keeps it, so that a comment costs the same with ten thousand items as with ten.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from livecommerce.comments import kinds
from livecommerce.comments.folding import fold
from livecommerce.comments.masking import mask
from livecommerce.comments.packs import chosen

LATIN: Final = re.compile(r"[0-9a-z'_\u00c0-\u024f\u1e00-\u1eff\u0300-\u036f]+")
_VIEWS_MAX: Final = 16  # sets of packs a shop switches between in one show; a handful in practice


# Whoever writes a smaller number behind a code means a quantity as often.
PRICE_MIN: Final = 10


class Axis(msgspec.Struct, frozen=True):
    """One choice of an item: its name and the values with the short names that viewers use."""

    name: str
    values: tuple[tuple[str, tuple[str, ...]], ...]


class ItemWords(msgspec.Struct, frozen=True):
    """What viewers may call an item. `code` and option values come back in intents exactly as written here."""

    code: str
    names: tuple[str, ...] = ()
    options: tuple[Axis, ...] = ()


class ShopWords(msgspec.Struct, frozen=True):
    """A shop's own words, on top of the packs.

    Attributes:
        order: further claim words ("喊", "bid").
        cancel: further cancel words.
        ignore: further words without meaning for orders (a host's nickname).
        look_alikes: single characters to read as another character ("囗" as "口").
        aliases: other names for items: alias -> code.
    """

    order: tuple[str, ...] = ()
    cancel: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    look_alikes: Mapping[str, str] = {}
    aliases: Mapping[str, str] = {}


class Item:
    """A compiled item. `choices` maps a folded option word to (axis number, value), to None where it is ambiguous."""

    __slots__ = ("axes", "choices", "code", "folded")

    def __init__(self, words: ItemWords) -> None:
        self.code = words.code
        self.folded = fold(words.code)
        self.axes: tuple[tuple[str, ...], ...] = tuple(
            tuple(value for value, _ in axis.values) for axis in words.options
        )
        self.choices: dict[str, tuple[int, str] | None] = {}
        for number, axis in enumerate(words.options):
            for value, aliases in axis.values:
                for word in (value, *aliases):
                    key = fold(word)
                    choice = (number, value)
                    self.choices[key] = choice if self.choices.get(key, choice) == choice else None


# When packs disagree about a word, the more cautious reading wins: the earlier in this list.
_CAUTION: Final = (
    kinds.NEGATION,
    kinds.DOUBT,
    kinds.DANGER,
    kinds.REPORT,
    kinds.CANCEL,
    kinds.ASK,
    kinds.QUESTION,
    kinds.STATE,
    kinds.MISSPELT,
    kinds.PROSE,
    kinds.CHANGE_TO,
    kinds.CHANGE,
    kinds.AGREE,
    kinds.BAD_COUNTER,
    kinds.EVERY_VALUE,
    kinds.EACH,
    kinds.CLAIM,
    kinds.WEAK_CLAIM,
    kinds.CLAIM_SUFFIX,
    kinds.OBJECT,
    kinds.TO,
    kinds.FOR_ME,
    kinds.FOR,
    kinds.REDUCE,
    kinds.ALL,
    kinds.QUANTITY,
    kinds.COUNTER,
    kinds.ITEM_NUMBER,
    kinds.TIMES,
    kinds.PLUS,
    kinds.WORD_NUMBER,
    kinds.OPTION,
    kinds.ORDER_NOUN,
    kinds.THIS,
    kinds.REMARK,
    kinds.PERSON,
    kinds.QUESTION_START,
    kinds.NOUN,
    kinds.TOPIC,
    kinds.ANY_MORE,
    kinds.AND,
    kinds.SOFT,
    kinds.PRAISE,
    kinds.IGNORE,
)
_RANK: Final = {kind: rank for rank, kind in enumerate(_CAUTION)}

Entry = tuple[int, object]


class View:
    """Words of an index under one set of packs.

    Attributes:
        words: folded word -> (kind, value).
        lengths: first character -> lengths of the words that start with it, longest first (scripts without spaces).
        phrases: first Latin run -> lengths of the longer words that start with it, longest first.
        codes: folded code -> item.
        kept: words of options that `mask` would take for a date, a sum or another number.
        claims: first letter -> claim words in Latin letters, longest first: these may touch a code.
        prices: code -> digits of its price, see `CatalogueIndex.reprice`.
    """

    __slots__ = (
        "bare_plus_binds", "claims", "codes", "kept", "lengths", "phone_claims", "phrases", "prices", "twins", "words",
    )  # fmt: skip

    def __init__(
        self, items: Sequence[Item], names: Sequence[tuple[str, Item]], shop: ShopWords, packs: tuple[str, ...]
    ) -> None:
        grammar = chosen(packs)
        self.bare_plus_binds = all(pack.bare_plus_binds for pack in grammar)
        self.phone_claims = any(pack.phone_claims for pack in grammar)
        self.twins = {ord(sign): fold(plain) for sign, plain in shop.look_alikes.items() if len(sign) == 1}
        self.prices: Mapping[str, str] = {}
        self.words: dict[str, Entry] = {}
        for pack in grammar:
            for kind, value, listed in pack.words:
                for word in listed.split("|"):
                    self._add(fold(word), kind, value)
        for kind, value, own in (
            (kinds.CLAIM, "strong", shop.order),
            (kinds.CANCEL, None, shop.cancel),
            (kinds.IGNORE, None, shop.ignore),
        ):
            for word in own:
                self.words[fold(word)] = (kind, value)
        self._add_items(items, names)
        self.claims: dict[str, tuple[str, ...]] = {}
        for word in sorted(self.words, key=len, reverse=True):
            if self.words[word][0] == kinds.CLAIM and LATIN.fullmatch(word):
                self.claims[word[0]] = (*self.claims.get(word[0], ()), word)
        self._make_tables()

    def _add(self, word: str, kind: int, value: object) -> None:
        known = self.words.get(word)
        if word and (known is None or _RANK[kind] < _RANK[known[0]]):
            self.words[word] = (kind, value)

    def _add_items(self, items: Sequence[Item], names: Sequence[tuple[str, Item]]) -> None:
        self.codes: dict[str, Item] = {}
        kept: list[str] = []
        named: dict[str, tuple[Item, ...]] = {}
        for item in items:
            for word in item.choices:
                if not word.isdigit():
                    self.words[word] = (kinds.OPTION, word)
                    if mask(word) != word:
                        kept.append(word)
        for word, item in names:
            if word and item not in named.get(word, ()):
                named[word] = (*named.get(word, ()), item)
        for item in items:
            if item.folded and item.folded not in self.codes:
                self.codes[item.folded] = item
                named[item.folded] = (item,)
            elif item.folded:
                named[item.folded] = (*named[item.folded], item)
        for word, owners in named.items():
            if not (word.isascii() and word.isdigit()):
                self.words[word] = (kinds.ITEM, owners)
        self.kept = tuple(dict.fromkeys(kept))

    def _make_tables(self) -> None:
        lengths: dict[str, set[int]] = {}
        phrases: dict[str, set[int]] = {}
        for word in self.words:
            run = LATIN.match(word)
            if run is None:
                lengths.setdefault(word[0], set()).add(len(word))
            elif run.end() < len(word):
                phrases.setdefault(run.group(), set()).add(len(word))
        self.lengths = {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}
        self.phrases = {first: tuple(sorted(found, reverse=True)) for first, found in phrases.items()}


class CatalogueIndex:
    """A compiled catalogue. Make it with `build`, share it freely; after that only its prices change (`reprice`)."""

    __slots__ = ("_names", "_prices", "_shop", "_views", "items", "version")

    def __init__(self, items: Sequence[ItemWords], shop: ShopWords, version: str) -> None:
        self.items: dict[str, Item] = {}
        self.version = version
        self._shop = shop
        self._views: dict[tuple[str, ...], View] = {}
        self._prices: dict[str, str] = {}
        self._names: list[tuple[str, Item]] = []
        for words in items:
            item = Item(words)
            self.items.setdefault(item.code, item)
            self._names.extend((fold(name), item) for name in words.names)
        self._names.extend(
            (fold(alias), self.items[code]) for alias, code in shop.aliases.items() if code in self.items
        )

    @classmethod
    def build(
        cls,
        items: Sequence[ItemWords],
        *,
        shop_words: ShopWords | None = None,
        packs: Sequence[str] = (),
        version: str = "",
    ) -> CatalogueIndex:
        """Compile a catalogue; name the show's packs to have their tables ready before the first comment."""
        index = cls(items, shop_words or ShopWords(), version)
        if packs:
            index.view(tuple(packs))
        return index

    @property
    def shop_words(self) -> ShopWords:
        """The shop's own words this index was built with."""
        return self._shop

    def view(self, packs: tuple[str, ...]) -> View:
        """The tables for a set of packs, made on first use. Raises PackUnknown."""
        known = self._views.get(packs)
        if known is None:
            if len(self._views) >= _VIEWS_MAX:
                self._views.clear()
            known = self._views[packs] = View(list(self.items.values()), self._names, self._shop, packs)
            known.prices = self._prices
        return known

    def reprice(self, prices: Mapping[str, int]) -> None:
        """What the items cost from now on: viewers repeat a price behind a claim ("CF A12 149"). The words stay.

        Args:
            prices: code -> price in whole units of the currency; items without one are left out.
        """
        self._prices.clear()
        self._prices.update((code, str(price)) for code, price in prices.items() if price >= PRICE_MIN)


Catalogue = CatalogueIndex
