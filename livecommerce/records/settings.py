"""The settings of this room: the database."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class Database(Struct, frozen=True, forbid_unknown_fields=True):
    url: Annotated[str, Meta(description="postgresql://user:password@host/name; empty: SQLite in the data folder.")] = (
        ""
    )
