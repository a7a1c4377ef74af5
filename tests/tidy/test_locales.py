"""The words of the pages: each is in one file, in every language, is used, and is loaded by the pages that use it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from pathlib import Path

import pytest

from livecommerce.api.locales import LOCALES, words_of
from livecommerce.configuration.reference import all_errors
from tests.tidy.sources import PACKAGE, ROOT, short

WEB = ROOT / "web"
HAN = re.compile(r"[㐀-鿿]")
PLACES = re.compile(r"\{([a-z_]+)\}")
PAGES = sorted(path.parent.name for path in WEB.glob("*/index.html"))
IMPORTS = re.compile(r"""(?:from|import)\s*\(?\s*["'](\.[^"']+)["']""")
# `watch.state_${…}` in JavaScript, 'error_page.' ~ … in a template: the key goes on with a word of the server or page
OPEN_IN_SCRIPT = re.compile(r"`([a-z_]+\.[^`]*\$\{[^`]*)`")
OPEN_IN_TEMPLATE = re.compile(r"'([a-z_]+\.[a-z_]*)' ~ \w+(?: ~ '([a-z_]+)')?")
INSERTED = re.compile(r"\$\{[^}]*\}")


@cache
def words(locale: str) -> dict[str, dict[str, str]]:
    """{file: {key: text}} of a locale."""
    return {
        path.stem: json.loads(path.read_text("utf-8")) for path in sorted((WEB / "locales" / locale).glob("*.json"))
    }


def loaded(page: str) -> set[str]:
    return {key for file in words_of(page) for key in words("en")[file]}


@cache
def sources(page: str) -> str:
    """The template of a page and every module that it reaches."""
    waiting, seen = [WEB / page / "main.js"], {WEB / page / "index.html"}
    while waiting:
        path = waiting.pop()
        if path in seen or not path.is_file():
            continue
        seen.add(path)
        waiting += [(path.parent / name).resolve() for name in IMPORTS.findall(path.read_text("utf-8"))]
    return "\n".join(path.read_text("utf-8") for path in sorted(seen))


def namespaces() -> set[str]:
    return {key.partition(".")[0] for texts in words("en").values() for key in texts}


def plain_keys(page: str) -> set[str]:
    """Keys that stand in the sources of a page as they are."""
    spaces = "|".join(sorted(namespaces()))
    return set(re.findall(rf"""["'`]((?:{spaces})\.[a-z0-9_.]*[a-z0-9])["'`]""", sources(page)))


def open_keys(page: str) -> Iterator[re.Pattern[str]]:
    """Patterns of keys whose end is known at run time only; the group is that end."""
    for found in OPEN_IN_SCRIPT.findall(sources(page)):
        if found.partition(".")[0] in namespaces():
            yield re.compile(r"(\w+)".join(map(re.escape, INSERTED.split(found))))
    for start, end in OPEN_IN_TEMPLATE.findall(sources(page)):
        yield re.compile(rf"{re.escape(start)}(\w+){end}")


@cache
def said() -> frozenset[str]:
    """What may be the open end of a key: words in quotes, names of fields and enum members, of pages and server."""
    scripts = [path for path in WEB.rglob("*.js") if "vendor" not in path.parts] + list(WEB.rglob("*.html"))
    text = "\n".join(path.read_text("utf-8") for path in [*scripts, *PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.lua")])
    quoted = re.findall(r"""["'`](\w+)["'`]""", text)
    named = re.findall(r"\b(\w+)(?:: | = |=)", text)
    return frozenset(quoted) | frozenset(named) | {str(number) for number in range(10)}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_loads_every_text_that_it_asks_for(page: str) -> None:
    keys = loaded(page)
    assert plain_keys(page) <= keys, f"{page} does not load {sorted(plain_keys(page) - keys)}"
    for pattern in open_keys(page):
        assert any(pattern.fullmatch(key) for key in keys), f"{page} loads no text like {pattern.pattern}"


def is_used(key: str, page: str) -> bool:
    base = re.sub(r"\.(one|wait)$", "", key)  # `t` takes the singular by itself, `errorText` the one that tells a wait
    if base in plain_keys(page):
        return True
    matches = (pattern.fullmatch(base) for pattern in open_keys(page))
    return any(found and said().issuperset(found.groups()) for found in matches)


def users(key: str, file: str) -> list[str]:
    return [page for page in PAGES if file in words_of(page) and is_used(key, page)]


@pytest.mark.parametrize("file", sorted(words("en")))
def test_every_text_is_used(file: str) -> None:
    unused = [key for key in words("en")[file] if not users(key, file)]
    assert unused == [], "delete them in every language"


def test_what_one_page_says_stands_in_its_own_file() -> None:
    pages = {key: users(key, "shared") for key in words("en")["shared"] if key.startswith("common.")}
    assert {key: found for key, found in pages.items() if len(found) == 1} == {}


def test_no_text_stands_in_two_files() -> None:
    counts = Counter(key for texts in words("en").values() for key in texts)
    assert {key for key, count in counts.items() if count > 1} == set()


def test_every_file_is_loaded_by_a_page() -> None:
    assert set(words("en")) == {file for page in PAGES for file in words_of(page)}


def test_all_locales_have_the_same_files_keys_and_places() -> None:
    assert {path.name for path in (WEB / "locales").iterdir()} == set(LOCALES)
    first, *others = LOCALES
    assert others, "one locale is no choice"
    for locale in others:
        assert set(words(locale)) == set(words(first))
        for file, wanted in words(first).items():
            found = words(locale)[file]
            assert set(found) == set(wanted), f"{locale}/{file}: {sorted(set(found) ^ set(wanted))}"
            for key in wanted:
                same = set(PLACES.findall(found[key])) == set(PLACES.findall(wanted[key]))
                assert same, f"{locale}/{file}: {key} has other places than in {first}"


@pytest.mark.parametrize("locale", LOCALES)
def test_every_refusal_has_words_that_say_what_to_do(locale: str) -> None:
    """Of our own faults a page has the words that it needs; who runs the server reads the others in its log."""
    refusals = [error for error in all_errors() if error.http_status < HTTPStatus.INTERNAL_SERVER_ERROR]
    assert len(refusals) > 50, "the rooms' errors are found"
    missing = [error.code for error in refusals if f"error.{error.code}" not in words(locale)["shared"]]
    assert missing == [], f"error.<code> in web/locales/{locale}/shared.json"


def test_texts_are_sorted_so_that_two_changes_seldom_meet() -> None:
    for path in (WEB / "locales").glob("*/*.json"):
        keys = list(json.loads(path.read_text("utf-8")))
        assert keys == sorted(keys), short(path)


def test_the_english_locale_is_english() -> None:
    # names of languages are written in themselves; examples show what people type
    own = re.compile("locale|language|example")
    texts = {key: text for file in words("en").values() for key, text in file.items()}
    assert {key: text for key, text in texts.items() if HAN.search(text) and not own.search(key)} == {}


def test_modules_are_found_from_the_page_on() -> None:
    """Else the tests above would look at nothing."""
    assert "querySelector" not in sources("error")
    assert (WEB / "shared/i18n.js").read_text("utf-8") in sources("watch")
    assert Path(WEB / "watch/card.js").read_text("utf-8") in sources("watch")
