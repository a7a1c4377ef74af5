"""Whom an order is for, and where it goes: a person with "for", a place with a word of delivery or payment."""

from __future__ import annotations

from typing import Final

from livecommerce.comments import kinds
from livecommerce.comments.catalogue import View
from livecommerce.comments.folding import fold
from livecommerce.comments.kinds import Token, bits

_PERSON_WORDS_MAX: Final = 3  # "for auntie Mei Ling": longer is a sentence, not a name
_PLACE_WORDS_MAX: Final = 5  # "ship to Quezon City Metro Manila"
_PLACE_ENDS: Final = frozenset(map(fold, "店路站街區市"))
_NUMBERED_PLACES: Final = ("quận", "phường", "ngõ", "hẻm")  # "ship quận 1"
_PAYMENTS: Final = ("입금", "송금", "결제")
_PROMISE_WORDS_MAX: Final = 3
_PLACE_FOLLOWS: Final = frozenset(
    map(fold, ("寄", "寄到", "寄送", "送到", "郵寄"))
)  # in Chinese the place stands before
_HAN_NAME_MAX: Final = 4
_NAME_STARTS: Final = frozenset("小阿老")  # 小明, 阿芳: as people write of those they shop for
_CHANGES: Final = bits(kinds.CHANGE, kinds.CHANGE_TO)


class Surroundings:
    """The raw words of a comment, and `out`, those bound so far."""

    __slots__ = ("mask", "out", "size", "text", "tokens", "view")

    def __init__(self, tokens: list[Token], mask: int, text: str, view: View) -> None:
        self.text = text
        self.tokens = tokens
        self.size = len(tokens)
        self.mask = mask
        self.view = view
        self.out: list[Token] = []

    def _kind(self, position: int) -> int:
        return self.tokens[position].kind if 0 <= position < self.size else -1

    def _put(self, kind: int, value: object, first: Token, last: Token) -> None:
        self.out.append(Token(kind, value, first.start, last.end))

    def _touches(self, position: int) -> bool:
        """Whether the token at `position` follows the one before it without a blank."""
        return 0 < position < self.size and self.tokens[position].start == self.tokens[position - 1].end

    def _word(self, position: int) -> str:
        return self.text[self.tokens[position].start : self.tokens[position].end]

    def _for(self, token: Token, position: int) -> int:
        """For someone else: the person goes with the word. In a change, "for" may mean "to"."""
        if (
            token.value == "words"
            and self.mask & _CHANGES
            and self._kind(position + 1) in (kinds.ITEM, kinds.OPTION, kinds.NUMBER)
        ):
            self._put(kinds.TO, None, token, token)
            return position + 1
        after, taken, strangers = position + 1, 0, 0
        while taken < _PERSON_WORDS_MAX and self._kind(after) in (kinds.PERSON, kinds.UNKNOWN):
            stranger = self._kind(after) == kinds.UNKNOWN
            if stranger and (token.kind == kinds.FOR_ME or not self._may_be_name(token, after)):
                break
            strangers += stranger
            after += 1
            taken += 1
            if token.value == "han" and stranger and self._is_half_a_name(after):
                after += 1  # 小美, 小紅: the second half is also a word
        if token.value == "han" and strangers > 1:
            after, taken = position + 1, 0
        numbered = (
            strangers and self._kind(after) == kinds.NUMBER and str(self.tokens[after].value) not in self.view.codes
        )
        if numbered and self._kind(after + 1) in (kinds.SEPARATOR, -1) and token.value == "words":
            after += 1  # "for the nurses on ward 12"
        if taken:
            if not strangers:  # "幫我姊A01 黑XL+1 她在開車": whom "她" means
                self._put(kinds.SOFT, "named", token, self.tokens[after - 1])
            else:
                named = token.value == "han" and self.text[self.tokens[position + 1].start] in _NAME_STARTS
                self._put(kinds.SOFT, "named" if named else "person", token, self.tokens[after - 1])
            return after
        if token.kind == kinds.FOR and token.value == "han" and self._kind(after) not in (kinds.ITEM, kinds.THIS):
            self._put(kinds.UNKNOWN, None, token, token)
        elif token.kind == kinds.FOR and token.value == "words":
            dangling = self._kind(after) not in (kinds.ITEM, kinds.PERSON, -1, kinds.PRICE, kinds.THIS, kinds.SEPARATOR)
            if dangling:
                self._put(kinds.UNKNOWN, None, token, token)
        return after

    def _is_half_a_name(self, position: int) -> bool:
        first = self.tokens[position - 1]
        return (
            first.end - first.start == 1
            and self.text[first.start] in _NAME_STARTS
            and self._touches(position)
            and self.tokens[position].end - self.tokens[position].start == 1
            and "\u4e00" <= self.text[self.tokens[position].start] <= "\u9fff"
            and self._kind(position) not in (kinds.PLUS, kinds.WORD_NUMBER, kinds.ITEM)
        )

    def _may_be_name(self, token: Token, position: int) -> bool:
        stranger = self.tokens[position]
        if token.value == "han":
            return self._touches(position) and stranger.end - stranger.start <= _HAN_NAME_MAX
        return True

    def _person(self, token: Token, position: int) -> int:
        before = self.out[-1] if self.out else None
        if token.value == "title" and before is not None and before.end == token.start and before.kind == kinds.UNKNOWN:
            self.out.pop()
            self._put(kinds.SOFT, "named", before, token)  # 王小姐
            return position + 1
        counted = before is not None and before.kind == kinds.QUANTITY and before.end == token.start
        if counted and (len(self.out) < 2 or self.out[-2].kind == kinds.SEPARATOR):
            self.out.pop()
            self._put(kinds.SOFT, "person", before or token, token)  # "…，兩個女兒的" counts people
            return position + 1
        self._put(kinds.SOFT, "person", token, token)
        return position + 1

    def _remark(self, token: Token, position: int) -> int:
        """Delivery and payment, with the place or time that touches it (Chinese) or follows it (others)."""
        wide = False
        korean = (
            "가" <= self.text[token.start] <= "힣"
        )  # its places stand before, with blanks: "부산 해운대로 보내주세요"
        while (
            self.out
            and (korean or self.out[-1].end == token.start)
            and self.out[-1].kind in (kinds.UNKNOWN, kinds.PROSE)
        ):
            token = Token(token.kind, None, self.out.pop().start, token.end)
            wide = True
        after, taken = position + 1, 0
        word = self.text[self.tokens[position].start : self.tokens[position].end]
        limit = _PLACE_WORDS_MAX if word[0] < "\u2e80" or word in _PLACE_FOLLOWS else 0
        while taken < limit and self._kind(after) in (
            kinds.UNKNOWN,
            kinds.PROSE,
            kinds.COUNTER,
            kinds.REMARK,
            kinds.THIS,
            kinds.TO,
        ):
            wide = wide or self._kind(after) != kinds.REMARK
            after += 1
            taken += 1
        after, named = self._place(position, after if taken else position + 1, korean=korean)
        self._put(kinds.REMARK, "wide" if wide or named else None, token, self.tokens[after - 1])
        return after

    def _place(self, position: int, after: int, *, korean: bool) -> tuple[int, bool]:
        """Where a remark ends, and whether a place or a promise belongs to it."""
        word = self._word(position)
        shop = self._kind(after) == kinds.UNKNOWN and self._touches(after) and self._word(after)[-1] in _PLACE_ENDS
        if shop or (word in _NUMBERED_PLACES and self._kind(after) == kinds.NUMBER):
            return after + 1, True  # "全家大雅店", "ship quận 1"
        if korean and word.startswith(_PAYMENTS):
            promised = after
            while self._kind(promised) in (kinds.UNKNOWN, kinds.SOFT) and promised - after < _PROMISE_WORDS_MAX:
                promised += 1
            if self._kind(promised) == kinds.CLAIM and self._word(promised).startswith("할게"):
                return promised + 1, True  # "입금은 저녁에 할게요"
        return after, False
