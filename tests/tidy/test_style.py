"""The rules of the house that a machine can check."""

from __future__ import annotations

import ast
import getpass
import re
import socket
import unicodedata
from pathlib import Path

import pytest

from tests.tidy.sources import ROOT, project_files, python_files, short, tree_of

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 600
PARAMETERS_MAX = 6
LINE_LENGTH_MAX = 120
NAMELESS = {"utils", "util", "helpers", "helper", "misc", "manager", "managers"}
CODE = {".py", ".js", ".css", ".lua", ".html", ".sh", ".toml", ".yaml", ".yml", ".json", ".md", ".mjs"}
OURS = [
    path
    for path in project_files()
    if path.suffix in CODE
    and "vendor" not in path.parts
    and path.suffix != ".lock"
    and not path.name.startswith("openapi")
]
LONG_FILES_ALLOWED = {".md", ".json", ".yaml", ".yml"}  # documents and data


# a migration is a list of tables in the order they are made; cutting it up hides that
FUNCTIONS = [path for path in python_files() if "migrations" not in path.parts]


@pytest.mark.parametrize("path", FUNCTIONS, ids=short)
def test_functions_are_short(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= FUNCTION_LINES_MAX, f"{short(path)}:{node.lineno}: {node.name} has {lines} lines"


def parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """What a caller gives: neither `self` nor `cls`."""
    given = node.args
    names = [one.arg for one in (*given.posonlyargs, *given.args)]
    names = names[1:] if names[:1] in (["self"], ["cls"]) else names
    return names + [one.arg for one in (given.vararg, *given.kwonlyargs, given.kwarg) if one]


# a test has its fixtures and its table
@pytest.mark.parametrize("path", [path for path in FUNCTIONS if "tests" not in path.relative_to(ROOT).parts], ids=short)
def test_functions_are_given_few_things(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names = parameters(node)
            assert len(names) <= PARAMETERS_MAX, f"{short(path)}:{node.lineno}: {node.name} has {', '.join(names)}"


@pytest.mark.parametrize("path", [path for path in OURS if path.suffix not in LONG_FILES_ALLOWED], ids=short)
def test_files_are_short_and_named_for_what_they_hold(path: Path) -> None:
    lines = path.read_text("utf-8").count("\n")
    assert lines <= FILE_LINES_MAX, f"{short(path)} has {lines} lines"
    assert path.stem not in NAMELESS, f"{short(path)}: name it for what it holds"


def columns(line: str) -> int:
    """What a terminal needs for it: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)


@pytest.mark.parametrize("path", [path for path in OURS if path.suffix == ".md"], ids=short)
def test_lines_of_pages_fit_a_screen(path: Path) -> None:
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        assert columns(line) <= LINE_LENGTH_MAX, f"{short(path)}:{number}: {columns(line)} columns"


@pytest.mark.parametrize("path", OURS, ids=short)
def test_nothing_is_left_for_later(path: Path) -> None:
    if path == Path(__file__):
        return
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        assert not re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line), f"{short(path)}:{number}: {line.strip()}"


def machine_words() -> list[str]:
    """What would betray the machine this was written on, or tie the project to it."""
    words = [str(ROOT), str(Path.home())]
    # a container's user `root` and host `localhost` are words of the language, not of this machine
    words += [word for word in (socket.gethostname(), getpass.getuser()) if len(word) > 4 and word not in COMMON_WORDS]
    return [word for word in words if len(word) > 5 and word not in COMMON_WORDS]


COMMON_WORDS = {"localhost", "/root", "ubuntu", "debian", "runner", "builder"}
REGISTRY_OPTIONS = re.compile(r"--(?:extra-)?index-url|--find-links|--trusted-host|index-url\s*=")


@pytest.mark.parametrize("path", [path for path in project_files() if path.suffix in CODE | {".lock", ""}], ids=short)
def test_nothing_names_the_machine_or_its_registry(path: Path) -> None:
    if path == Path(__file__):
        return
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        return
    for word in machine_words():
        assert word not in text, f"{short(path)} names {word}"
    if path.suffix == ".lock":
        assert not REGISTRY_OPTIONS.search(text), f"{short(path)} is tied to one registry"


@pytest.mark.parametrize("path", python_files(), ids=short)
def test_no_test_is_skipped(path: Path) -> None:
    if "tests" not in path.relative_to(ROOT).parts or path == Path(__file__):
        return
    text = path.read_text("utf-8")
    assert not re.search(r"mark\.skip|pytest\.skip\(|mark\.xfail|importorskip", text), f"{short(path)} skips"


def tracebacks_outside_loops(tree: ast.Module) -> list[int]:
    """Lines of `log.exception` that are in no `while` of their function: told as often as the function is called."""
    found: list[int] = []

    def walk(node: ast.AST, is_in_loop: bool) -> None:
        for child in ast.iter_child_nodes(node):
            function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            walk(child, not function and (is_in_loop or isinstance(child, ast.While)))
            is_told = isinstance(child, ast.Call) and ast.unparse(child.func) in ("log.exception", "logger.exception")
            if is_told and not is_in_loop:
                found.append(child.lineno)

    walk(tree, False)
    return found


# Where what a stranger sends is handled. A loop of ours has a pace of its own; a handler has the stranger's.
AT_THE_DOORS = ("api", "http", "intake", "realtime", "shows", "accounts", "catalogue", "orders", "replay")
DOORS = [
    path
    for path in python_files()
    if path.relative_to(ROOT).parts[:2] in {("livecommerce", room) for room in AT_THE_DOORS}
    or short(path) in ("livecommerce/media/routes.py", "livecommerce/media/transport/mux.py")
]


@pytest.mark.parametrize("path", DOORS, ids=short)
def test_nobody_writes_a_traceback_for_each_message_of_a_stranger(path: Path) -> None:
    """13,000 in twelve seconds, 0.6 MB of log a second: `warn_seldom(…, exc_info=True)` tells of the first one."""
    lines = tracebacks_outside_loops(tree_of(path))
    assert lines == [], f"{short(path)}:{lines}: log.exception outside a loop"


def test_the_rule_for_tracebacks_finds_them() -> None:
    told = "def handle():\n    log.exception('x')\n"
    looped = "def run():\n    while True:\n        log.exception('x')\n"
    nested = "def run():\n    while True:\n        def handle():\n            log.exception('x')\n"
    assert [tracebacks_outside_loops(ast.parse(one)) for one in (told, looped, nested)] == [[2], [], [4]]
