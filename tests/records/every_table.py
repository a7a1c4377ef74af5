"""Imports the tables of every room, so that the metadata is whole."""

from __future__ import annotations

import importlib
from pathlib import Path

import livecommerce

PACKAGE = Path(livecommerce.__file__).parent


def import_tables() -> list[str]:
    """The rooms that keep rows, by name."""
    rooms = sorted(path.parent.name for path in PACKAGE.glob("*/tables.py"))
    for room in rooms:
        importlib.import_module(f"livecommerce.{room}.tables")
    return rooms
