"""Cores: the runs of words that an order or a change is made of, with what belongs to them and nothing else. Pure."""

from __future__ import annotations

from itertools import pairwise
from typing import Final, NamedTuple

from livecommerce.comments import kinds
from livecommerce.comments.clauses import Words
from livecommerce.comments.kinds import Token, bits

CORE: Final = bits(
    kinds.ITEM, kinds.OPTION, kinds.QUANTITY, kinds.LESS, kinds.NUMBER, kinds.WORD_NUMBER, kinds.CLAIM, kinds.CANCEL,
    kinds.CHANGE, kinds.CHANGE_TO, kinds.TO, kinds.EVERY_VALUE, kinds.AND, kinds.SEPARATOR, kinds.THIS, kinds.OBJECT,
)  # fmt: skip
AMOUNT: Final = bits(kinds.QUANTITY, kinds.LESS)
VERBS: Final = bits(kinds.CANCEL, kinds.CHANGE, kinds.CHANGE_TO)
CHANGING: Final = VERBS | bits(kinds.LESS)
_ACTS: Final = {kinds.LESS, kinds.CLAIM, kinds.CANCEL, kinds.CHANGE, kinds.CHANGE_TO, kinds.EVERY_VALUE}


_WITHIN: Final = (None, "named", "person")


def is_core(token: Token) -> bool:
    """Whether a word may be part of an order; a colour that nothing in the catalogue has is not."""
    return bool(CORE >> token.kind & 1) and not (token.kind == kinds.OPTION and token.value is None)


class Core(NamedTuple):
    """Words of an order side by side.

    Attributes:
        tokens: in the order they are read in, quantities behind what they count.
        first: position of the first in the comment.
        last: position of the last.
        mask: set of their kinds.
    """

    tokens: list[Token]
    first: int
    last: int
    mask: int


class CoreFinder:
    """Finds the cores of one comment. Call `find` once."""

    __slots__ = ("cores", "places", "tokens", "words")

    def __init__(self, words: Words) -> None:
        self.words = words
        self.tokens = words.tokens
        self.places = words.places
        self.cores: list[Core] = []

    def find(self) -> list[Core]:
        """All cores in reading order."""
        run: list[int] = []
        for position, token in enumerate(self.tokens):
            if run and (token.kind == kinds.ALL or (token.kind == kinds.SOFT and token.value in _WITHIN)):
                continue  # "A12跟B02都取消", "草莓多一盒", "袋子給姊姊 2 個"; ALL beside an order is a danger
            if self.words.is_denied(position):
                continue
            apart = run and self._are_apart(run[-1], position)
            if not is_core(token) or apart:
                self._keep_core(run)
                run = []
            if is_core(token):
                run.append(position)
        self._keep_core(run)
        return self.cores

    def _are_apart(self, before: int, position: int) -> bool:
        """A full stop or a joining word parts two cores; a comma does not: "粉+1，白+2"."""
        if self.places[before].clause == self.places[position].clause:
            return False
        following = self.words.kind(position + 1)
        if self.tokens[position].kind == kinds.QUANTITY and following in (kinds.ITEM, kinds.OPTION):
            return True  # "B02来俩，再来一件洋装"
        return self.tokens[before].kind != kinds.SEPARATOR and self.tokens[position].kind != kinds.SEPARATOR

    def _keep_core(self, run: list[int]) -> None:
        run = self._trimmed(run)
        if not run:
            return
        commas = [place for place, position in enumerate(run) if self.tokens[position].kind == kinds.SEPARATOR]
        if commas and (self.words.is_kept(run[-1]) or self._is_a_remark(run[: commas[-1]], run[commas[-1] :])):
            self._keep_core(run[: commas[-1]])  # "B7 x3, two are …", "取消蘋果，草莓照舊"
            self._keep_core(run[commas[-1] :])
            return
        if commas and self._says_nothing(run[: commas[0]], head=True):
            self._keep_core(run[: commas[0]])  # "hẻm 7, cho em A1 …"
            self._keep_core(run[commas[0] :])
            return
        if self._counts_something_else(run):
            self._keep_core(run[:1])
            run = run[1:]
        tokens = [self.tokens[position] for position in run]
        if len(run) > 1 and tokens[-1].value == "attached" and VERBS >> tokens[-2].kind & 1:
            tokens.pop()  # "가방 취소 부탁드려요 …": the closing word asks for what was said
        ordered = quantities_last(tokens)
        mask = 0
        for token in tokens:
            mask |= 1 << token.kind
        self.cores.append(Core(ordered, run[0], run[-1], mask))

    def _trimmed(self, run: list[int]) -> list[int]:
        """Without commas and joints at its ends."""
        first, last = 0, len(run)
        while first < last and self.tokens[run[first]].kind in (kinds.SEPARATOR, kinds.AND):
            first += 1
        while last > first and self.tokens[run[last - 1]].kind in (kinds.SEPARATOR, kinds.AND):
            last -= 1
        return run[first:last]

    def _says_nothing(self, run: list[int], *, head: bool = False) -> bool:
        """A piece between commas without an act of its own; in front, an item or an option begins an order."""
        sorts = {self.tokens[position].kind for position in run}
        if head and sorts & {kinds.ITEM, kinds.OPTION}:
            return False
        if sorts & _ACTS and (head or sorts & _ACTS != {kinds.CLAIM} or sorts & {kinds.ITEM, kinds.OPTION}):
            return False  # but "草莓三盒，兩盒要送公婆的"
        if kinds.QUANTITY not in sorts:
            return True
        counts = all(self.tokens[at].value[1] == "count" for at in run if self.tokens[at].kind == kinds.QUANTITY)
        return counts and not sorts & {kinds.ITEM, kinds.OPTION}

    def _is_a_remark(self, said: list[int], rest: list[int]) -> bool:
        """A last piece without an act, where what goes before it is complete: "A1 đỏ L, 1 cái" is one order."""
        whole = any((AMOUNT | VERBS) >> self.tokens[position].kind & 1 for position in said)
        counts = any(self.tokens[position].kind == kinds.QUANTITY for position in rest)
        return self._says_nothing(rest) and (whole or not counts)

    def _counts_something_else(self, run: list[int]) -> bool:
        """ "室友一人一条 A02黑+2灰+1": a count in a stretch of its own before an item that has its quantity."""
        if len(run) < 3 or self.tokens[run[0]].kind != kinds.QUANTITY or self.tokens[run[1]].kind != kinds.ITEM:
            return False
        quantities = sum(self.tokens[position].kind == kinds.QUANTITY for position in run)
        return quantities > 1 and self.places[run[0]].stretch != self.places[run[1]].stretch


def quantities_last(tokens: list[Token]) -> list[Token]:
    """ "一件黑M 一件白L" as "黑M一件 白L一件"; the same list where quantities stand behind what they count already."""
    body = [token for token in tokens if token.kind not in (kinds.SEPARATOR, kinds.AND)]
    counts = [place for place, token in enumerate(body) if token.kind == kinds.QUANTITY]
    if counts == [0] and len(body) > 1 and all(token.kind in (kinds.OPTION, kinds.ITEM) for token in body[1:]):
        return [*body[1:], body[0]]
    if len(counts) < 2 or body[-1].kind == kinds.QUANTITY:
        return tokens
    head = body[: counts[0]]
    if any(token.kind != kinds.ITEM and token.kind != kinds.CLAIM for token in head):
        return tokens
    groups = [body[start + 1 : end] for start, end in pairwise([*counts, len(body)])]
    if not all(group and all(token.kind in (kinds.OPTION, kinds.ITEM) for token in group) for group in groups):
        return tokens
    moved = list(head)
    for start, group in zip(counts, groups, strict=True):
        moved.extend([*group, body[start]])
    return moved
