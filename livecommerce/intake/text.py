"""What a visible line and a visible name are: the text of a comment, a chosen name. Pure.

After UAX #29 (graphemes), UAX #31 (where joiners may stand), UTS #39 section 5.4 (marks) and UTS #51 (emoji sequences).
A line is made fit: what cannot be seen or turns the page around is taken out of it. A name is refused instead, with
what is wrong: whoever chose it shall see the name that others see.
"""

from __future__ import annotations

import unicodedata

import regex
from disarm import grapheme_width

from livecommerce.intake.errors import CommentNotText, CommentTooLong, NameRefused
from livecommerce.intake.reserved import looks_like_a_guest

NAME_CHARACTERS_MAX = 160  # code points: a family has seven, and one more joins it to nothing
NAME_LENGTH_MAX = 20  # graphemes; a name stands before every line, on a phone beside the picture
WIDTH_PER_GRAPHEME_MAX = 2  # columns, as an ideograph has: no text is drawn wider than one of ideographs
MARKS_MAX = 4  # on one letter, UTS #39 section 5.4; no language needs more, and a pile covers the lines around it
# Text is looked at character by character: what is this many times too long is refused before that.
TOO_LONG_TIMES = 4
# Unicode general categories: control, surrogate, private use, unassigned.
NO_TEXT = frozenset(("Cc", "Cs", "Co", "Cn"))
# One glyph as wide as a sentence, which fonts have and tables of widths do not.
VERY_WIDE = regex.compile("[\ufdfa\ufdfb\ufdfd\U00012031\U0001242b\U00012219\u0bf5\ua9c5]")
VERY_WIDE_COLUMNS = 8
# Drawn as nothing: default ignorable (zero width, fillers, tags, variation selectors), spaces, and blanks that are
# letters or symbols by their category (braille, music, hieroglyphs, the place of an object).
BLANK = regex.compile("[\\p{DI}\\p{Z}\\p{C}\u2800\ufffc\U0001d159\U00013441\U00013442]")
# UTS #51: what of default ignorable characters belongs to an emoji, a flag of a region, a keycap.
_EMOJI = (
    r"(?:\U0001F3F4[\U000E0030-\U000E0039\U000E0061-\U000E007A]{2,6}\U000E007F"
    r"|[0-9#*]\uFE0F\u20E3"
    r"|\p{Extended_Pictographic}(?:\uFE0F|\uFE0E|\p{Emoji_Modifier})?"
    r"(?:\u200D\p{Extended_Pictographic}(?:\uFE0F|\p{Emoji_Modifier})?){0,7})"
)
# UAX #31 section 2.3: joiners within Arabic words and after a virama; a variation selector after an ideograph.
_JOINED = (
    r"(?<=\p{Script=Arabic})\u200C(?=\p{Script=Arabic})|(?<=\p{ccc=Virama})[\u200C\u200D]"
    r"|(?<=\p{Han})[\uFE00-\uFE02\U000E0100-\U000E01EF]"
)
_KEPT_OR_HIDDEN = regex.compile(rf"({_EMOJI}|{_JOINED})|(\p{{DI}}|\p{{Cf}})")
# Most lines: each of these characters is one grapheme, drawn, and at most as wide as an ideograph.
_PLAIN = regex.compile(
    r"[\n\t\x20-\x7e\u3001-\u3029\u3030-\u3098\u309b-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff01-\uff5e]*"
)
_GRAPHEME = regex.compile(r"\X")
_MARKS = regex.compile(r"[\p{Mn}\p{Me}]")


def graphemes(text: str) -> list[str]:
    """What a person counts as one character each (UAX #29)."""
    return _GRAPHEME.findall(text)


def drawn_width(text: str) -> int:
    """Columns of a fixed-width font, an ideograph having two."""
    return sum(grapheme_width(one) for one in graphemes(text)) + VERY_WIDE_COLUMNS * len(VERY_WIDE.findall(text))


def without_hidden(text: str) -> str:
    """Without format characters, but for those that emoji and scripts need where they stand."""
    return _KEPT_OR_HIDDEN.sub(lambda found: found[1] or "", text)


def is_blank(text: str) -> bool:
    """Whether nothing of it is drawn, but for marks without a letter."""
    return all(unicodedata.category(char) in ("Mn", "Me") for char in BLANK.sub("", text))


def with_few_marks(text: str) -> str:
    """Each letter with at most MARKS_MAX marks, and none of them twice; unchanged where that is so."""
    if not _MARKS.search(text):
        return text
    decomposed = unicodedata.normalize("NFD", text)
    fit = _GRAPHEME.sub(lambda found: _few_marks(found[0]), decomposed)
    return text if fit == decomposed else unicodedata.normalize("NFC", fit)


def _few_marks(grapheme: str) -> str:
    kept: list[str] = []
    marks: set[str] = set()
    for char in grapheme:
        if not _MARKS.match(char) or BLANK.match(char):
            kept.append(char)
        elif char not in marks and len(marks) < MARKS_MAX:
            marks.add(char)
            kept.append(char)
    return "".join(kept)


def checked_text(text: object, length_max: int) -> str:
    """A comment's text, trimmed and made fit; `length_max` in graphemes.

    Raises:
        CommentNotText, CommentTooLong.
    """
    if not isinstance(text, str):
        raise CommentNotText()
    too_long = CommentTooLong(f"A comment has at most {length_max} characters.")
    if len(text) > TOO_LONG_TIMES * length_max:
        raise too_long
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise CommentNotText("A comment has at least one character.")
    if _PLAIN.fullmatch(text):
        if len(text) > length_max:
            raise too_long
        return text
    if any(char not in "\n\t" and unicodedata.category(char) in NO_TEXT for char in text):
        raise CommentNotText()
    text = with_few_marks(without_hidden(text)).strip()
    if is_blank(text):
        raise CommentNotText("A comment has at least one character that can be seen.")
    if len(graphemes(text)) > length_max or drawn_width(text) > WIDTH_PER_GRAPHEME_MAX * length_max:
        raise too_long
    return text


def checked_name(name: object) -> str:
    """A chosen name, trimmed and composed (NFC). Emoji, flags and their families are as good as letters.

    Raises:
        NameRefused: `details["why"]` is `length`, `hidden`, `marks` or `guest`.
    """
    if not isinstance(name, str) or len(name) > NAME_CHARACTERS_MAX:
        raise NameRefused(why="length")
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if any(unicodedata.category(char) in NO_TEXT for char in name) or without_hidden(name) != name:
        raise NameRefused("A name has no invisible characters.", why="hidden")
    if is_blank(name):
        raise NameRefused("A name has at least one character that can be seen.", why="hidden")
    if with_few_marks(name) != name:
        raise NameRefused(f"A letter of a name has at most {MARKS_MAX} marks.", why="marks")
    if len(graphemes(name)) > NAME_LENGTH_MAX or drawn_width(name) > WIDTH_PER_GRAPHEME_MAX * NAME_LENGTH_MAX:
        raise NameRefused(why="length")
    if looks_like_a_guest(name):
        raise NameRefused("Names of this form are those of guests.", why="guest")
    return name
