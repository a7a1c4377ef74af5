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
from livecommerce.comments.surroundings import Surroundings
from livecommerce.comments.tokens import han_number

QUANTITY_MAX: Final = 99
_REDUCED_WORDS_MAX: Final = 4  # a code and its options
_BY: Final = ("by", "đi", "xuống", "down", "ลง", "ไป", fold("ออก"))

_NUMBERS: Final = bits(kinds.NUMBER, kinds.WORD_NUMBER)
_WORDS_OF_NO_NUMBER: Final = bits(kinds.PRICE, kinds.PROSE, kinds.BAD_NUMBER, kinds.GLUED, kinds.CODE_LIKE, kinds.PHONE)
_BINDS: Final = bits(
    kinds.NUMBER, kinds.WORD_NUMBER, kinds.PLUS, kinds.MINUS, kinds.TIMES, kinds.COUNTER, kinds.BAD_COUNTER,
    kinds.EACH, kinds.REDUCE, kinds.NOUN, kinds.TO, kinds.OBJECT, kinds.FOR, kinds.FOR_ME, kinds.PERSON,
    kinds.REMARK, kinds.ASK, kinds.CLAIM_SUFFIX, kinds.ITEM_NUMBER, kinds.BAD_NUMBER, kinds.ORDER_NOUN, kinds.PHONE,
    kinds.CHANGE,
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


class Binder(Surroundings):
    """One walk over the raw tokens; `out` grows as pieces are bound."""

    __slots__ = ()

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
        told = following in (kinds.TO, kinds.CHANGE, kinds.CHANGE_TO, kinds.FOR_ME)
        if kind == kinds.TIMES and told and not symbol and self.mask & _CHANGES:
            return position + 1  # "change A12 qty to 2", "草莓數量幫我改成3盒"
        if kind == kinds.TIMES and (counted := self._counts_before(token, number)):
            return counted
        if following >= 0 and _NUMBERS >> following & 1:
            if kind == kinds.MINUS and self._is_a_list(token):
                return position + 1  # "A02-灰-2條"
            if kind == kinds.MINUS and self._goes_on_with_numbers(token):
                return self._range(number)
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

    def _is_a_list(self, token: Token) -> bool:
        """Dashes between a code, its option and a count."""
        if len(self.out) < 2 or self.out[-1].kind != kinds.OPTION or self.out[-2].kind != kinds.ITEM:
            return False
        joined = self.text[self.out[-2].end : self.out[-1].start] == "-"
        return joined and self.out[-1].end == token.start

    def _counts_before(self, token: Token, number: int) -> int:
        """ "3 x peach", "2 x 123 blue": the number before the sign counts what is behind it; 0 where it does not."""
        count = self.out[-1] if self.out and self.out[-1].kind == kinds.NUMBER else None
        amount = quantity_of(count) if count is not None and str(count.value) not in self.view.codes else None
        if count is None or amount is None:
            return 0
        following = self._kind(number)
        item = self.view.codes.get(str(self.tokens[number].value)) if following == kinds.NUMBER else None
        if following != kinds.ITEM and item is None:
            return 0
        self._put(kinds.QUANTITY, (amount, "times"), self.out.pop(), token)
        if item is None:
            return number
        self._put(kinds.ITEM, (item,), self.tokens[number], self.tokens[number])
        return number + 1

    def _range(self, number: int) -> int:
        """ "2-3 pcs", "2-3 of the blouse": how many?"""
        last = self.out.pop()
        counted = self._kind(number + 1) == kinds.COUNTER
        ranged = counted or self._kind(number + 1) == kinds.ITEM
        sort = kinds.BAD_QUANTITY if ranged else kinds.PROSE
        self._put(sort, "range" if ranged else None, last, self.tokens[number + counted])
        return number + 1 + counted

    def _goes_on_with_numbers(self, token: Token) -> bool:
        """ "3-2", "886-912-345": a score, a range, a number in groups, unless the first number is a code."""
        if not self.out or self.out[-1].end != token.start:
            return False
        before = self.out[-1]
        return before.kind == kinds.PROSE or (
            before.kind == kinds.NUMBER and str(before.value) not in self.view.codes and token.value == "-"
        )

    def _reduce(self, token: Token, position: int) -> int:
        after = position + 1
        if self.tokens[after : after + 1] and self.tokens[after].value == "particle":
            after += 1  # "pabawas po ng isa"
        first_named = after
        while self._kind(after) in (kinds.ITEM, kinds.OPTION) and after - position <= _REDUCED_WORDS_MAX:
            after += 1
        named = self.tokens[first_named:after]
        if named and token.value == "host" and self._kind(after) == kinds.OBJECT and self._word(after) == "from":
            self._put(kinds.CANCEL, None, token, token)  # "drop the leggings from my order"
            self.out.extend(named)
            return after + 1
        if named and self._kind(after) in (kinds.UNKNOWN, kinds.TOPIC) and self._word(after) in _BY:
            after += 1
        following = self._kind(after)
        if named and (
            following == kinds.TO or (self.tokens[after : after + 1] and self.tokens[after].value == "remain")
        ):
            self._put(kinds.CHANGE, None, token, token)  # "reduce A12 to 1", "ลด A12 เหลือ 1 ตัว"
            self.out.extend(named)
            self._put(kinds.TO, None, self.tokens[after], self.tokens[after])
            return after + 1
        numbered = following >= 0 and bool(_NUMBERS >> following & 1)
        if token.value == "set" and named and numbered:
            self._put(kinds.CHANGE, None, token, token)  # "make A12 3 instead"
            self.out.extend(named)
            self._put(kinds.TO, None, token, token)
            return after
        if numbered and token.value != "set":
            self.out.extend(named)  # "reduce A12 by 1"
            counted, amount = self._counted(after + 1, quantity_of(self.tokens[after]))
            first = self.tokens[after] if named else token
            self._put(kinds.BAD_QUANTITY if amount is None else kinds.LESS, amount, first, self.tokens[counted - 1])
            return counted
        if token.value == "host":
            self._put(kinds.DANGER, "host", token, token)  # "drop a +1 in the chat"
        else:
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
        if self._is_the_price(written):
            self._put(kinds.PRICE, None, token, token)  # "CF A12 149"
            return after
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
        if self._counts_what_follows(token, position):
            return self._count_before(token, position)
        if following == kinds.UNKNOWN and self._word(after) == "off" and self._kind(after + 1) == kinds.ITEM:
            self.out.append(self.tokens[after + 1])  # "take one off my peach"
            self._put(kinds.LESS, quantity_of(token), token, token)
            return after + 2
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

    def _is_the_price(self, written: str) -> bool:
        """The price of the item just named, behind it and its options."""
        place = len(self.out) - 1
        while place >= 0 and self.out[place].kind == kinds.OPTION:
            place -= 1
        if place < 0:
            return False
        named = self.out[place]
        if named.kind == kinds.ITEM:
            return self.view.prices.get(named.value[0].code) == written
        item = self.view.codes.get(str(named.value)) if named.kind == kinds.NUMBER else None
        return item is not None and self.view.prices.get(item.code) == written

    def _counts_what_follows(self, token: Token, position: int) -> bool:
        """ "three peach", "mua 2 áo", "mine one A12": a number before what it counts; alone, one may be prose."""
        if self._kind(position + 1) != kinds.ITEM or self._touches(position + 1):
            return False
        if self._ends_in_off(position + 2):
            return True
        if token.kind == kinds.NUMBER and (str(token.value) in self.view.codes or quantity_of(token) is None):
            return False
        if not (token.kind == kinds.NUMBER or isinstance(token.value, int)):
            return False
        before = self.out[-1].kind if self.out else -1
        if before in (kinds.CLAIM, kinds.AND, kinds.SEPARATOR):
            return any(each.kind == kinds.CLAIM for each in self.out) or quantity_of(token) != 1
        return token.kind == kinds.WORD_NUMBER and token.value != 1 and before not in (kinds.ITEM, kinds.OPTION)

    def _ends_in_off(self, position: int) -> bool:
        while self._kind(position) == kinds.OPTION:
            position += 1
        return self._kind(position) == kinds.UNKNOWN and self._word(position) == "off"

    def _count_before(self, token: Token, position: int) -> int:
        """The quantity; "take one F2 off" takes it off what was ordered."""
        amount = quantity_of(token)
        after = position + 2
        while self._kind(after) == kinds.OPTION:
            after += 1
        if self._kind(after) == kinds.UNKNOWN and self._word(after) == "off":
            self.out.extend(self.tokens[position + 1 : after])
            self._put(kinds.LESS, amount, token, token)
            return after + 1
        self._put(kinds.QUANTITY, (amount, "count"), token, token)
        return position + 1

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
            counter = self._kind(position + 1) == kinds.COUNTER
            self._put(kinds.BAD_QUANTITY, "range" if counter else "count", token, last)
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
            if written != 1 or before is None or before.kind != kinds.OPTION:  # not "the pink one"
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
        before = self.out[-1].kind if self.out else -1
        if token.kind == kinds.COUNTER and before == kinds.CLAIM and self._kind(position + 1) == kinds.ITEM:
            return position + 1  # "cho em chiếc túi"
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
        elif token.value == "from":
            self._put(kinds.UNKNOWN, None, token, token)
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
            kinds.CHANGE,
        ):
            self._put(kinds.UNKNOWN, None, token, token)
        return position + 1

    def _order_noun(self, token: Token, position: int) -> int:
        if not self.mask & _UNDOING:
            self._put(kinds.UNKNOWN, None, token, token)
        elif token.value is not None:
            self.out.append(token)
        return position + 1

    def _change(self, token: Token, position: int) -> int:
        if token.value == "to":  # "2개로 줄여주세요": the particle and the verb are one word
            self._put(kinds.TO, "particle", token, token)
            token = Token(kinds.CHANGE, None, token.start, token.end)
        self.out.append(token)
        return position + 1

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
    kinds.CHANGE: Binder._change,
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
