"""What the parser answers. All structs are frozen and encode to the JSON of the contract with msgspec."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal

import msgspec

VERSION: Final = "3"
"""Goes up with every change of grammar or words, so that a past show can be parsed again and compared."""

VerdictWord = Literal["order", "change", "question", "unclear", "none"]


class Reason(StrEnum):
    """Why a comment was read as it was. Stable words: pages translate them, the docs list them."""

    ORDER = "order"
    CHANGE = "change"
    QUESTION = "question"
    # unclear
    NO_ITEM = "no_item"
    UNKNOWN_CODE = "unknown_code"
    SHARED_NAME = "shared_name"
    BAD_QUANTITY = "bad_quantity"
    NO_QUANTITY = "no_quantity"
    BAD_OPTION = "bad_option"
    GLUED = "glued"
    LOOK_ALIKE = "look_alike"
    DOUBT = "doubt"
    OTHER_QUESTION = "other_question"
    REPORT = "report"
    CANCEL_ALL = "cancel_all"
    CHANGE_UNCLEAR = "change_unclear"
    UNKNOWN_WORDS = "unknown_words"
    MISSING_ACCENTS = "missing_accents"
    TWO_READINGS = "two_readings"
    BARE_PLUS = "bare_plus"
    # none
    NEGATION = "negation"
    AGREEMENT = "agreement"
    CHATTER = "chatter"
    BAD_INPUT = "bad_input"


class Reserve(msgspec.Struct, frozen=True, tag_field="do", tag="reserve"):
    """Take `qty` (1 to 99) of an item. `options` are catalogue values in the order of the item's axes."""

    code: str
    options: tuple[str, ...]
    qty: int


class Cancel(msgspec.Struct, frozen=True, tag_field="do", tag="cancel"):
    """Give back. `code` None means the viewer's latest reservation."""

    code: str | None
    options: tuple[str, ...]


class Reduce(msgspec.Struct, frozen=True, tag_field="do", tag="reduce"):
    """Give back `qty` (1 to 99) of an item."""

    code: str
    options: tuple[str, ...]
    qty: int


class SetQuantity(msgspec.Struct, frozen=True, tag_field="do", tag="set"):
    """Make the reserved quantity exactly `qty` (1 to 99)."""

    code: str
    options: tuple[str, ...]
    qty: int


class Swap(msgspec.Struct, frozen=True, tag_field="do", tag="swap"):
    """Exchange what is reserved. An empty `options` means: whatever the viewer holds of `code`."""

    code: str
    options: tuple[str, ...]
    to_code: str
    to_options: tuple[str, ...]


Intent = Reserve | Cancel | Reduce | SetQuantity | Swap


class Verdict(msgspec.Struct, frozen=True):
    """The answer for one comment.

    Attributes:
        verdict: "order", "change", "question", "unclear" or "none".
        intents: only with "order" and "change", in reading order.
        reason: a stable word, see Reason.
        version: grammar version that gave this answer.
        guess: best reading for a moderator to accept, only with "unclear" and "question"; may be empty.
        heard: the words that stood, whatever those around them are; only of strong forms.
    """

    verdict: VerdictWord
    intents: tuple[Intent, ...]
    reason: Reason
    version: str = VERSION
    guess: tuple[Intent, ...] = ()
    heard: str = ""
