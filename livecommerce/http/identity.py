"""Who is behind a request. Pure values; the accounts room makes them."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Role = Literal["owner", "host", "moderator"]
ROLES: tuple[Role, ...] = ("owner", "host", "moderator")


class Staff(Struct, frozen=True):
    """A logged-in person of the shop."""

    id: str
    shop: str
    login: str
    name: str
    role: Role


class Visit(Struct, frozen=True):
    """A browser's identity and when it was given, in Unix milliseconds."""

    viewer: str
    since_ms: int


class Identity(Struct, frozen=True):
    """`viewer`: private id `[a-z0-9-]{1,40}`. `staff`: None for the audience. `address`: IP address as text.

    `is_known`: the request carried the viewer's cookie; else the id is a fresh one that nobody holds yet. `since_ms`:
    when that cookie was given (Unix milliseconds; 0: before such times were kept).
    """

    viewer: str
    staff: Staff | None
    address: str
    is_known: bool = True
    since_ms: int = 0
