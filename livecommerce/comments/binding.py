"""Put words together: a sign with its number, a number with its counter, "size" with its option, "for" with its person.

In: raw tokens. Out: tokens of which every one either means something for an order by itself or is UNKNOWN.
A single walk; each step looks at a bounded number of neighbours.
"""

from __future__ import annotations

import re
from typing import Final

from livecommerce.comments import kinds
from livecommerce.comments.catalogue import View
from livecommerce.comments.folding import fold
from livecommerce.comments.kinds import Token, bits
from livecommerce.comments.tokens import han_number

QUANTITY_MAX: Final = 99
_PERSON_WORDS_MAX: Final = 3  # "for auntie Mei Ling": longer is a sentence, not a name
_PLACE_WORDS_MAX: Final = 5  # "ship to Quezon City Metro Manila"
_PLACE_FOLLOWS: Final = frozenset(
    map(fold, ("寄", "寄到", "寄送", "送到", "郵寄"))
)  # in Chinese the place stands before
_HAN_NAME_MAX: Final = 4
_NAME_STARTS: Final = frozenset("小阿老")  # 小明, 阿芳: as people write of those they shop for

_NUMBERS: Final = bits(kinds.NUMBER, kinds.WORD_NUMBER)
_WORDS_OF_NO_NUMBER: Final = bits(kinds.PRICE, kinds.PROSE, kinds.BAD_NUMBER, kinds.GLUED, kinds.CODE_LIKE, kinds.PHONE)
_BINDS: Final = bits(
    kinds.NUMBER, kinds.WORD_NUMBER, kinds.PLUS, kinds.MINUS, kinds.TIMES, kinds.COUNTER, kinds.BAD_COUNTER,
    kinds.EACH, kinds.REDUCE, kinds.NOUN, kinds.TO, kinds.OBJECT, kinds.FOR, kinds.FOR_ME, kinds.PERSON,
    kinds.REMARK, kinds.ASK, kinds.CLAIM_SUFFIX, kinds.ITEM_NUMBER, kinds.BAD_NUMBER, kinds.ORDER_NOUN, kinds.PHONE,
)  # fmt: skip
_APPLAUSE: Final = re.compile("5{3,}|6{3,}|1{3,}|2{3,}|8{3,}|9{3,}|233+|0{3,}")
_UNDOING: Final = bits(kinds.CANCEL, kinds.CHANGE, kinds.CHANGE_TO, kinds.REPORT, kinds.NEGATION)
_CHANGES: Final = bits(kinds.CHANGE, kinds.CHANGE_TO)
_CHANGE_VERBS: Final = bits(kinds.CHANGE, kinds.CHANGE_TO, kinds.TO)


def quantity_of(token: Token) -> int | None:
    """1 to 99 as written without a leading zero; None for anything else."""
    value = token.value
    if isinstance(value, int):
        return value
    written = str(value)
    if not written.isdigit() or not written.isascii():
        number = han_number(written)
        return number if number and 1 <= number <= QUANTITY_MAX else None
    if written[0] == "0" or len(written) > 2:
        return None
    return int(written)


class Binder:
    """One walk over the raw tokens; `out` grows as pieces are bound."""

    __slots__ = ("mask", "out", "size", "text", "tokens", "view")

    def __init__(self, tokens: list[Token], mask: int, text: str, view: View) -> None:
        self.text = text
        self.tokens = tokens
        self.size = len(tokens)
        self.mask = mask
        self.view = view
        self.out: list[Token] = []

    def run(self) -> list[Token]:
        """The bound tokens."""
        position = 0
        steps = _STEPS
        while position < self.size:
            token = self.tokens[position]
            step = steps.get(token.kind)
            if step is None:
                self.out.append(token)
                position += 1
            else:
                position = step(self, token, position)
        return self.out

    def _kind(self, position: int) -> int:
        return self.tokens[position].kind if 0 <= position < self.size else -1

    def _put(self, kind: int, value: object, first: Token, last: Token) -> None:
        self.out.append(Token(kind, value, first.start, last.end))

    def _touches(self, position: int) -> bool:
        """Whether the token at `position` follows the one before it without a blank."""
        return 0 < position < self.size and self.tokens[position].start == self.tokens[position - 1].end

    def _counted(self, position: int, amount: int | None) -> tuple[int, int | None]:
        """Skip a counter after a number; an unknown one spoils the amount."""
        kind = self._kind(position)
        if self._kind(position + 1) == kinds.UNKNOWN and self._touches(position + 1) and not self._touches(position):
            return position, amount  # "+1 雙胞胎": a word that begins like a counter
        if kind == kinds.COUNTER:
            return position + 1, amount
        if kind == kinds.BAD_COUNTER:
            return position + 1, None
        return position, amount

    def _sign(self, token: Token, position: int) -> int:
        kind = token.kind
        how = "plus" if kind == kinds.PLUS else "times" if kind == kinds.TIMES else "less"
        number = position + 1
        following = self._kind(number)
        symbol = token.value in ("+", "-", "*")
        if kind == kinds.TIMES and following == kinds.TO and self.mask & _CHANGES:
            return position + 1  # "change A12 qty to 2"
        if following >= 0 and _NUMBERS >> following & 1:
            if kind == kinds.MINUS and self._goes_on_with_numbers(token):
                last = self.out.pop()
                counted = self._kind(number + 1) == kinds.COUNTER  # "2-3 pcs"
                sort = kinds.BAD_QUANTITY if counted else kinds.PROSE
                self._put(sort, "count" if counted else None, last, self.tokens[number + counted])
                return number + 1 + counted
            amount = quantity_of(self.tokens[number])
            if (
                kind == kinds.MINUS
                and self.out
                and self.out[-1].end == token.start
                and (self.out[-1].kind in (kinds.NUMBER, kinds.QUANTITY, kinds.LESS, kinds.PROSE))
            ):
                amount = None
            after, amount = self._counted(number + 1, amount)
            if self._kind(after) == kinds.NUMBER and self._touches(after):
                amount = None
            last = self.tokens[after - 1]
            if amount is None:
                self._put(kinds.BAD_QUANTITY, how, token, last)
            elif how == "less":
                self._put(kinds.LESS, amount, token, last)
            elif self._kind(after) == kinds.EACH and self._kind(after + 1) not in (
                kinds.NUMBER,
                kinds.WORD_NUMBER,
                kinds.PLUS,
            ):
                self._put(kinds.QUANTITY, (amount, "each"), token, self.tokens[after])
                after += 1
            else:
                self._put(kinds.QUANTITY, (amount, how), token, last)
            return after
        if (
            symbol
            and following >= 0
            and (_WORDS_OF_NO_NUMBER >> following & 1 or following in (kinds.PLUS, kinds.MINUS, kinds.TIMES))
        ):
            if kind == kinds.MINUS and (following == kinds.PLUS or not self._touches(number)):
                return position + 1  # "A01 - +1": a dash
            after = number + 1
            while self._kind(after) in (kinds.NUMBER, kinds.PLUS, kinds.MINUS) and self._touches(after):
                after += 1
            self._put(kinds.BAD_QUANTITY, how, token, self.tokens[after - 1])
            return after
        if kind == kinds.MINUS:
            return position + 1  # a dash between words
        if token.value == "+" and following == kinds.ITEM and self.out and self.out[-1].kind == kinds.QUANTITY:
            self._put(kinds.AND, None, token, token)  # "F3一盒＋F2兩盒"
            return position + 1
        before = self.out[-1].kind if self.out else -1
        if not symbol and kind == kinds.TIMES and position == self.size - 1 and before == kinds.QUANTITY:
            return position + 1  # "+2 thank you x": a kiss
        if symbol and before in (kinds.ITEM, kinds.OPTION, kinds.QUANTITY):
            self._put(kinds.BAD_QUANTITY, how, token, token)
        else:
            self._put(kinds.UNKNOWN, None, token, token)
        return position + 1

    def _goes_on_with_numbers(self, token: Token) -> bool:
        """ "3-2", "886-912-345": a score, a range, a number in groups, unless the first number is a code."""
        if not self.out or self.out[-1].end != token.start:
            return False
        before = self.out[-1]
        return before.kind == kinds.PROSE or (
            before.kind == kinds.NUMBER and str(before.value) not in self.view.codes and token.value == "-"
        )

    def _reduce(self, token: Token, position: int) -> int:
        following = self._kind(position + 1)
        if following >= 0 and _NUMBERS >> following & 1:
            after, amount = self._counted(position + 2, quantity_of(self.tokens[position + 1]))
            self._put(kinds.BAD_QUANTITY if amount is None else kinds.LESS, amount, token, self.tokens[after - 1])
            return after
        self._put(kinds.TOPIC if token.value == "topic" else kinds.UNKNOWN, None, token, token)
        return position + 1

    def _each(self, token: Token, position: int) -> int:
        number = position + 1
        if self._kind(number) in (kinds.PLUS, kinds.TIMES, kinds.MINUS):
            number += 1
        if self._kind(number) in (kinds.NUMBER, kinds.WORD_NUMBER):
            after, amount = self._counted(number + 1, quantity_of(self.tokens[number]))
            if amount is None:
                self._put(kinds.BAD_QUANTITY, "each", token, self.tokens[after - 1])
            else:
                self._put(kinds.QUANTITY, (amount, "each"), token, self.tokens[after - 1])
            return after
        if self._kind(number) == kinds.COUNTER:  # อย่างละตัว
            self._put(kinds.QUANTITY, (1, "each"), token, self.tokens[number])
            return number + 1
        if self.out and self.out[-1].kind == kinds.QUANTITY:
            amount, _ = self.out[-1].value
            self._each_of_last(amount)
            return position + 1
        self._put(kinds.UNKNOWN, None, token, token)
        return position + 1

    def _each_of_last(self, amount: int) -> None:
        last = self.out.pop()
        self._put(kinds.QUANTITY, (amount, "each"), last, last)

    def _number(self, token: Token, position: int) -> int:
        after = position + 1
        following = self._kind(after)
        if following in (kinds.COUNTER, kinds.BAD_COUNTER):
            return self._count(token, position)
        if following == kinds.EACH and self._kind(after + 1) not in (kinds.NUMBER, kinds.WORD_NUMBER, kinds.PLUS):
            amount = quantity_of(token)
            self._put(
                kinds.QUANTITY if amount else kinds.BAD_QUANTITY,
                (amount, "each") if amount else "each",
                token,
                self.tokens[after],
            )
            return after + 1
        written = str(token.value)
        if following == kinds.ITEM_NUMBER and token.kind == kinds.NUMBER:
            item = self.view.codes.get(written)
            last = self.tokens[after]
            self._put(kinds.ITEM if item else kinds.CODE_LIKE, (item,) if item else written, token, last)
            return after + 1
        if following == kinds.NOUN and self._touches(after) and self.tokens[after].value is None:
            if self._kind(after + 1) in (kinds.PLUS, kinds.TIMES):
                self._put(kinds.CODE_LIKE, written, token, self.tokens[after])
            else:
                self._put(kinds.PROSE, None, token, self.tokens[after])
            return after + 1
        if following == kinds.UNKNOWN and self._touches(after):
            if self.size == 2 and token.kind == kinds.NUMBER and self.tokens[after].end - self.tokens[after].start <= 2:
                self._put(kinds.BAD_QUANTITY, "count", token, self.tokens[after])  # "2坨": a counter nobody listed
                return after + 1
            self._put(kinds.PROSE, None, token, self.tokens[after])
            return after + 1
        if token.kind == kinds.NUMBER:
            if _APPLAUSE.fullmatch(written) and written not in self.view.codes:
                self._put(kinds.AGREE, None, token, token)
            else:
                self.out.append(token)
            return after
        return self._word_number(token, position)

    def _count(self, token: Token, position: int) -> int:
        """A number with its counter, the ambiguous 十二件 after a code left open."""
        amount = quantity_of(token)
        before = self.out[-1] if self.out else None
        written = str(token.value)
        if (
            written.startswith("十")
            and len(written) > 1
            and before is not None
            and before.end == token.start
            and before.kind in (kinds.ITEM, kinds.OPTION)
        ):
            amount = None
        after, amount = self._counted(position + 1, amount)
        last = self.tokens[after - 1]
        if amount is None:
            self._put(kinds.BAD_QUANTITY, "count", token, last)
        elif self._kind(after) == kinds.EACH and self._kind(after + 1) not in (
            kinds.NUMBER,
            kinds.WORD_NUMBER,
            kinds.PLUS,
        ):
            self._put(kinds.QUANTITY, (amount, "each"), token, self.tokens[after])
            after += 1
        else:
            self._put(kinds.QUANTITY, (amount, "count"), token, last)
        return after

    def _word_number(self, token: Token, position: int) -> int:
        """A spelled number without a counter: in Chinese only after a change word; 十 before a digit is a plus."""
        written = token.value
        before = self.out[-1] if self.out else None
        if isinstance(written, int):
            self.out.append(token)
            return position + 1
        if written == "十" and self._kind(position + 1) == kinds.NUMBER and self._touches(position + 1):
            return self._sign(Token(kinds.PLUS, "+", token.start, token.end), position)
        if before is not None and _CHANGE_VERBS >> before.kind & 1:
            self.out.append(token)
        elif (
            before is not None
            and str(written).startswith("十")
            and before.kind in (kinds.ITEM, kinds.OPTION)
            and before.end == token.start
        ):
            self._put(kinds.BAD_QUANTITY, "plus", token, token)
        else:
            self._put(kinds.UNKNOWN, None, token, token)
        return position + 1

    def _lonely(self, token: Token, position: int) -> int:
        """A counter, an ITEM_NUMBER or the like without its number."""
        self._put(kinds.UNKNOWN, "measure" if token.kind == kinds.BAD_COUNTER else None, token, token)
        return position + 1

    def _bad_number(self, token: Token, position: int) -> int:
        if self._kind(position + 1) in (kinds.COUNTER, kinds.BAD_COUNTER):
            self._put(kinds.BAD_QUANTITY, "count", token, self.tokens[position + 1])
            return position + 2
        before = self.out[-1].kind if self.out else -1
        self._put(kinds.BAD_QUANTITY if before in (kinds.ITEM, kinds.OPTION) else kinds.PROSE, None, token, token)
        return position + 1

    def _noun(self, token: Token, position: int) -> int:
        """ "size", "號", "สี": part of the option beside it, a topic or a stranger elsewhere."""
        before = self.out[-1].kind if self.out else -1
        following = self._kind(position + 1)
        if (
            before == kinds.OPTION
            or following in (kinds.OPTION, kinds.NOUN)
            or (following == kinds.NUMBER and before == kinds.ITEM)
        ):
            return position + 1
        if before == kinds.TO or (before >= 0 and _CHANGES >> before & 1) or following == kinds.TO:
            return position + 1
        self._put(kinds.TOPIC if token.value == "topic" else kinds.UNKNOWN, None, token, token)
        return position + 1

    def _to(self, token: Token, position: int) -> int:
        if self.mask & _CHANGES:
            self.out.append(token)
        elif token.value == "and":
            self._put(kinds.AND, None, token, token)
        elif token.value != "particle":  # Korean 로, Filipino ng: without a change word they say nothing
            self._put(kinds.UNKNOWN, None, token, token)
        return position + 1

    def _object(self, token: Token, position: int) -> int:
        if self.mask & _CHANGES:
            self.out.append(token)
        return position + 1

    def _suffix(self, token: Token, position: int) -> int:
        before = self.out[-1].kind if self.out else -1
        if before in (kinds.ITEM, kinds.OPTION):
            self._put(kinds.CLAIM, "strong", token, token)
        elif before not in (
            kinds.QUANTITY,
            kinds.NUMBER,
            kinds.CLAIM,
            kinds.CANCEL,
            kinds.LESS,
            kinds.WORD_NUMBER,
            kinds.THIS,
            kinds.CODE_LIKE,
        ):
            self._put(kinds.UNKNOWN, None, token, token)
        return position + 1

    def _order_noun(self, token: Token, position: int) -> int:
        if not self.mask & _UNDOING:
            self._put(kinds.UNKNOWN, None, token, token)
        elif token.value is not None:
            self.out.append(token)
        return position + 1

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
        self._put(kinds.REMARK, "wide" if wide else None, token, self.tokens[after - 1])
        return after

    def _ask(self, token: Token, position: int) -> int:
        """ "lấy B7 giá 299k": a price that is told asks nothing."""
        told = self._kind(position + 1) == kinds.PRICE
        self._put(kinds.REMARK if told else kinds.ASK, token.value, token, token)
        return position + 1

    def _phone(self, token: Token, position: int) -> int:
        if self._kind(position + 1) in (kinds.PLUS, kinds.MINUS, kinds.TIMES) and self._touches(position + 1):
            self._put(kinds.PROSE, None, token, token)
        else:
            self.out.append(token)
        return position + 1


_STEPS: Final = {
    kinds.PLUS: Binder._sign,
    kinds.MINUS: Binder._sign,
    kinds.TIMES: Binder._sign,
    kinds.REDUCE: Binder._reduce,
    kinds.EACH: Binder._each,
    kinds.NUMBER: Binder._number,
    kinds.WORD_NUMBER: Binder._number,
    kinds.COUNTER: Binder._lonely,
    kinds.BAD_COUNTER: Binder._lonely,
    kinds.ITEM_NUMBER: Binder._lonely,
    kinds.BAD_NUMBER: Binder._bad_number,
    kinds.NOUN: Binder._noun,
    kinds.TO: Binder._to,
    kinds.OBJECT: Binder._object,
    kinds.CLAIM_SUFFIX: Binder._suffix,
    kinds.ORDER_NOUN: Binder._order_noun,
    kinds.FOR: Binder._for,
    kinds.FOR_ME: Binder._for,
    kinds.PERSON: Binder._person,
    kinds.REMARK: Binder._remark,
    kinds.PHONE: Binder._phone,
    kinds.ASK: Binder._ask,
}


def bind(tokens: list[Token], mask: int, text: str, view: View) -> list[Token]:
    """Raw tokens of `text` to bound tokens; `mask` is the set of their kinds."""
    if not mask & _BINDS:
        return tokens
    return Binder(tokens, mask, text, view).run()


def kinds_of(tokens: list[Token]) -> int:
    """The set of kinds among the tokens."""
    mask = 0
    for token in tokens:
        mask |= 1 << token.kind
    return mask
