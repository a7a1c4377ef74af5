"""What a kind's own test declares of its commands. The folder is read, as `livecommerce/shows/kinds/` is: nothing else
names a new kind.

`STORIES`: {command of staff: what happens before, then the command}. `WITHOUT_UNDO`: those that cannot be taken back.
`RIGHTS`: {command: who may give it}, by the names of `WHO`.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

Stories = dict[str, list[dict[str, Any]]]

FOLDER = Path(__file__).parent
# As cells of tests/api/rights.tsv, which says what the numbers are.
WHO = {
    "viewers": ["–", "yes", "2011", "1003", "1003", "1003", "–", "–"],
    "staff": ["–", "2000", "2011", "yes", "yes", "yes", "–", "–"],
    "host": ["–", "2000", "2011", "2030", "yes", "yes", "–", "–"],
}

STORIES: Stories = {}
WITHOUT_UNDO: set[str] = set()
RIGHTS: dict[str, list[str]] = {}

for _file in sorted(FOLDER.glob("test_*.py")):
    if _file.stem != "test_stories" and "\nSTORIES" in _file.read_text("utf-8"):
        _of_kind = import_module(f"tests.shows.{_file.stem}")
        STORIES |= _of_kind.STORIES
        WITHOUT_UNDO |= set(getattr(_of_kind, "WITHOUT_UNDO", ()))
        RIGHTS |= {command: WHO[who] for command, who in _of_kind.RIGHTS.items()}
