"""Every table of a database, as it stands there: into files, out of files, or straight into another database.

Tables are read from the database itself, not from the code: a backup of an older release is loaded as it was, then
migrated. SQLite and PostgreSQL take each other's rows.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import JSON, Connection, LargeBinary, MetaData, Table, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from livecommerce.ops.errors import BackupRefused
from livecommerce.records.database import Database

VERSION_TABLE = "alembic_version"
ROWS_AT_ONCE = 500  # some hundred kilobytes; pictures are up to a megabyte each


@asynccontextmanager
async def still(database: Database) -> AsyncIterator[AsyncConnection]:
    """A connection that sees one moment, however long the reading takes."""
    async with database.read() as connection:
        if not database.is_sqlite:  # SQLite's readers do so by themselves
            await connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


async def tables_of(connection: AsyncConnection) -> list[Table]:
    """All tables but Alembic's, those that others refer to first."""

    def reflect(sync: Connection) -> list[Table]:
        metadata = MetaData()
        metadata.reflect(sync)
        return [table for table in metadata.sorted_tables if table.name != VERSION_TABLE]

    tables = await connection.run_sync(reflect)
    for table in tables:
        for column in table.columns:
            if isinstance(column.type, JSON):  # None is NULL where the column has that, else JSON's null
                column.type.none_as_null = bool(column.nullable)
    return tables


async def revision_of(connection: AsyncConnection) -> str:
    return str((await connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}"))).scalar_one())


async def count(connection: AsyncConnection, tables: Sequence[Table]) -> dict[str, int]:
    return {
        table.name: int((await connection.execute(select(func.count()).select_from(table))).scalar_one())
        for table in tables
    }


async def refuse_full(connection: AsyncConnection, tables: Sequence[Table], shown: str) -> None:
    """
    Raises:
        BackupRefused: one of the tables has rows.
    """
    full = [f"{name} ({rows})" for name, rows in (await count(connection, tables)).items() if rows]
    if full:
        raise BackupRefused(f"{shown} is not empty: {', '.join(full)}. Nothing was changed. Give an empty database.")


async def dump(connection: AsyncConnection, folder: Path) -> dict[str, int]:
    """Writes `<table>.jsonl`, one row a line. Returns the rows of each table."""
    rows: dict[str, int] = {}
    for table in await tables_of(connection):
        binary = [column.name for column in table.columns if isinstance(column.type, LargeBinary)]
        counted = 0
        with (folder / f"{table.name}.jsonl").open("xb") as file:
            result = await connection.stream(select(table))
            async for row in result.mappings():
                values = dict(row)
                for name in binary:
                    if values[name] is not None:
                        values[name] = base64.b64encode(values[name]).decode()
                file.write(msgspec.json.encode(values) + b"\n")
                counted += 1
        rows[table.name] = counted
    return rows


async def load(connection: AsyncConnection, folder: Path) -> dict[str, int]:
    """What `dump` wrote, into empty tables of the same revision. Returns the rows of each table."""
    rows: dict[str, int] = {}
    for table in await tables_of(connection):
        path = folder / f"{table.name}.jsonl"
        binary = [column.name for column in table.columns if isinstance(column.type, LargeBinary)]

        def decoded(line: bytes, binary: list[str] = binary) -> dict[str, Any]:
            values: dict[str, Any] = msgspec.json.decode(line)
            for name in binary:
                if values[name] is not None:
                    values[name] = base64.b64decode(values[name])
            return values

        rows[table.name] = await _load_table(connection, table, path, decoded)
    await _count_on(connection, await tables_of(connection))
    return rows


async def _load_table(
    connection: AsyncConnection, table: Table, path: Path, decoded: Callable[[bytes], dict[str, Any]]
) -> int:
    batch: list[dict[str, Any]] = []
    counted = 0
    with path.open("rb") as file:
        for line in file:
            batch.append(decoded(line))
            if len(batch) >= ROWS_AT_ONCE:
                await connection.execute(insert(table), batch)
                counted, batch = counted + len(batch), []
    if batch:
        await connection.execute(insert(table), batch)
    return counted + len(batch)


async def copy(source: AsyncConnection, target: AsyncConnection) -> dict[str, int]:
    """Every row of `source` into the empty tables of `target`, which stand at the same revision.

    Raises:
        BackupRefused: afterwards a table has not as many rows as the one it came from.
    """
    tables = await tables_of(target)
    for table in tables:
        result = await source.stream(select(table))
        async for batch in result.mappings().partitions(ROWS_AT_ONCE):
            await target.execute(insert(table), [dict(row) for row in batch])
    await _count_on(target, tables)
    before, after = await count(source, tables), await count(target, tables)
    if before != after:
        raise BackupRefused(f"The rows do not agree after copying: {before} and {after}. Nothing was kept.")
    return after


async def _count_on(connection: AsyncConnection, tables: Sequence[Table]) -> None:
    """PostgreSQL numbers new rows by sequences, which know nothing of rows that came with their numbers."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables:
        for column in table.primary_key.columns:
            found = await connection.execute(
                text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": table.name, "column": column.name}
            )
            sequence = found.scalar_one()
            if sequence is None:
                continue
            last = (await connection.execute(select(func.max(column)))).scalar_one()
            if last is not None:
                await connection.execute(text("SELECT setval(:sequence, :last)"), {"sequence": sequence, "last": last})
