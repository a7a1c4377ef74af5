"""Who did what to the shop (not to a running show: that trail is in Valkey with the show)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import JSON, BigInteger, Column, Index, Integer, String, Table, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from livecommerce.records.database import Database
from livecommerce.records.metadata import metadata
from livecommerce.records.rows import as_struct, as_values

AUDIT_LISTED_MAX = 200  # one page of the trail

audit = Table(
    "audit",
    metadata,
    # SQLite only numbers a plain INTEGER by itself.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("shop", String(40), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("do", String(40), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("details", JSON, nullable=False),
    Index("ix_audit_shop_id", "shop", "id"),
)


class AuditEntry(Struct, frozen=True):
    shop: str
    at_ms: int
    actor: str
    do: str
    subject: str
    details: dict[str, Any] = {}
    id: int = 0


async def add_entries(connection: AsyncConnection, entries: Sequence[AuditEntry]) -> None:
    """Adds to the trail in the caller's transaction; one entry at least."""
    await connection.execute(insert(audit), [as_values(entry, without=["id"]) for entry in entries])


class AuditRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, entry: AuditEntry) -> None:
        async with self._database.write() as connection:
            await add_entries(connection, [entry])

    async def newest(self, shop: str, before: int | None = None) -> list[AuditEntry]:
        """Entries newest first; `before` continues below that id."""
        statement = select(audit).where(audit.c.shop == shop).order_by(audit.c.id.desc()).limit(AUDIT_LISTED_MAX)
        if before is not None:
            statement = statement.where(audit.c.id < before)
        async with self._database.read() as connection:
            return [as_struct(row, AuditEntry) for row in await connection.execute(statement)]
