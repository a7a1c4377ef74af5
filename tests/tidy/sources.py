"""Where the sources are, for the tidiness tests."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "livecommerce"


@cache
def project_files() -> tuple[Path, ...]:
    """All files of the project: those in git and those about to be (not ignored)."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    return tuple(sorted(ROOT / name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()))


@cache
def python_files() -> tuple[Path, ...]:
    return tuple(path for path in project_files() if path.suffix == ".py")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), filename=str(path))


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
