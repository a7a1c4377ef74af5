"""Who did what to the shop (not to a running show: that trail is in Valkey with the show)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from livecommerce.records import tables
from livecommerce.records.database import Database
from livecommerce.records.rows import as_struct, as_values
from livecommerce.records.structs import AuditEntry

AUDIT_LISTED_MAX = 200  # one page of the trail


async def add_entries(connection: AsyncConnection, entries: Sequence[AuditEntry]) -> None:
    """Adds to the trail in the caller's transaction; one entry at least."""
    await connection.execute(insert(tables.audit), [as_values(entry, without=["id"]) for entry in entries])


class AuditRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, entry: AuditEntry) -> None:
        async with self._database.write() as connection:
            await add_entries(connection, [entry])

    async def newest(self, shop: str, before: int | None = None) -> list[AuditEntry]:
        """Entries newest first; `before` continues below that id."""
        table = tables.audit
        statement = select(table).where(table.c.shop == shop).order_by(table.c.id.desc()).limit(AUDIT_LISTED_MAX)
        if before is not None:
            statement = statement.where(table.c.id < before)
        async with self._database.read() as connection:
            return [as_struct(row, AuditEntry) for row in await connection.execute(statement)]
