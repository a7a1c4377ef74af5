"""The ids under which a waiting line is accepted, try after try, and the line that a claim made so belongs to. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LINE_LENGTH_KEPT = 54  # of the 64 an id may have; what is left is for the number of a try
_TRY = re.compile(r"(?P<line>[A-Za-z0-9_-]{1,54})-again[0-9]{1,4}")


def try_id(comment: str, tries: int) -> str:
    """Stock answers the same to an id for good, so each further try to accept a line has another."""
    return f"{comment[:_LINE_LENGTH_KEPT]}-again{tries}" if tries else comment


def line_of(identity: str, lines: Iterable[str] = ()) -> str:
    """The comment that a claim was made with. `lines`: ids that are known, for one too long to be kept whole."""
    found = _TRY.fullmatch(identity)
    if found is None:
        return identity
    line = found["line"]
    if len(line) < _LINE_LENGTH_KEPT:
        return line
    return next((known for known in lines if known.startswith(line)), line)
