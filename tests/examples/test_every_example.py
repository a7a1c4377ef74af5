"""No example without a test that runs it, and none that the list leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tidy.sources import ROOT, project_files, short

# a template of a kind of show event is copied and run by tests/shows
PROGRAMS = [
    path.relative_to(ROOT / "examples")
    for path in project_files()
    if path.is_relative_to(ROOT / "examples") and path.suffix == ".py" and path.parent.name != "kind"
]


@pytest.mark.parametrize("path", PROGRAMS, ids=str)
def test_it_is_run_and_listed(path: Path) -> None:
    tests = "\n".join(one.read_text("utf-8") for one in project_files() if short(one).startswith("tests/examples/"))
    module = ".".join(path.with_suffix("").parts)
    assert f'"{path.as_posix()}"' in tests or f"examples.{module} " in tests
    assert f"({path.as_posix()})" in (ROOT / "examples/README.md").read_text("utf-8")
