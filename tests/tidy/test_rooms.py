"""Imports point down and are the ones written here, and every room says what it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tidy.sources import PACKAGE, python_files, short, tree_of

# From the ground up. A room may stand on those of the floors below it, and on those to its left on its own floor.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("settings", "errors", "bounds", ""),  # "" is livecommerce itself (its version)
    ("ops", "stock", "comments", "records", "http"),
    ("accounts", "catalogue"),
    ("media", "shows", "orders"),
    ("intake",),
    ("replay", "realtime"),
    ("api",),
    (
        "command_trail",
        "configuration",
        "shop_command",
        "roles",
        "doctor",
        "staff",
        "stock_command",
        "backup",
        "demo",
        "app",
        "cli",
        "__main__",
    ),
)

# What each room imports, no more and no less; docs/architecture.md has the picture.
IMPORTS: dict[str, frozenset[str]] = {
    room: frozenset("" if name == "livecommerce" else name for name in names.split())
    for room, names in {
        "settings": "",
        "errors": "",
        "bounds": "",
        "": "",
        "ops": "errors settings",
        "stock": "bounds settings",
        "comments": "errors",
        "records": "errors ops",
        "http": "bounds errors ops settings",
        "accounts": "bounds errors http ops records",
        "catalogue": "accounts bounds comments errors http ops records stock",
        "media": "accounts errors http ops records settings",
        "shows": "accounts bounds catalogue comments errors http ops records stock",
        "orders": "accounts bounds catalogue errors http ops records settings shows stock",
        "intake": "catalogue comments errors ops shows stock",
        "replay": "errors http media records shows stock",
        "realtime": "bounds comments errors http intake ops settings shows stock",
        "api": "accounts catalogue errors http livecommerce media ops replay settings shows stock",
        "command_trail": "accounts errors records",
        "configuration": "accounts catalogue errors http livecommerce media ops orders realtime records settings stock",
        "shop_command": "accounts catalogue command_trail configuration errors ops orders records settings shows",
        "roles": (
            "accounts api catalogue configuration errors http media ops orders realtime records replay "
            "settings shows stock"
        ),
        "doctor": "configuration errors media ops records roles settings stock",
        "staff": "accounts command_trail configuration errors http ops records roles settings shop_command",
        "stock_command": "command_trail configuration errors ops records staff stock",
        "backup": "accounts command_trail configuration ops records staff stock",
        "demo": "accounts configuration http media ops records roles staff stock",
        "app": "configuration ops roles staff",
        "cli": "configuration errors ops settings stock",
        "__main__": "cli",
    }.items()
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


def rooms_of_the_package() -> dict[str, list[Path]]:
    """The files of each room; a module beside the rooms is one of its own."""
    rooms: dict[str, list[Path]] = {}
    for path in package_files():
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        rooms.setdefault("" if parts == ("__init__",) else parts[0], []).append(path)
    return rooms


def imported_rooms(room: str, paths: list[Path]) -> dict[str, str]:
    """Other rooms that these files import, each with the first place where."""
    found: dict[str, str] = {}
    for path in paths:
        for module, line in imports(path):
            other = room_of(module)
            if module.split(".")[0] == "livecommerce" and other not in ("__version__", room):
                found.setdefault(other, f"{short(path)}:{line} imports {module}")
    return found


def test_every_room_has_its_floor_and_its_row() -> None:
    floors = [room for floor in FLOORS for room in floor]
    assert len(floors) == len(set(floors))
    assert set(floors) == set(IMPORTS) == set(rooms_of_the_package()), "a new room needs a floor and a row here"


@pytest.mark.parametrize("room", IMPORTS)
def test_a_room_imports_exactly_what_its_row_says(room: str) -> None:
    found = imported_rooms(room, rooms_of_the_package()[room])
    assert set(found) <= IMPORTS[room], "\n".join(found[other] for other in set(found) - IMPORTS[room])
    assert IMPORTS[room] <= set(found), f"{room} imports nothing of {', '.join(sorted(IMPORTS[room] - set(found)))}"


@pytest.mark.parametrize("room", IMPORTS)
def test_no_room_stands_on_one_above_it(room: str) -> None:
    height = {name: place for place, name in enumerate(room for floor in FLOORS for room in floor)}
    for other in IMPORTS[room]:
        assert height[other] < height[room], f"{other} is above {room}"


# Who speaks HTTP by trade: the doors, what all routes stand on, sockets, the relay's own door and its client, and the
# internal port. Every other file that knows aiohttp is a room's routes.py.
SPEAK_HTTP = {"api", "http", "roles", "demo", "realtime"}
SPEAK_HTTP_TOO = {
    "livecommerce/media/client/control.py",
    "livecommerce/media/control_app.py",
    "livecommerce/media/hls_app.py",
    "livecommerce/media/relay.py",
    "livecommerce/media/synthetic/host.py",
    "livecommerce/ops/http_metrics.py",
    "livecommerce/ops/internal.py",
}


@pytest.mark.parametrize("room", sorted(set(IMPORTS) - SPEAK_HTTP))
def test_a_room_meets_http_in_its_routes_alone(room: str) -> None:
    for path in rooms_of_the_package()[room]:
        knows = any(module.split(".")[0] == "aiohttp" for module, _ in imports(path))
        assert not knows or path.name == "routes.py" or short(path) in SPEAK_HTTP_TOO, f"{short(path)} knows aiohttp"


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
