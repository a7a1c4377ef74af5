"""The notation of the case tables, so that a case reads on one line.

Columns, separated by tabs: text (\\n is a line break), catalogue, pinned code or "-", answers separated by "|".
An answer is a verdict word, or intents separated by blanks: `A01(紅色,M)*2` reserve, `!A12` cancel (`!_` the latest),
`A12-1` reduce, `A12=3` set, `A01(紅色)>A01(黑色)` swap.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from livecommerce.comments import Cancel, Intent, Reduce, Reserve, SetQuantity, Swap, Verdict

HERE = Path(__file__).parent


class Case(NamedTuple):
    """One line of a table."""

    text: str
    packs: tuple[str, ...]
    catalog: str
    pinned: str | None
    answers: tuple[str, ...]


def cases(path: Path) -> Iterator[Case]:
    """The cases of a table; its file name gives the packs ("zh-TW+en.tsv")."""
    packs = tuple(path.stem.split("+"))
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line and not line.startswith("# "):
            text, catalog, pinned, answers = line.split("\t")
            yield Case(
                text.replace("\\n", "\n"), packs, catalog, None if pinned == "-" else pinned, tuple(answers.split("|"))
            )


def _thing(code: str, options: tuple[str, ...]) -> str:
    return f"{code}({','.join(options)})" if options else code


def _written(intent: Intent) -> str:
    match intent:
        case Reserve(code, options, qty):
            return f"{_thing(code, options)}*{qty}"
        case Cancel(code, options):
            return "!" + _thing(code or "_", options)
        case Reduce(code, options, qty):
            return f"{_thing(code, options)}-{qty}"
        case SetQuantity(code, options, qty):
            return f"{_thing(code, options)}={qty}"
        case Swap(code, options, to_code, to_options):
            return f"{_thing(code, options)}>{_thing(to_code, to_options)}"


def written(verdict: Verdict) -> str:
    """A verdict in the notation of the tables."""
    return " ".join(map(_written, verdict.intents)) if verdict.intents else verdict.verdict


def same(answer: str) -> str:
    """An answer with the empty brackets of `A01()>A02()` left out."""
    return re.sub(r"\(\)", "", answer)
