"""What is written twice is the same twice: settings, errors, commands."""

from __future__ import annotations

import importlib
import re
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from livecommerce.cli import COMMANDS, _parser
from livecommerce.configuration.reference import all_errors, errors_markdown, settings_markdown
from tests.tidy.sources import PACKAGE, ROOT, project_files, short


def between(text: str, name: str) -> str:
    """The text between `<!-- name: begin -->` and `<!-- name: end -->`."""
    found = re.search(rf"<!-- {name}: begin -->\n(.*?)<!-- {name}: end -->", text, re.DOTALL)
    assert found, f"no markers for {name}"
    return found[1].strip()


@pytest.mark.parametrize("name", ["README.md"])
def test_the_list_of_settings_is_the_one_of_the_code(name: str) -> None:
    written = between((ROOT / name).read_text("utf-8"), "settings")
    assert written == settings_markdown(), "run scripts/write_tables.py"


def test_the_errors_page_is_the_one_of_the_code() -> None:
    written = between((ROOT / "docs/errors.md").read_text("utf-8"), "errors")
    assert written == errors_markdown(), "run scripts/write_tables.py"


def error_files() -> list[ModuleType]:
    names = (path.relative_to(ROOT).with_suffix("").parts for path in sorted(PACKAGE.rglob("errors.py")))
    return [importlib.import_module(".".join(name)) for name in names]


def test_every_error_stands_in_its_rooms_file_and_in_its_block_of_numbers() -> None:
    files = {module.__name__: module for module in error_files()}
    for error in all_errors():
        assert error.__module__ in files, (
            f"{error.__name__} stands in {error.__module__}: errors.py of its room has them"
        )
        module = files[error.__module__]
        is_earlier = error.number in getattr(module, "EARLIER", ())
        assert (error.number % 1000 in module.BLOCK) != is_earlier, f"{error.__name__}: {error.number}"


def test_no_two_rooms_share_a_block_of_numbers() -> None:
    counts = Counter(number for module in error_files() for number in module.BLOCK)
    assert {number for number, count in counts.items() if count > 1} == set()


def test_error_numbers_and_codes_are_unique() -> None:
    errors = all_errors()
    for attribute in ("number", "code"):
        counts = Counter(getattr(error, attribute) for error in errors)
        assert {value for value, count in counts.items() if count > 1} == set()


def test_every_error_has_its_own_number_reason_and_family() -> None:
    for error in all_errors():
        assert "number" in vars(error), f"{error.__name__} has no number of its own"
        assert "code" in vars(error), f"{error.__name__} has no code of its own"
        assert re.fullmatch(r"[a-z][a-z0-9_]*", error.code)
        assert error.reason.strip().endswith((".", "!")), f"{error.__name__}: a reason is a sentence"
        families = {getattr(parent, "number", error.number) // 1000 for parent in error.__mro__[1:]}
        assert error.number // 1000 in families, f"{error.__name__}: number {error.number} is outside its family"


def test_every_command_of_the_table_is_there_and_explains_itself() -> None:
    for name, command in COMMANDS.items():
        parser, function = _parser(name, command)
        assert parser.description, f"{name} has no docstring"
        assert callable(function)


def test_links_between_our_pages_lead_somewhere() -> None:
    for path in project_files():
        if path.suffix != ".md":
            continue
        text = path.read_text("utf-8")
        targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
        targets += re.findall(r"^\[[^\]]+\]: (\S+)$", text, re.MULTILINE)
        for target in targets:
            if "://" not in target and not target.startswith("mailto:"):
                assert (path.parent / target).exists(), f"{short(path)} links to {target}"


SECTION = re.compile(r"\b(?:docs/)?([a-z_]+\.md)\)?, [\"“]([^\"”]+)[\"”]")


def test_pages_and_sections_that_are_named_are_there() -> None:
    """Code and pages send a reader to a page, or to a page and its section; both have to exist."""
    seen = 0
    for path in project_files():
        if path.suffix not in {".py", ".js", ".lua", ".yaml", ".md", ".c", ".h"} or "vendor" in path.parts:
            continue
        text = path.read_text("utf-8")
        for name in re.findall(r"\bdocs/([a-z_]+\.md)\b", text):
            assert (ROOT / "docs" / name).is_file(), f"{short(path)} names docs/{name}"
        for name, section in SECTION.findall(text):
            page = (ROOT / "docs" / name).read_text("utf-8")
            assert re.search(rf"^#+ {re.escape(section)}\b", page, re.MULTILINE), f"{short(path)}: {name}, {section}"
            seen += 1
    assert seen, "the pattern finds none of the sections that are named"


def test_the_changelog_has_dates_and_kinds() -> None:
    policy, _, entries = (ROOT / "CHANGELOG.md").read_text("utf-8").partition("\n## 0.")
    kinds = re.findall(r"^(?:\| |- )(\w+)(?: \||:)", policy, re.MULTILINE)
    days = re.findall(r"^### (.*)$", entries, re.MULTILINE)
    assert days == sorted(days, reverse=True)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", day) for day in days)
    assert set(re.findall(r"^([A-Z]\w+)$", entries, re.MULTILINE)) <= set(kinds) - {"kind"}


def test_experiments_are_dated_questions_in_the_list() -> None:
    pages = sorted(path for path in (ROOT / "docs/experiments").iterdir() if path.name != "README.md")
    listed = re.findall(
        r"^- \[(\d{4}-\d\d-\d\d) (.*\?)\]\((.*)\)$",
        (ROOT / "docs/experiments/README.md").read_text("utf-8"),
        re.MULTILINE,
    )
    assert sorted(name for _, _, name in listed) == [path.name for path in pages]
    for date, question, name in listed:
        assert name.startswith(f"{date}-")
        text = (ROOT / "docs/experiments" / name).read_text("utf-8")
        assert text.startswith(f"# {question}\n")
        assert "\nCommand: " in text, f"{name}: how is it measured again?"
        assert "\nVerdict: " in text, f"{name}: what came of it?"


# Rooms whose page has another name: what people look for is there.
PAGES = {"http": "api", "ops": "operations"}


@pytest.mark.parametrize("room", sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py")))
def test_every_room_has_its_page(room: str) -> None:
    doors = {"backup", "configuration", "doctor", "roles", "demo"}  # operations.md has the commands
    page = ROOT / "docs" / f"{'operations' if room in doors else PAGES.get(room, room)}.md"
    assert page.is_file(), f"{room}: {short(page)} is missing"
    assert f"{room}/" in page.read_text("utf-8"), f"{short(page)} does not speak of {room}/"


WRITTEN = [path for path in project_files() if path.suffix == ".md" and path.name != "CHANGELOG.md"]
BARE = re.compile(r"(?<![\w./-])python (-m |-c |scripts/|examples/)|(?<!-m )(?<![\w./-])pytest tests")


@pytest.mark.parametrize("path", WRITTEN, ids=short)
def test_commands_are_written_as_they_are_typed(path: Path) -> None:
    """Whoever reads a page has `make install` behind them and no environment switched on."""
    bare = [line for line in path.read_text("utf-8").splitlines() if BARE.search(line)]
    assert bare == [], "write .venv/bin/python"


NAMED = re.compile(r"(?<![\w/.-])((?:livecommerce|tests|web|scripts|loadtest|deploy|examples)/[\w./{},*-]+)")


@pytest.mark.parametrize("path", [path for path in WRITTEN if "experiments" not in path.parts], ids=short)
def test_files_that_pages_name_are_there(path: Path) -> None:
    """`experiments/` speaks of the day it was written; `<kind>` and the like are places to fill."""
    text = re.sub(r"<[^>\s]+>[\w./]*", "*", path.read_text("utf-8"))
    for name in NAMED.findall(text):
        for one in braces_open(name.rstrip(".,/")):
            assert list(ROOT.glob(one)) or "*" in one, f"{short(path)} names {one}"


def braces_open(name: str) -> list[str]:
    """`a/{b,c}` → a/b, a/c."""
    found = re.fullmatch(r"([^{]*)\{([^}]*)\}(.*)", name)
    return [found[1] + each + found[3] for each in found[2].split(",")] if found else [name]
