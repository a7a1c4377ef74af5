"""What any number and any line of text from outside may be: the types of fields in bodies, commands and set-ups.

Every integer that is kept or answered stays below 2^53: browsers and Lua count in doubles. A field takes the narrowest
of these; a bound of its own stands beside the field with its reason.
"""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta

SAFE_INTEGER_MAX = 2**53 - 1  # RFC 8259 section 6: what every reader of JSON agrees on
STREAM_ID_PART_MAX = 2**64 - 1  # each half of an id of Valkey's streams
PIECES_MAX = 1_000_000  # of a sku, and of what one viewer may claim of anything
LIMIT_PER_VIEWER_MAX = 10_000  # of a product; past it nobody means a limit
MONEY_MINOR_MAX = 10**12  # times a million pieces it would pass 2^53; a claim has at most 9,999
HOLD_SECONDS_LEAST, HOLD_SECONDS_MAX = 10, 7 * 86_400  # shorter nobody pays, longer is an order

Count = Annotated[int, Meta(ge=0, le=SAFE_INTEGER_MAX)]  # revisions, positions
Moment = Annotated[int, Meta(ge=0, le=SAFE_INTEGER_MAX)]  # Unix milliseconds
Minor = Annotated[int, Meta(ge=0, le=MONEY_MINOR_MAX)]
Pieces = Annotated[int, Meta(ge=0, le=PIECES_MAX)]
PiecesAdded = Annotated[int, Meta(ge=1, le=PIECES_MAX)]
PiecesChanged = Annotated[int, Meta(ge=-PIECES_MAX, le=PIECES_MAX)]
LimitPerViewer = Annotated[int, Meta(ge=0, le=LIMIT_PER_VIEWER_MAX)]
HoldSeconds = Annotated[int, Meta(ge=HOLD_SECONDS_LEAST, le=HOLD_SECONDS_MAX)]

# Patterns end in \Z: `$` also matches before a line feed, and an id with one is another id.
ID_PATTERN = r"^(?!-\Z)[a-z0-9-]{1,40}\Z"  # `-` alone is the shop itself (STOCK_SHOW)
OUTSIDE_ID_PATTERN = r"^[A-Za-z0-9_-]{8,64}\Z"
# What shows nothing: blanks, joiners, fillers, marks of direction, variation selectors, tags.
_SHOWS_NOTHING = (
    r"\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff"
)
_CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff"  # tab and line feed are text; half a surrogate pair is none
_SEEN = rf"(?=[\s\S]*[^{_SHOWS_NOTHING}\x00-\x1f])"
LINE_PATTERN = rf"^{_SEEN}[^\t\n{_CONTROLS}\u2028\u2029]*\Z"
TEXT_PATTERN = rf"^{_SEEN}[^{_CONTROLS}]*\Z"
PLAIN_PATTERN = rf"^[^\t\n{_CONTROLS}\u2028\u2029]*\Z"  # a line that may be empty

Title = Annotated[str, Meta(min_length=1, max_length=120, pattern=LINE_PATTERN)]
Reference = Annotated[str, Meta(max_length=80, pattern=PLAIN_PATTERN)]

_WORDS = {
    ID_PATTERN: "of 1 to 40 characters of a-z, 0-9 and -",
    OUTSIDE_ID_PATTERN: "of 8 to 64 letters, digits, - or _",
    LINE_PATTERN: "of one line with something to see and no control characters",
    TEXT_PATTERN: "with something to see and no control characters",
    PLAIN_PATTERN: "of one line without control characters",
}
_HIDDEN = re.compile(rf"[{_SHOWS_NOTHING}]*")


def in_words(message: str) -> str:
    """A message of msgspec with its patterns said in words."""
    for pattern, words in _WORDS.items():
        message = message.replace(f"matching regex {pattern!r}", words)
    return message


def shows_something(text: str) -> bool:
    """Whether a person sees anything of it."""
    return _HIDDEN.fullmatch(text) is None
