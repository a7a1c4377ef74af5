"""Rows to structs, and the few statements that both SQL dialects write differently."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Row, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

Kind = TypeVar("Kind", bound=msgspec.Struct)


def now_ms() -> int:
    """This machine's clock, for records about people and catalogues; orders carry the stock server's clock."""
    return time.time_ns() // 1_000_000


def as_struct(row: Row[Any], kind: type[Kind], **more: Any) -> Kind:
    # Column names are a subclass of str, which msgspec does not take as keys.
    values = {str(name): value for name, value in row._mapping.items()}
    return msgspec.convert({**values, **more}, kind)


def as_values(record: msgspec.Struct, *, without: Sequence[str] = ()) -> dict[str, Any]:
    """Column values of a struct; tuples become lists for JSON columns."""
    values = msgspec.structs.asdict(record)
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if name not in without
    }


async def upsert(
    connection: AsyncConnection, table: Table, values: dict[str, Any], keys: Sequence[str], keep: Sequence[str] = ()
) -> None:
    """Inserts a row, or updates every column but `keys` and `keep` of the row that has these keys."""
    changed = {name: value for name, value in values.items() if name not in keys and name not in keep}
    if connection.dialect.name == "sqlite":
        await connection.execute(
            sqlite.insert(table).values(values).on_conflict_do_update(index_elements=list(keys), set_=changed)
        )
    else:
        await connection.execute(
            postgresql.insert(table).values(values).on_conflict_do_update(index_elements=list(keys), set_=changed)
        )
