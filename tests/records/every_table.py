"""Imports the tables of every room, so that the metadata is whole."""

from __future__ import annotations

import importlib
from pathlib import Path

import livecommerce

PACKAGE = Path(livecommerce.__file__).parent


def import_tables() -> None:
    for path in sorted(PACKAGE.glob("*/tables.py")):
        importlib.import_module(f"livecommerce.{path.parent.name}.tables")
