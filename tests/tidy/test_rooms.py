"""Imports point one way, and every room says what it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tidy.sources import PACKAGE, python_files, short, tree_of

ROOMS = frozenset({"ops", "records", "shows", "orders", "media", "realtime", "api"})
DOORS = frozenset(
    (
        "cli", "app", "roles", "staff", "doctor", "configuration", "stock_command", "shop_command", "backup", "demo",
        "__main__",
    )
)  # fmt: skip
BASE = frozenset({"settings", "errors", ""})  # "" is livecommerce itself (its version)
NOUNS = frozenset({"stock", "comments", "catalog", "accounts"})

# Who may import whom. What is not in a row is a breach; docs/architecture.md has the picture.
MAY_IMPORT: dict[str, frozenset[str]] = {
    "settings": frozenset(),
    "errors": frozenset(),
    "": frozenset(),
    "ops": BASE,
    "records": BASE,
    "stock": BASE,
    "comments": BASE,
    "catalog": BASE | {"records"},
    "accounts": BASE | {"records"},
    "shows": BASE | NOUNS,
    "orders": BASE | NOUNS | {"ops", "records"},
    "media": BASE | {"shows"},
    "realtime": BASE | NOUNS | {"ops", "shows", "orders"},
    "api": BASE | NOUNS | {"ops", "shows", "orders", "records", "media", "realtime"},
    **dict.fromkeys(DOORS, BASE | NOUNS | DOORS | ROOMS),
}
LINES_OF_A_ROOM = 3  # what comes in, what goes out, what it may not do


def room_of(module: str) -> str:
    """`livecommerce.stock.engine` → `stock`."""
    return module.split(".")[1] if "." in module else ""


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """(imported livecommerce module, line), relative imports made absolute; imports inside functions count too."""
    package = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts[:-1])
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((name.name, node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, base] if base else parents)
            if base == "livecommerce":
                yield from ((f"livecommerce.{name.name}", node.lineno) for name in node.names)
            else:
                yield base, node.lineno


def package_files() -> list[Path]:
    return [path for path in python_files() if path.is_relative_to(PACKAGE)]


@pytest.mark.parametrize("path", package_files(), ids=short)
def test_imports_point_one_way(path: Path) -> None:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    room = "" if parts == ("__init__",) else parts[0]
    assert room in MAY_IMPORT, f"{room} is a new room: give it a row in this table and in docs/architecture.md"
    for module, line in imports(path):
        if module.split(".")[0] != "livecommerce":
            continue
        other = room_of(module)
        if other in ("__version__", room):
            continue
        assert other in MAY_IMPORT[room], f"{short(path)}:{line}: {room} may not import {module}"


@pytest.mark.parametrize("path", [path for path in package_files() if path.name == "__init__.py"], ids=short)
def test_every_room_says_what_it_is(path: Path) -> None:
    docstring = ast.get_docstring(tree_of(path))
    assert docstring, f"{short(path)} has no docstring"
    is_room = path.parent.parent == PACKAGE
    if is_room:
        lines = [line for line in docstring.splitlines() if line.strip()]
        assert len(lines) >= LINES_OF_A_ROOM, f"{short(path)}: say what comes in, what goes out, what it may not do"
        assert "may not" in docstring.lower() or "never" in docstring.lower(), f"{short(path)}: what may it not do?"


def test_every_room_of_the_package_is_a_package() -> None:
    folders = {path.relative_to(PACKAGE).parts[0] for path in package_files() if path.parent != PACKAGE}
    for folder in folders:
        assert (PACKAGE / folder / "__init__.py").is_file(), f"livecommerce/{folder} has no __init__.py"
