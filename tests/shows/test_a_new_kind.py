"""A stranger adds a kind with two files and one test: done here with the template, in a copy of the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "examples/kind"
NAME = "goal"
PAGE = f"""
import {{ readdirSync }} from "node:fs";
import {{ apply }} from "./web/shared/state.js";
import {{ partsOf, wordsOf }} from "./web/shared/kinds.js";
for (const file of readdirSync("web/shared/kinds")) await import(`./web/shared/kinds/${{file}}`);
const events = [{{ t: "goal", text: "100" }}, {{ t: "goal_reached", at: 7 }}, {{ t: "cheers", count: 3 }}];
const after = events.reduce(apply, {{}});
const parts = partsOf("watch", {{ t: (key) => wordsOf("en")[key] }});
console.log(after.goal, after.reached_ms, after.cheers, parts.find((part) => part.name === "{NAME}").title);
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What is needed of the project, with the template's three files in their places and nothing else touched."""
    ignored = shutil.ignore_patterns("__pycache__", "node_modules")
    for folder in ("livecommerce", "web", "tests/shows", "tests/api", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    for file in ("pyproject.toml", "tests/conftest.py", "tests/postgres_server.py", "tests/site.py"):
        shutil.copy(ROOT / file, tmp_path / file)
    shutil.copy(TEMPLATE / "kind.py", tmp_path / f"livecommerce/shows/kinds/{NAME}.py")
    shutil.copy(TEMPLATE / "kind.js", tmp_path / f"web/shared/kinds/{NAME}.js")
    shutil.copy(TEMPLATE / "test_kind.py", tmp_path / f"tests/shows/test_{NAME}.py")
    return tmp_path


def run(project: Path, *command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(project)}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stdout[-4_000:] + done.stderr[-4_000:]
    return done.stdout


# All that goes through the kinds there are, whichever those may be: its rights, its stories, what it declares.
TESTS = (
    f"tests/shows/test_{NAME}.py",
    "tests/shows/test_registry.py",
    "tests/shows/test_executor.py::test_only_the_owner_and_the_host_may_do_these",
    "tests/shows/test_what_is_seen.py::test_every_kind_has_a_row_for_each_event_or_a_test_of_its_own",
    "tests/shows/test_stories.py::test_every_command_has_a_story",
    f"tests/shows/test_stories.py::test_snapshot_and_events_give_the_next_snapshot[{NAME}]",
    f"tests/shows/test_stories.py::test_snapshot_and_events_give_the_next_snapshot[reach_{NAME}]",
    f"tests/shows/test_stories.py::test_undo_brings_the_state_back[{NAME}]",
    "tests/api/test_rights_matrix.py::test_who_may_give_which_command",
    "tests/api/test_openapi.py",
    "tests/api/test_who_may.py",
)


def test_its_commands_events_stories_and_rights_work(project: Path) -> None:
    told = run(project, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS)
    assert re.search(r"\b\d+ passed", told), told


def test_pages_load_it_and_its_reducer_runs(project: Path) -> None:
    node = shutil.which("node")
    assert node, "This test needs Node: apt-get install nodejs, or https://nodejs.org"
    (project / "page.mjs").write_text(PAGE, "utf-8")
    assert run(project, node, "page.mjs").split() == ["100", "7", "3", "Goal"]
    code = (
        "from pathlib import Path\n"
        "from livecommerce.api.web_folder import WebFolder\n"
        "print(WebFolder.of(Path('web'), 'en').templates.globals['kinds'])\n"
    )
    assert f"shared/kinds/{NAME}.js" in run(project, sys.executable, "-c", code)
