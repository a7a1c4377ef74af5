"""Lists on pages are those of the code: commands, routes, files, facts."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import msgspec
import pytest

from livecommerce.orders import facts as facts_of_orders
from livecommerce.orders.money_trail import MONEY_TRAIL
from livecommerce.records.facts import FactBody
from livecommerce.shows.kinds import SHOW_KINDS
from livecommerce.shows.registry import Registry
from tests.tidy.sources import PACKAGE, ROOT

KINDS = Registry(SHOW_KINDS)
COMMAND = re.compile(r"`([a-z_]+)(?:\{([^`]*)\})?`")


def section(page: str, title: str) -> str:
    """The text under a heading, up to the next one of its level."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"docs/{page} has no {title}"
    return found[1]


def has_section(room: str, title: str) -> bool:
    page = ROOT / f"docs/{room}.md"
    return page.is_file() and f"\n## {title}\n" in page.read_text("utf-8")


def commands(text: str) -> dict[str, list[str]]:
    """{command: fields that are named}; what stands inside a field is left out."""
    found = {}
    for name, fields in COMMAND.findall(text):
        flat = re.sub(r":\[.*?\](?=,|$)", "", re.sub(r"\{[^{}]*\}", "", fields))
        found[name] = [field.rstrip("?").partition(":")[0] for field in flat.split(",") if field]
    return found


def test_the_commands_are_listed_with_fields_that_they_have() -> None:
    listed, _, rest = section("shows.md", "Commands").partition("\nViewers send ")
    of_staff = commands(listed.partition("\n\n")[2])
    of_viewers = commands(rest.partition(" over the socket")[0])
    assert of_staff.keys() == KINDS.commands.keys()
    assert of_viewers.keys() == KINDS.viewer_commands.keys()
    for name, fields in (*of_staff.items(), *of_viewers.items()):
        known = {**KINDS.commands, **KINDS.viewer_commands}[name]
        assert set(fields) <= {field.encode_name for field in msgspec.structs.fields(known)}, name


def test_what_takes_each_command_back_is_said() -> None:
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", section("shows.md", "Commands"), re.MULTILINE)
    said = set(re.findall(r"[a-z_]+", " ".join(rows))) - {"undone", "by", "undo", "with", "expected"}
    assert said == KINDS.commands.keys() - {"undo"}


def routes_of(room: str) -> set[tuple[str, str]]:
    """(method, path) of a room's routes, without the patterns of their parts."""
    routes = import_module(f"livecommerce.{room}.routes").routes
    return {(one.method, re.sub(r"\{(\w+)(?::(?:[^{}]|\{[^{}]*\})*)?\}", r"{\1}", one.path)) for one in routes}


ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/routes.py"))
LISTING = [room for room in ROOMS if has_section(room, "Over HTTP")]


@pytest.mark.parametrize("room", LISTING)
def test_a_rooms_routes_are_those_on_its_page(room: str) -> None:
    """A page may name a route of another room beside its own."""
    named = set(re.findall(r"`(?:[A-Z]+ )?(/[^`?\s]*)", section(f"{room}.md", "Over HTTP")))
    own = {path for _, path in routes_of(room)}
    assert own - named == set(), "missing on the page"
    everywhere = {path for other in ROOMS for _, path in routes_of(other)}
    assert {path for path in named if "{" in path or path.startswith("/api/")} - everywhere == set(), "no such route"


def test_the_routes_of_orders_are_listed_one_by_one() -> None:
    assert set(re.findall(r"`([A-Z]+) (/[^`]*)`", section("orders.md", "Over HTTP"))) == routes_of("orders")


# What a room's page need not explain: it is alike in every room.
ALIKE = {"__init__", "errors", "metrics", "settings", "tables"}
FOLDERS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


@pytest.mark.parametrize("room", [room for room in FOLDERS if has_section(room, "Files")])
def test_a_list_of_a_rooms_files_is_whole(room: str) -> None:
    listed = set(re.findall(r"`(\w+)\.py`", section(f"{room}.md", "Files")))
    there = {path.stem for path in (PACKAGE / room).glob("*.py")}
    assert (there - ALIKE - listed, listed - there) == (set(), set())


def test_the_facts_are_listed_and_who_reads_them() -> None:
    for path in PACKAGE.glob("*/facts.py"):
        import_module(f"livecommerce.{path.parent.name}.facts")
    kinds = {body.KIND for body in FactBody.__subclasses__() if body.__module__.startswith("livecommerce.")}
    assert len(kinds) >= 3, "the rooms' facts are found"
    table = section("records.md", "Facts").partition("| fact |")[2]
    assert set(re.findall(r"^\| `([a-z.]+)` \|", table, re.MULTILINE)) == kinds
    written = re.search(r"^MONEY_TRAIL = Reader\(\"money_trail\", \(([^)]*)\), write\)", text_of("records.md"), re.M)
    assert written, "docs/records.md shows a reader"
    named = [one.strip().removesuffix(".KIND") for one in written[1].split(",")]
    assert tuple(getattr(facts_of_orders, name).KIND for name in named) == MONEY_TRAIL.kinds


def text_of(page: str) -> str:
    return Path(ROOT / "docs" / page).read_text("utf-8")
