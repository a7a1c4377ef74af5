"""Faults of this room: facts and their readers, databases that may not be opened."""

from __future__ import annotations

from livecommerce.errors import Unavailable

BLOCK = range(210, 220)  # of numbers, in each family; docs/errors.md
EARLIER = frozenset({6020})  # given before rooms had blocks; numbers are for good


class FactRefused(Unavailable):
    number, code = 6020, "fact_refused"
    reason = (
        "A reader of the facts failed at one and waits before it. The log names both; once mended it goes on by itself."
    )


class DatabaseMoved(Unavailable):
    number, code = 6210, "database_moved"
    reason = "This database was moved to another one, which has been the shop's since."


class DatabaseNewer(Unavailable):
    number, code = 6211, "database_newer"
    reason = "The database was written by a newer version of the server."
