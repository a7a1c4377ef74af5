"""The flags by which every command takes settings: `--config FILE` and `--set NAME=VALUE`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from livecommerce.configuration.problems import refuse
from livecommerce.configuration.tree import Settings, fields, load
from livecommerce.settings import SettingsError, words_of


def add_settings_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings in TOML")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="assignments",
        help="one setting, e.g. --set http.port=9000; wins over the file and the environment",
    )


def flags_tree(assignments: Sequence[str]) -> dict[str, Any]:
    """`["http.port=9000"]` → `{"http": {"port": "9000"}}`.

    Raises:
        SettingsError: an assignment without `=`, or a name that is no setting.
    """
    known = {dotted: default for dotted, _, default, _ in fields()}
    tree: dict[str, Any] = {}
    for assignment in assignments:
        dotted, equals, text = assignment.partition("=")
        if not equals:
            raise SettingsError(f"--set {assignment}: expected NAME=VALUE")
        if dotted not in known:
            raise SettingsError(f"--set {dotted}: no such setting; `livecommerce settings` lists them")
        *parents, leaf = dotted.split(".")
        place = tree
        for parent in parents:
            place = place.setdefault(parent, {})
        place[leaf] = words_of(text) if isinstance(known[dotted], tuple) else text
    return tree


def settings_from(arguments: argparse.Namespace) -> Settings:
    """The settings of a command that takes them: defaults < --config < environment < --set. Checked whole.

    Raises:
        SettingsError
    """
    settings = load(arguments.config, flags=flags_tree(arguments.assignments))
    refuse(settings)
    return settings
