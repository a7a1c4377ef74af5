"""The description of the API: every room describes its own routes, and here they are added up to one OpenAPI file.

A fragment is YAML in a fixed form: sections (`tags`, `paths`, `components`) begin at the margin, names of components'
sections two spaces in. So adding up is cutting and joining lines, and no YAML library is needed to serve a text.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
_SECTIONS = ("tags", "paths", "components")


def fragments() -> list[Path]:
    """The files of all rooms; the one of `api` first, as the others have no head."""
    found = PACKAGE.glob("*/openapi*.yaml")
    return sorted(found, key=lambda path: (path.parent.name != "api", path.parent.name, path.name))


def _cut(lines: Iterable[str], names: Iterable[str], margin: str) -> dict[str, list[str]]:
    """The lines under each `name:` at the margin, and under "" those before the first."""
    heads = {f"{margin}{name}:": name for name in names}
    parts: dict[str, list[str]] = {"": []}
    current = ""
    for line in lines:
        if line in heads:
            current = heads[line]
            parts.setdefault(current, [])
        else:
            parts[current].append(line)
    return parts


def _names(lines: Iterable[str]) -> list[str]:
    """Names of the sections two spaces in."""
    return [line.strip().removesuffix(":") for line in lines if line.startswith("  ") and line[2:3].isalpha()]


def added_up(texts: Iterable[str]) -> str:
    """One description of several fragments; the head is the first one's."""
    head: list[str] = []
    sections: dict[str, list[str]] = {name: [] for name in _SECTIONS}
    components: dict[str, list[str]] = {}
    for text in texts:
        parts = _cut(text.splitlines(), _SECTIONS, "")
        head += parts[""]
        for name in ("tags", "paths"):
            sections[name] += parts.get(name, [])
        inside = parts.get("components", [])
        for name, lines in _cut(inside, _names(inside), "  ").items():
            components.setdefault(name, []).extend(lines)
    del components[""]
    sections["components"] = [line for name, lines in components.items() for line in (f"  {name}:", *lines)]
    return "\n".join([*head, *(line for name in _SECTIONS for line in (f"{name}:", *sections[name]))]) + "\n"


@cache
def description() -> str:
    """The file as it is served."""
    return added_up(path.read_text("utf-8") for path in fragments())
