"""Refusals of this room: sockets."""

from __future__ import annotations

from livecommerce.errors import BadInput

BLOCK = range(150, 160)  # of numbers, in each family; docs/errors.md
EARLIER = frozenset({1005})  # given before rooms had blocks; numbers are for good


class EventUnknown(BadInput):
    number, code = 1005, "event_unknown"
    reason = "The server knows no such event on this socket."
