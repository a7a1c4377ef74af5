"""Refusals of this room: sockets."""

from __future__ import annotations

from livecommerce.errors import BadInput, NotAllowed

BLOCK = range(150, 160)  # of numbers, in each family; docs/errors.md
EARLIER = frozenset({1005})  # given before rooms had blocks; numbers are for good


class EventUnknown(BadInput):
    number, code = 1005, "event_unknown"
    reason = "The server knows no such event on this socket."


class CookieNeeded(NotAllowed):
    number, code, http_status = 2150, "cookie_needed", 401
    reason = "Open the page of the show first; it gives this browser its place. If it did, allow cookies and reload."
