"""What people may write: the text of a comment, a chosen name. Pure."""

from __future__ import annotations

import unicodedata

from livecommerce.intake.errors import CommentNotText, CommentTooLong, NameRefused

NAME_LENGTH_MAX = 20  # a name stands before every line, on a phone beside the picture
# Text is looked at character by character: what is this many times too long is refused before that.
TOO_LONG_TIMES = 4
# Unicode general categories: control, surrogate, private use, unassigned. Comments keep format characters (`Cf`): the
# joiners of emoji are among them. Names do not, for invisible ones make two names look alike.
NO_TEXT = frozenset(("Cc", "Cs", "Co", "Cn"))
NO_NAME = NO_TEXT | {"Cf"}


def checked_text(text: object, length_max: int) -> str:
    """A comment's text, trimmed.

    Raises:
        CommentNotText, CommentTooLong.
    """
    if not isinstance(text, str):
        raise CommentNotText()
    if len(text) > TOO_LONG_TIMES * length_max:
        raise CommentTooLong(f"A comment has at most {length_max} characters.")
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise CommentNotText("A comment has at least one character.")
    if len(text) > length_max:
        raise CommentTooLong(f"A comment has at most {length_max} characters.")
    if any(char not in "\n\t" and unicodedata.category(char) in NO_TEXT for char in text):
        raise CommentNotText()
    return text


def checked_name(name: object) -> str:
    """A chosen name, trimmed, without control or invisible characters.

    Raises:
        NameRefused.
    """
    if not isinstance(name, str) or len(name) > TOO_LONG_TIMES * NAME_LENGTH_MAX:
        raise NameRefused()
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if not 1 <= len(name) <= NAME_LENGTH_MAX:
        raise NameRefused()
    if any(unicodedata.category(char) in NO_NAME for char in name):
        raise NameRefused()
    return name
