"""What a database knows of where it belongs: which secret and which state of Valkey/Redis, and whether it was moved."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from livecommerce.records.rows import upsert
from livecommerce.records.tables import marks

MOVED_TO = "moved_to"  # address of the database that is the shop's now
GENERATION = "generation"  # of the last process that opened it; Valkey/Redis has the same, or an older one
SECRET = "secret"  # fingerprint of the secret that signs viewers' cookies
VALUE_LENGTH_MAX = 400


async def mark(connection: AsyncConnection, name: str) -> str:
    """Empty where there is none."""
    return (await connection.execute(select(marks.c.value).where(marks.c.name == name))).scalar_one_or_none() or ""


async def put_mark(connection: AsyncConnection, name: str, value: str) -> None:
    await upsert(connection, marks, {"name": name, "value": value[:VALUE_LENGTH_MAX]}, ["name"])
