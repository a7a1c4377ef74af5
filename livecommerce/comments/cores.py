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
        skipped = False
        for position, token in enumerate(self.tokens):
            if run and (token.kind == kinds.ALL or (token.kind == kinds.SOFT and token.value in _WITHIN)):
                skipped = skipped or token.kind == kinds.SOFT
                continue  # "A12跟B02都取消", "草莓多一盒", "袋子給姊姊 2 個"; ALL beside an order is a danger
            if self.words.is_denied(position):
                continue
            apart = run and (self._are_apart(run[-1], position) or (skipped and self._is_told(run, position)))
            if not is_core(token) or apart:
                self._keep_core(run)
                run = []
            skipped = False
            if is_core(token):
                run.append(position)
        self._keep_core(run)
        return self.cores

    def _is_told(self, run: list[int], position: int) -> bool:
        """ "包包改3個 我妹跟我媽也要", "ยกเลิก B7 แฟนเพิ่งซื้อ": behind a whole order and a blank somebody is told of."""
        if self.places[run[-1]].stretch == self.places[position].stretch:
            return False
        return any((AMOUNT | VERBS) >> self.tokens[at].kind & 1 for at in run)

    def _are_apart(self, before: int, position: int) -> bool:
        """A full stop or a joining word parts two cores; a comma does not: "粉+1，白+2"."""
        if self.places[before].clause == self.places[position].clause:
            return self._counts_the_counted(before, position) or self._asks_to_change(before, position)
        following = self.words.kind(position + 1)
        if self.tokens[position].kind == kinds.QUANTITY and following in (kinds.ITEM, kinds.OPTION):
            return True  # "B02来俩，再来一件洋装"
        if before == 0 and self.tokens[0].kind == kinds.CHANGE:
            return False  # "Palit size po: A1 red M to A1 red L"
        if (
            before == 0
            and self.tokens[0].value == "strong"
            and self.tokens[position].kind in (kinds.ITEM, kinds.OPTION)
        ):
            return False  # "Sold! red dress in a medium"
        return self.tokens[before].kind != kinds.SEPARATOR and self.tokens[position].kind != kinds.SEPARATOR

    def _counts_the_counted(self, before: int, position: int) -> bool:
        """ "包包*2 一个自留一个送闺蜜": a count in a stretch of its own, behind a quantity, before other words."""
        if (
            self.tokens[before].kind != kinds.QUANTITY
            or self.tokens[position].kind != kinds.QUANTITY
            or self.tokens[position].value[1] != "count"
        ):
            return False
        apart = self.places[before].stretch != self.places[position].stretch
        return apart and self.words.kind(position + 1) not in (kinds.ITEM, kinds.OPTION, -1)

    def _asks_to_change(self, before: int, position: int) -> bool:
        """ "A01红M换成粉M 麻烦客服改下": a word of change at the end, in a stretch of its own."""
        if self.tokens[position].kind != kinds.CHANGE or self.words.kind(position + 1) in (kinds.ITEM, kinds.OPTION):
            return False
        apart = self.places[before].stretch != self.places[position].stretch
        return apart and any(VERBS >> token.kind & 1 for token in self.tokens[:position])

    def _keep_core(self, run: list[int]) -> None:
        run = self._trimmed(run)
        if not run:
            return
        commas = [place for place, position in enumerate(run) if self.tokens[position].kind == kinds.SEPARATOR]
        if commas and (self.words.is_kept(run[-1]) or self._is_a_remark(run[: commas[-1]], run[commas[-1] :])):
            self._keep_core(run[: commas[-1]])  # "B7 x3, two are …", "取消蘋果，草莓照舊"
            self._keep_core(run[commas[-1] :])
            return
        if commas and self._is_a_line_of_a_name(run, commas[0]):
            self._keep_core(run[: commas[0]])  # "Sarah M.\nblouse +1"
            self._keep_core(run[commas[0] :])
            return
        if commas and (self._says_nothing(run[: commas[0]], head=True) or self._claims_in_prose(run[: commas[0]])):
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
        remarks = ("count", "each")  # "mine tatlong blouse po, tig-isa kami"
        counts = all(self.tokens[at].value[1] in remarks for at in run if self.tokens[at].kind == kinds.QUANTITY)
        return counts and not sorts & {kinds.ITEM, kinds.OPTION}

    def _is_a_line_of_a_name(self, run: list[int], cut: int) -> bool:
        if any(self.tokens[at].kind != kinds.OPTION for at in run[:cut]) or self.words.kind(run[cut] + 1) != kinds.ITEM:
            return False
        rest = {str(self.tokens[at].value) for at in run[cut:]}
        again = {str(self.tokens[at].value) for at in run[:cut]} <= rest  # "是粉的，外套粉S+1"
        return again or self.tokens[run[cut]].value == "\n"

    def _claims_in_prose(self, run: list[int]) -> bool:
        """ "窝被窝里下单，草莓+2": a claim word alone that touches words before it that nobody knows."""
        first = run[0]
        if len(run) > 1 or self.tokens[first].kind != kinds.CLAIM or self.words.kind(first - 1) != kinds.UNKNOWN:
            return False
        return self.tokens[first - 1].end == self.tokens[first].start

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
    if counts == [1] and body[0].kind == kinds.CLAIM and len(body) > 2:
        return [body[0], *quantities_last(body[1:])]  # "拿一件黑色XL的外套"
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
