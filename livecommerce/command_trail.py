"""What was done on the command line, in the shops' audit trail: somebody at the machine needs no login of ours.

The trail is written after the deed. It spoils none: where it cannot be written, the command says so and ends well.
"""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Sequence
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from livecommerce.accounts.rows import ShopRepository
from livecommerce.errors import LiveCommerceError
from livecommerce.records.audit import AuditEntry, add_entries
from livecommerce.records.database import Database
from livecommerce.records.rows import now_ms

ACTOR_LENGTH_MAX, SUBJECT_LENGTH_MAX = 64, 200  # of the columns


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
    """Adds an entry to the trail of `shops`; of every shop where none are given (a backup holds them all)."""
    try:
        await database.start()  # a command that needs no SQL has not
        known = [shop.id for shop in await ShopRepository(database).all()] if shops is None else shops
        entries = [AuditEntry(shop, now_ms(), cli_actor(), do, subject[:SUBJECT_LENGTH_MAX], details) for shop in known]
        if entries:
            async with database.write() as connection:
                await add_entries(connection, entries)
    except (LiveCommerceError, SQLAlchemyError) as error:
        why = error.for_operators if isinstance(error, LiveCommerceError) else f"the database refuses it: {error}"
        print(f"livecommerce: done, but not noted in the audit trail: {why}", file=sys.stderr)
