"""Faults of this room: facts and their readers."""

from __future__ import annotations

from livecommerce.errors import Unavailable

BLOCK = range(210, 220)  # of numbers, in each family; docs/errors.md
EARLIER = frozenset({6020})  # given before rooms had blocks; numbers are for good


class FactRefused(Unavailable):
    number, code = 6020, "fact_refused"
    reason = (
        "A reader of the facts failed at one and waits before it. The log names both; once mended it goes on by itself."
    )
