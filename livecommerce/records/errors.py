"""Faults of this room; numbers 602x of the shared tree."""

from __future__ import annotations

from livecommerce.errors import Unavailable


class FactRefused(Unavailable):
    number, code = 6020, "fact_refused"
    reason = (
        "A reader of the facts failed at one and waits before it. The log names both; once mended it goes on by itself."
    )
