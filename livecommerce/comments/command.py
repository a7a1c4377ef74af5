"""`livecommerce parse`: comments in as JSON lines, verdicts out as JSON lines; or a score over a file of cases."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from livecommerce.comments import scoring
from livecommerce.comments.catalogue import CatalogueIndex
from livecommerce.comments.parser import parse as read_comment
from livecommerce.errors import BadInput

_BAD_LINE: Final = json.dumps({"verdict": "none", "intents": [], "reason": "bad_input"})


def parse_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--catalogs", type=Path, metavar="FILE", help="JSON file: catalogue name -> list of items")
    parser.add_argument(
        "--score", type=Path, metavar="CASES", help="JSON lines with the right answers; prints accuracy and failures"
    )


def parse(arguments: argparse.Namespace) -> int:
    """Read comments as orders: JSON lines in, JSON lines out; or score the parser on a file of cases.

    Exit code 0 when done, 1 when a scored case fails, 2 when a file cannot be used.
    """
    path = arguments.catalogs
    if path is None and arguments.score is not None:
        path = arguments.score.parent / "catalogs.json"
    if path is None:
        print("livecommerce parse: give --catalogs FILE", file=sys.stderr)
        return 2
    try:
        catalogs = scoring.indexes(json.loads(path.read_text(encoding="utf-8")))
        if arguments.score is not None:
            lines = arguments.score.read_text(encoding="utf-8").split("\n")
            score = scoring.score((json.loads(line) for line in lines if line.strip()), catalogs)
            print(score.report())
            return 1 if score.failures else 0
    except (OSError, ValueError, KeyError, TypeError, AttributeError, BadInput) as problem:
        print(f"livecommerce parse: cannot use {path}: {problem!r}", file=sys.stderr)
        return 2
    return _serve(catalogs)


def _serve(catalogs: dict[str, CatalogueIndex]) -> int:
    """One answer a line, in order, flushed at once so that a pipe may ask and wait."""
    out = sys.stdout.buffer
    for line in sys.stdin.buffer:
        try:
            reply = _reply(json.loads(line), catalogs)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, BadInput):
            reply = _BAD_LINE
        try:
            out.write(reply.encode("utf-8", "backslashreplace") + b"\n")
            out.flush()
        except BrokenPipeError:
            return 0
    return 0


def _reply(request: dict[str, Any], catalogs: dict[str, CatalogueIndex]) -> str:
    text, packs, pinned = request["text"], request["packs"], request.get("pinned")
    if not isinstance(text, str) or not isinstance(packs, list) or not (pinned is None or isinstance(pinned, str)):
        return _BAD_LINE
    verdict = read_comment(text, catalogs[request["catalog"]], packs, pinned)
    return json.dumps(scoring.answer(verdict), ensure_ascii=False)
