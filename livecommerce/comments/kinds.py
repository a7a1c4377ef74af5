"""What a word of a comment can be. Plain integers: the tokeniser compares them a million times a second.

Sets of kinds are integers built of `1 << kind`, see `bits`.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

IGNORE: Final = 0  # politeness, thanks, particles: never changes a reading
ITEM: Final = 1  # a code or a name of the catalogue; value: tuple of items (several when a name is shared)
OPTION: Final = 2  # a value or short name of an option of some item, or any known colour or size; value: folded word
NUMBER: Final = 3  # digits as written; value: str
WORD_NUMBER: Final = 4  # "two", "สอง", "dalawa", "兩"; value: int
PLUS: Final = 5
MINUS: Final = 6
TIMES: Final = 7
COUNTER: Final = 8
BAD_COUNTER: Final = 9  # dozen, kilo, carton: changes what "1" means
EACH: Final = 10
EVERY_VALUE: Final = 11  # 包色: one of every colour
CLAIM: Final = 12  # "mine", "我要"; value "strong" may stand alone, "attached" needs an item or option
WEAK_CLAIM: Final = 13  # counts only beside a written quantity
NEGATION: Final = 14  # value "want": "any more" makes it a cancellation; "asks at the end": Vietnamese không
ANY_MORE: Final = 15  # value "first": it stands before the refusal (Korean); "doubt": alone it says nothing for sure
CANCEL: Final = 16
CHANGE: Final = 17
CHANGE_TO: Final = 18
TO: Final = 19
REDUCE: Final = 20  # "減", "minus": needs a number
QUESTION: Final = 21  # asks, about anything
QUESTION_START: Final = 22  # asks only as the first word: "is", "do"
ASK: Final = 23  # asks about an item by itself: "多少錢"
TOPIC: Final = 24  # price, stock, size, shipping; value "price": the price is the matter
DOUBT: Final = 25
REPORT: Final = 26  # "not received yet"
STATE: Final = 27  # "sold out", "already bought": a report only beside an item or a quantity
AGREE: Final = 28  # agreement, laughter
PRAISE: Final = 29
ALL: Final = 30
FOR: Final = 31
FOR_ME: Final = 32
PERSON: Final = 33
REMARK: Final = 34  # delivery and payment
AND: Final = 35
SEPARATOR: Final = 36  # value "," or "\n"
THIS: Final = 37
NOUN: Final = 38  # "size", "號", "สี": belongs to the option beside it
OBJECT: Final = 39  # Korean 을/를
ITEM_NUMBER: Final = 40  # Korean 번: the number before it is an item
SOFT: Final = 41  # harmless beside a named item, a doubt beside a bare "+1"; value "person", "named" (for whom), "time"
# (of delivery or payment), "keep"
UNKNOWN: Final = 42  # value "measure": a dozen, a carton, without its number
CODE_LIKE: Final = 43  # A99: shaped as a code, not in the catalogue
GLUED: Final = 44  # A01A02: never carved
PRICE: Final = 45
PHONE: Final = 46
LINK: Final = 47
PROSE: Final = 48  # a number with a meaning of its own: date, score, age
BAD_NUMBER: Final = 49  # 1.5, 1~2
QUANTITY: Final = 50  # bound: value (n, how); how is "plus", "count", "times", "each"
LESS: Final = 51  # bound "-1": value n
BAD_QUANTITY: Final = 52  # value: what was written
CLAIM_SUFFIX: Final = 53  # Korean 이요: claims an item, polite after a quantity
MISSPELT: Final = 55  # a Vietnamese order word without its accents
DANGER: Final = 56  # speaks against a strong order; value: "past", "others", "pronoun", "compare", "host", "game",
# "hypothetical", "missed"
ORDER_NOUN: Final = 54  # "order", "訂單" beside a cancel word

NAMES: Final[dict[int, str]] = {
    value: name.lower() for name, value in list(globals().items()) if name.isupper() and isinstance(value, int)
}


class Token(msgspec.Struct, frozen=True, gc=False):
    """One read word. `value` depends on `kind` (see above); `start`, `end` are positions in the folded text."""

    kind: int
    value: Any  # by kind: see above
    start: int
    end: int


def bits(*kinds: int) -> int:
    """A set of kinds as an integer, for one-instruction tests."""
    mask = 0
    for kind in kinds:
        mask |= 1 << kind
    return mask
