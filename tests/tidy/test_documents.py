"""What is written twice is the same twice: settings, errors, locales, commands."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from livecommerce.cli import COMMANDS, _parser
from livecommerce.configuration.reference import all_errors, errors_markdown, settings_markdown
from tests.tidy.sources import ROOT, project_files, short

HAN = re.compile(r"[㐀-鿿]")
PLACES = re.compile(r"\{([a-z_]+)\}")


def between(text: str, name: str) -> str:
    """The text between `<!-- name: begin -->` and `<!-- name: end -->`."""
    found = re.search(rf"<!-- {name}: begin -->\n(.*?)<!-- {name}: end -->", text, re.DOTALL)
    assert found, f"no markers for {name}"
    return found[1].strip()


@pytest.mark.parametrize("name", ["README.md"])
def test_the_settings_table_is_the_one_of_the_code(name: str) -> None:
    written = between((ROOT / name).read_text("utf-8"), "settings")
    assert written == settings_markdown(), "run scripts/write_tables.py"


def test_the_errors_page_is_the_one_of_the_code() -> None:
    written = between((ROOT / "docs/errors.md").read_text("utf-8"), "errors")
    assert written == errors_markdown(), "run scripts/write_tables.py"


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


def locale_files() -> list[Path]:
    return sorted((ROOT / "web/locales").glob("*.json"))


def test_all_locales_have_the_same_keys_and_places() -> None:
    first, *others = locale_files()
    wanted = json.loads(first.read_text("utf-8"))
    assert others, "one locale is no choice"
    for path in others:
        found = json.loads(path.read_text("utf-8"))
        assert set(found) == set(wanted), f"{short(path)}: {sorted(set(found) ^ set(wanted))}"
        for key in wanted:
            same = set(PLACES.findall(found[key])) == set(PLACES.findall(wanted[key]))
            assert same, f"{short(path)}: {key} has other places than {short(first)}"


def test_the_english_locale_is_english() -> None:
    english = json.loads((ROOT / "web/locales/en.json").read_text("utf-8"))
    # names of languages are written in themselves; examples show what people type
    own = re.compile("locale|language|example")
    left = {key: text for key, text in english.items() if HAN.search(text) and not own.search(key)}
    assert left == {}


def test_every_command_of_the_table_is_there_and_explains_itself() -> None:
    for name, command in COMMANDS.items():
        parser, function = _parser(name, command)
        assert parser.description, f"{name} has no docstring"
        assert callable(function)


def test_links_between_our_pages_lead_somewhere() -> None:
    for path in project_files():
        if path.suffix != ".md":
            continue
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text("utf-8")):
            if "://" not in target and not target.startswith("mailto:"):
                assert (path.parent / target).exists(), f"{short(path)} links to {target}"
