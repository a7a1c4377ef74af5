"""What was done on the command line, in the shops' audit trail: somebody at the machine needs no login of ours."""

from __future__ import annotations

import getpass
import os
from collections.abc import Sequence
from typing import Any

from livecommerce.accounts.rows import ShopRepository
from livecommerce.records.audit import AuditEntry, add_entries
from livecommerce.records.database import Database
from livecommerce.records.rows import now_ms

ACTOR_LENGTH_MAX = 64  # of the column


def cli_actor() -> str:
    """`cli:mei`: the user of the system who ran the command."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        name = str(os.getuid())
    return f"cli:{name}"[:ACTOR_LENGTH_MAX]


async def note_command(
    database: Database, do: str, subject: str = "", *, shops: Sequence[str] | None = None, **details: Any
) -> None:
    """Adds an entry to the trail of `shops`; of every shop where none are given (a backup holds them all).

    Raises:
        DatabaseAway.
    """
    known = [shop.id for shop in await ShopRepository(database).all()] if shops is None else shops
    entries = [AuditEntry(shop, now_ms(), cli_actor(), do, subject, details) for shop in known]
    if entries:
        async with database.write() as connection:
            await add_entries(connection, entries)
