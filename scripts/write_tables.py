"""Writes the lists that come from the code into the pages that show them: `python scripts/write_tables.py`."""

from __future__ import annotations

import re
from pathlib import Path

from livecommerce.configuration.reference import errors_markdown, settings_markdown

ROOT = Path(__file__).resolve().parents[1]


def write(path: Path, name: str, table: str) -> None:
    """Replaces what stands between `<!-- name: begin -->` and `<!-- name: end -->`."""
    before = path.read_text("utf-8")
    pattern = rf"(<!-- {name}: begin -->\n).*?(<!-- {name}: end -->)"
    after, count = re.subn(pattern, lambda found: f"{found[1]}{table}\n{found[2]}", before, flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"{path}: no markers for {name}")
    if after != before:
        path.write_text(after, "utf-8")
        print(f"{path.relative_to(ROOT)}: {name} written")


if __name__ == "__main__":
    write(ROOT / "README.md", "settings", settings_markdown())
    write(ROOT / "docs/errors.md", "errors", errors_markdown())
