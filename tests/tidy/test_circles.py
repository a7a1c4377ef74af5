"""Within a room too, imports point one way: no file needs, through others, itself. Imports for types alone count."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tidy.sources import PACKAGE
from tests.tidy.test_rooms import imports, package_files

ROOMS = ("intake", "realtime")


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


def arrows_of(room: str) -> dict[str, set[str]]:
    """Which modules of a room each of its modules imports."""
    files = {module_of(path): path for path in package_files() if path.is_relative_to(PACKAGE / room)}
    arrows: dict[str, set[str]] = {}
    for module, path in files.items():
        named = {name for name, _ in imports(path)}
        # `from livecommerce.room import file` names the room; what it means is the file.
        if f"livecommerce.{room}" in named:
            text = path.read_text("utf-8")
            named |= {name for name in files if f"import {name.rsplit('.', 1)[-1]}" in text}
        arrows[module] = (named & files.keys()) - {module}
    return arrows


def circle_in(arrows: dict[str, set[str]]) -> list[str]:
    """What is left when modules that need nobody are taken away again and again: circles and what stands on them."""
    left = dict(arrows)
    while free := [module for module, needs in left.items() if not needs & left.keys()]:
        for module in free:
            del left[module]
    return sorted(left)


@pytest.mark.parametrize("room", ROOMS)
def test_no_circle_of_files(room: str) -> None:
    arrows = arrows_of(room)
    assert any(arrows.values()), "a room of files that know nothing of each other: is it read at all?"
    assert circle_in(arrows) == []


def test_a_circle_is_found() -> None:
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["a", "b", "c"]
    assert circle_in({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
