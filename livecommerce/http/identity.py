"""Who is behind a request. Pure values; the accounts room makes them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
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

    `staff` is true of the moment at which it was asked; what stays open asks again by `session` (see `StaffNow`).
    `is_known`: the request carried the viewer's cookie; else the id is a fresh one that nobody holds yet.
    """

    viewer: str
    staff: Staff | None
    address: str
    session: str = ""  # under which the store keeps the login: a hash, never the token
    is_known: bool = True


StaffNow = Callable[[Identity], Awaitable[Staff | None]]
"""Who stands behind a login at this moment: None once it has ended (logout, password, role, disabled, age)."""
