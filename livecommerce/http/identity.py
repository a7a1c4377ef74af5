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


class Identity(Struct, frozen=True):
    """`viewer`: private id `[a-z0-9-]{1,40}`. `staff`: None for the audience. `address`: IP address as text."""

    viewer: str
    staff: Staff | None
    address: str
