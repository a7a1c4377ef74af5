"""One spelling for what looks the same: width, case, composition, look-alike signs, local digits, Chinese variants.

Folding only maps what the contract names. What merely resembles a Latin letter or a digit (Cyrillic А, ①, keycaps,
superscripts) and what cannot be seen (zero-width, bidi) is *reported* by `suspects`, so that the parser can refuse it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from livecommerce.comments.hanzi import TO_SIMPLIFIED

_INVISIBLE: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u200b\u200c\u200d\u200e\u200f"
    "\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\u206a\u206b\u206c\u206d"
    "\u206e\u206f\u3164\ufe00\ufe01\ufe02\ufe03\ufe04\ufe05\ufe06\ufe07\ufe08\ufe09\ufe0a\ufe0b\ufe0c\ufe0d\ufe0e\ufe0f"
    "\ufeff\uffa0\ufff9\ufffa\ufffb"
    # masking.py writes its marks with these; from a viewer they have no shape of their own
    "\ue000\ue001\ue002\ue003\ue004\ue005\ue006\ue007\ue008\ue009\ue00a\ue00b\ue00c\ue00d\ue00e\ue00f"
)
_LATIN_TWINS: Final = {
    # Cyrillic and Greek letters that most typefaces draw as these Latin ones.
    **dict(zip("АВЕКМНОРСТУХЅІЈԚԜѴ", "abekmhopctyxsijqwv", strict=True)),
    **dict(zip("аеорсухѕіјԛԝѵһԁ", "aeopcyxsijqwvhd", strict=True)),
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "abezhikmnoptyx", strict=True)),
    **dict(zip("αονικρτυχ", "aovikptux", strict=True)),
    "\u212a": "k",
    "ſ": "s",
    "ı": "i",
    "\u2044": "/",
}


def _compatible_twins() -> dict[str, str]:
    """Characters that Unicode calls compatible with ASCII letters, digits and signs; full width is folded instead."""
    twins: dict[str, str] = {}
    blocks = ((0xB2, 0xBA), (0x2070, 0x209C), (0x2100, 0x214F), (0x2160, 0x2188), (0x2460, 0x24FF), (0x2776, 0x2793))
    wide = ((0x3200, 0x32FF), (0x1D400, 0x1D7FF), (0x1F100, 0x1F16F), (0x1FBF0, 0x1FBF9))
    for first, last in blocks + wide:
        for point in range(first, last + 1):
            plain = unicodedata.normalize("NFKC", chr(point))
            if plain != chr(point) and re.fullmatch(r"[0-9A-Za-z+\-()]{1,5}", plain):
                twins[chr(point)] = plain.strip("()").lower()
    for point in range(0x2776, 0x2794):  # dingbat digits have no compatible form
        twins[chr(point)] = str((point - 0x2776) % 10 + 1)
    for index in range(26):  # negative squared letters
        twins[chr(0x1F170 + index)] = chr(97 + index)
    twins["⓿"] = "0"
    return twins


def _foreign_digits() -> dict[str, str]:
    """Digits of scripts that no pack folds (Thai and Lao are folded)."""
    twins: dict[str, str] = {}
    for zero in (0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0x1040, 0x17E0):
        for digit in range(10):
            twins[chr(zero + digit)] = str(digit)
    return twins


_TWINS: Final[dict[str, str]] = {**_LATIN_TWINS, **_compatible_twins(), **_foreign_digits()}
_TWIN_TABLE: Final = str.maketrans(_TWINS)
_INVISIBLE_TABLE: Final = str.maketrans(dict.fromkeys(_INVISIBLE, ""))
_SUSPECT: Final = frozenset(_TWINS) | frozenset(_INVISIBLE) | {"\u20e3"}
_HIDDEN: Final = frozenset(_INVISIBLE)
_KEYCAP: Final = re.compile("[0-9#*]\ufe0f?\u20e3")
_OVERRIDE: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_TOUCHING: Final = re.compile(f"[^\\s]([{_INVISIBLE}]+)(?=[^\\s{_INVISIBLE}])")
_JOINED: Final = re.compile(f"(?<=[0-9A-Za-z])(?=[{''.join(_TWINS)}](?![0-9A-Za-z]))")
_PLAIN_SIGN: Final = re.compile("[0-9A-Za-z+\\-*.０-９Ａ-Ｚａ-ｚ＋－]")
_BLANKS: Final = re.compile(" {2,}")
_BLANK_SIGNS: Final = "\t\r\f\v\u00a0\u1680\u2028\u2029\u202f\u205f\u3000\x1c\x1d\x1e\x1f\x85" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_STRETCHABLE: Final = frozenset("ะาๆอ\u0e4d")
_STRETCHED_THAI: Final = re.compile("([ะาๆอ])\\1+")


def _table() -> dict[int, str | int | None]:
    table: dict[int, str | int | None] = dict(TO_SIMPLIFIED)
    for point in range(0xFF01, 0xFF5F):
        table[point] = chr(point - 0xFEE0).lower()
    for sign in _BLANK_SIGNS:
        table[ord(sign)] = " "
    for zero in (0x0E50, 0x0ED0):  # Thai, Lao
        for digit in range(10):
            table[zero + digit] = str(digit)
    for signs, plain in (
        ("➕﹢", "+"),
        ("−﹣➖", "-"),
        ("×✕✖⨯﹡∗", "*"),
        ("’‘ʼ＇`´", "'"),
        ("？﹖❓❔⁇⁈⁉؟", "?"),
        ("～〜∼", "~"),
        ("，﹐", ","),
        ("；﹔", ";"),
        ("：﹕", ":"),
        ("！❗❕‼", "!"),
        ('“”„«»「」『』【】〔〕《》〈〉()（）[]［］{}｛｝"＂', " "),
    ):
        for sign in signs:
            table[ord(sign)] = plain
    return table


_FOLD: Final = _table()


def _once(text: str) -> str:
    if text.isascii():
        return text.lower().translate(_FOLD)
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    return text.translate(_FOLD).lower()


def fold(text: str) -> str:
    """Fold width, case, composition, signs, digits and Chinese variants; blanks become single spaces, lines stay.

    Idempotent: `fold(fold(text)) == fold(text)`. Invisible and look-alike characters stay as they are.
    """
    folded = _once(text)
    if not folded.isascii():
        # A full-width letter before a combining accent folds to a pair that composes. Three rounds settle all cases
        # of today's Unicode; the property test would show a fourth.
        for _ in range(3):
            if unicodedata.is_normalized("NFC", folded):
                break
            folded = _once(folded)
        if not _STRETCHABLE.isdisjoint(folded):
            folded = _STRETCHED_THAI.sub(r"\1", folded.replace("\u0e4d\u0e32", "\u0e33"))
    if "  " in folded:
        folded = _BLANKS.sub(" ", folded)
    return folded.strip()


def fold_for_match(text: str) -> str:
    """Fold for blocked words: as `fold`, and look-alikes become what they imitate, invisible characters go.

    Idempotent. Meant for comparing only: it maps more than an order may rely on.
    """
    for _ in range(4):  # unmasking and folding feed each other at most as deep as fold's own rounds
        plain = fold(unmask(text))
        if plain == text:
            break
        text = plain
    return text


def parted(text: str) -> str:
    """The text with a blank before every look-alike that ends a run of letters and digits: "A12①件" to "A12 ①件"."""
    return _JOINED.sub(" ", text)


def unmask(text: str) -> str:
    """Look-alikes replaced by what they imitate, invisible characters and keycap frames removed."""
    return text.translate(_TWIN_TABLE).translate(_INVISIBLE_TABLE).replace("\u20e3", "")


def suspects(text: str) -> bool:
    """Whether the text has characters that imitate letters or digits, or hide inside a code or number.

    Joiners inside emoji, between words, or at the ends of the comment are harmless and do not count.
    """
    if text.isascii() or _SUSPECT.isdisjoint(text):
        return False
    if _KEYCAP.search(text) or _OVERRIDE.search(text):
        return True
    if not _TWINS.keys().isdisjoint(text):
        return True
    for match in _TOUCHING.finditer(text):
        if _PLAIN_SIGN.match(text[match.start()]) and _PLAIN_SIGN.match(text[match.end()]):
            return True
    return False


def visible(text: str) -> str:
    """The text without invisible characters; a joiner inside a word simply vanishes."""
    return text if _HIDDEN.isdisjoint(text) else text.translate(_INVISIBLE_TABLE)
