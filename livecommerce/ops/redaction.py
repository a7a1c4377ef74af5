"""Takes secrets and phone numbers out of anything that goes to a log.

Two rules, both applied to every entry: a value under a name that sounds like a secret is replaced whole, and in all
other text the shapes of secrets (bearer tokens, our cookies, `password=…`, user:password in URLs, ICE passwords) and
of phone numbers (Taiwan, Thailand, Vietnam, the Philippines; local, +code, spaced, dashed, full-width digits) are.
A false alarm costs a few characters of a log line, a miss costs a customer; so the patterns lean to alarms.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

HIDDEN = "[hidden]"
PHONE = "[phone]"

DEPTH_MAX = 6  # nested maps in an entry; deeper ones are printed as a type name, a log is no place for a tree
TEXT_LENGTH_MAX = 16_000  # characters of one value: a traceback fits, a posted body does not

_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)?$|pwd|secret|token|cookie|authori[sz]ation|credential|api_?key|private_?key|session_id|"
    r"signature|\bphone|mobile|telephone|ice_pwd|otp$",
    re.IGNORECASE,
)

_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    # Authorization: Bearer abc / Basic abc, wherever it stands
    (re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{4,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    # Cookie: a=b; c=d up to the end of the line
    (re.compile(r"\b((?:set-)?cookie['\"]?\s*[:=]\s*)[^\r\n]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    # our own cookies by name, also inside other text
    (re.compile(r"\b(lc_[a-z]+)=[^\s;,'\"]+", re.IGNORECASE), rf"\1={HIDDEN}"),
    # password=…, "token": "…", secret: …
    (
        re.compile(
            r"((?:pass(?:word|wd|phrase)|pwd|secret|token|authorization|api_?key|credential)['\"]?\s*[:=]\s*)"
            r"(\"[^\"]*\"|'[^']*'|(?!\[hidden\])[^\s,;&'\"}]+)",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    # scheme://user:password@host, up to the last @: people write @ and / in passwords as they are
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s]+@", re.IGNORECASE), rf"\1{HIDDEN}@"),
    (re.compile(r"(a=ice-pwd:)\S+"), rf"\1{HIDDEN}"),
)

# Between the digits of a phone number people put one of these; more than one at a time is not a number any more.
_GAP = r"[\s.\-‐-―()/]{0,2}"


def _digits(count: int) -> str:
    return rf"(?:{_GAP}\d){{{count}}}"


# (?<![\d-]) and (?!\d): a run of more digits (a Unix time, a stream id, an order number) is no phone number.
_PHONES = re.compile(
    r"(?<![\d.])(?:"
    # international: +886, +66, +84, +63 (also 00886… and without the plus after a word such as "tel")
    rf"(?:\+|00)\s?(?:886|66|84|63){_GAP}\(?0?\)?{_digits(8)}(?:{_GAP}\d){{0,2}}"
    # Taiwan mobile 09xx xxx xxx; the Philippines 09xx xxx xxxx
    rf"|09{_digits(8)}(?:{_GAP}\d)?"
    # Thailand mobile 06/08/09 + 8; Vietnam mobile 03/05/07/08/09 + 8
    rf"|0[35678]{_digits(8)}"
    # without any prefix, as +886 numbers are often stored: 8869xxxxxxxx, 669xxxxxxxx, 849xxxxxxxx, 639xxxxxxxxx
    rf"|(?:8869{_digits(8)}|66[689]{_digits(8)}|84[35789]{_digits(8)}|639{_digits(9)})"
    r")(?!\d)"
)

_NARROW_DIGITS = str.maketrans("０１２３４５６７８９＋－　", "0123456789+- ")
_WIDE = re.compile("[０-９]")


def redact_text(text: str) -> str:
    """`text` with secrets and phone numbers replaced; at most TEXT_LENGTH_MAX characters."""
    if len(text) > TEXT_LENGTH_MAX:
        text = text[:TEXT_LENGTH_MAX] + "…"
    if _WIDE.search(text):
        text = text.translate(_NARROW_DIGITS)
    for pattern, replacement in _SHAPES:
        text = pattern.sub(replacement, text)
    return _PHONES.sub(PHONE, text)


def redact_url(url: str) -> str:
    """As `redact_text`, for an address as somebody typed it: whatever stands in its password, blanks too."""
    scheme, separator, rest = url.partition("://")
    user, at, host = rest.rpartition("@")
    if not separator or not at:
        return redact_text(url)
    name, colon, _ = user.partition(":")
    return redact_text(f"{scheme}://{name}{colon}{HIDDEN if colon else ''}@{host}")


def secret_name(name: str) -> bool:
    """True when a value under this name is never printed."""
    return _SECRET_NAME.search(name) is not None


def redact(value: Any, depth: int = 0) -> Any:
    """`value` for a log: texts cleaned, maps and lists followed, numbers as they are, anything else by its repr."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return redact_text(value)
    if depth >= DEPTH_MAX:
        return f"<{type(value).__name__}>"
    if isinstance(value, Mapping):
        return {
            str(key): HIDDEN if secret_name(str(key)) and item not in (None, "") else redact(item, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple, set, frozenset)):
        return [redact(item, depth + 1) for item in value]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"<{len(value)} bytes>"
    return redact_text(repr(value))


def redact_entry(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor. Stands after the traceback was made text and before the renderer."""
    for key in list(entry):
        if key.startswith("_"):  # structlog's own (the stdlib record), dropped before rendering
            continue
        value = entry[key]
        entry[key] = HIDDEN if secret_name(key) and value not in (None, "") else redact(value)
    return entry
