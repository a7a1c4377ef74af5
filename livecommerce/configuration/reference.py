"""Prints what is written in code as lists for people: settings, errors; and checks a configuration."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import pkgutil
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import livecommerce
from livecommerce.configuration.connections import try_connections
from livecommerce.configuration.flags import flags_tree
from livecommerce.configuration.problems import open_internal_ports, refuse
from livecommerce.configuration.tree import Settings, fields, load
from livecommerce.errors import LiveCommerceError, catalogue
from livecommerce.ops.children import EXIT_CONFIGURATION
from livecommerce.ops.redaction import secret_name
from livecommerce.settings import environment_name

# Not imported for the error table: entry points run on import, and the demo's tests do not belong to the server.
_SKIPPED = ("livecommerce.__main__", "livecommerce.records.migrations")


KEYS_WITHIN = ("orders.payments",)  # what stands behind a provider's colon may be its key
COLUMNS = 120  # of our pages; tests/tidy holds every page to it
_KINDS = {str: "text", int: "number", float: "number", bool: "true/false"}


def _type_name(hint: Any) -> str:
    plain = get_args(hint)[0] if get_args(hint) and get_origin(hint) is not tuple else hint
    if get_origin(plain) is tuple:
        return "list"
    return _KINDS[plain]


def _shown(default: Any) -> str:
    if default == "" or default == ():
        return "empty"
    if isinstance(default, tuple):
        return "`" + ",".join(map(str, default)) + "`"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default}`"


def _item(text: str) -> str:
    """A list item in lines that fit the pages' limit."""
    return textwrap.fill(f"- {text}", COLUMNS, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def settings_markdown() -> str:
    """One item a setting: name, environment name, kind, default, meaning. A list: a table's rows cannot be wrapped."""
    return "\n".join(
        _item(f"`{dotted}` (`{environment_name(dotted)}`, {_type_name(hint)}, {_shown(default)}): {description}")
        for dotted, hint, default, description in fields()
    )


def _import_everything() -> None:
    """Errors are classes; those of a room exist once its modules are imported."""
    for module in pkgutil.walk_packages(livecommerce.__path__, "livecommerce."):
        if not module.name.startswith(_SKIPPED):
            importlib.import_module(module.name)


def all_errors() -> list[type[LiveCommerceError]]:
    _import_everything()
    return [error for error in catalogue() if error.__module__.startswith("livecommerce.")]


_FAMILIES = {
    1: "Bad input: the caller must change the request",
    2: "Not allowed: who you are does not permit it",
    3: "Not found",
    4: "Conflict: true, but not now",
    5: "Too much: a limit, with `retry_after_ms`",
    6: "Unavailable: our side",
}


def errors_markdown() -> str:
    """One list a family, one item an error: number, code, HTTP status, reason."""
    lines: list[str] = []
    family = 0
    for error in all_errors():
        if error.number // 1000 != family:
            family = error.number // 1000
            lines += ["", f"## {family}xxx · {_FAMILIES[family]}", ""]
        lines.append(_item(f"**{error.number}** `{error.code}` (HTTP {error.http_status}): {error.reason}"))
    return "\n".join(lines).strip()


def settings_table(_arguments: argparse.Namespace) -> int:
    """Prints the settings as a Markdown list."""
    print(settings_markdown())
    return 0


def errors_table(_arguments: argparse.Namespace) -> int:
    """Prints all numbered errors as Markdown lists."""
    print(errors_markdown())
    return 0


def _in_tree(tree: dict[str, Any], dotted: str) -> bool:
    place: Any = tree
    for part in dotted.split("."):
        if not isinstance(place, dict) or part not in place:
            return False
        place = place[part]
    return True


def sources(settings: Settings, file: Path | None, flags: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(setting, value as printed, where it is from) of every setting that is not at its default."""
    from_file = tomllib.loads(file.read_text("utf-8")) if file is not None else {}
    for dotted, _, default, _ in fields():
        value: Any = settings
        for part in dotted.split("."):
            value = getattr(value, part)
        if _in_tree(flags, dotted):
            source = "flag"
        elif environment_name(dotted) in os.environ:
            source = "environment"
        elif _in_tree(from_file, dotted):
            source = str(file)
        else:
            continue
        hidden = secret_name(dotted) or dotted in KEYS_WITHIN or (isinstance(value, str) and "@" in value)
        yield dotted, "[hidden]" if hidden and value != default else repr(value), source


def check_config(arguments: argparse.Namespace) -> int:
    """Reads the settings as the server would, refuses what it would refuse, and says where each is from.

    The stores that are configured are asked too: a wrong password or a store that may lose sales is refused (78); one
    that is away now is told (1).
    """
    flags = flags_tree(arguments.assignments)
    settings = load(arguments.config, flags=flags)
    found = list(sources(settings, arguments.config, flags))
    for dotted, value, source in found:
        print(f"{dotted} = {value}  ({source})")
    refuse(settings)
    tried = asyncio.run(try_connections(settings))
    wrong = [one for one in tried if one.words]
    for one in wrong:
        print(f"livecommerce: {one.words}", file=sys.stderr)
    for one in tried:
        for words in one.accepted:
            print(f"accepted by redis.accept_loss: {words}")
    if found_open := open_internal_ports(settings):
        print(f"look at: {found_open}")
    if wrong:
        return EXIT_CONFIGURATION if any(one.refused for one in wrong) else 1
    asked = f"; {' and '.join(one.name for one in tried)} answered" if tried else ""
    print(f"good: {len(found)} set, the rest at their defaults{asked}")
    return 0
