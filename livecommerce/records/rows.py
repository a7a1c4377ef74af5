"""Rows to structs, and the few statements that both SQL dialects write differently."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Executable, Row, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

Kind = TypeVar("Kind", bound=msgspec.Struct)
Value = TypeVar("Value")
VARIABLES_MAX = 500  # in one IN list: half of the least SQLite was ever built with


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


def chunks(values: Sequence[Value], length: int = VARIABLES_MAX) -> Iterator[Sequence[Value]]:
    """Slices short enough for one IN list."""
    for start in range(0, len(values), length):
        yield values[start : start + length]


def _upsert(dialect: str, table: Table, names: Sequence[str], keys: Sequence[str], keep: Sequence[str]) -> Executable:
    insert = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    changed = {name: insert.excluded[name] for name in names if name not in keys and name not in keep}
    return insert.on_conflict_do_update(index_elements=list(keys), set_=changed)


async def upsert_many(
    connection: AsyncConnection,
    table: Table,
    rows: Sequence[dict[str, Any]],
    keys: Sequence[str],
    keep: Sequence[str] = (),
) -> None:
    """Inserts rows, or updates every column but `keys` and `keep` of the rows that have these keys."""
    if rows:
        await connection.execute(_upsert(connection.dialect.name, table, list(rows[0]), keys, keep), list(rows))


async def upsert(
    connection: AsyncConnection, table: Table, values: dict[str, Any], keys: Sequence[str], keep: Sequence[str] = ()
) -> None:
    await upsert_many(connection, table, [values], keys, keep)
