"""What all staff commands have in common; each command stands with its kind in `kinds/`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from livecommerce.shows.model import OutsideId
from livecommerce.stock.operations import ITEM_LENGTH_MAX

Text = Annotated[str, Meta(min_length=1, max_length=500)]
ViewerId = Annotated[str, Meta(min_length=1, max_length=64)]
Sku = Annotated[str, Meta(min_length=1, max_length=ITEM_LENGTH_MAX)]


class Actor(Struct, frozen=True):
    """Who gives a command: a staff login and role (`owner`, `host`, `moderator`).

    Attributes:
        name: what others read instead of the login; "": the shop's name.
    """

    login: str
    role: str
    name: str = ""


class Command(Struct, frozen=True, kw_only=True, tag_field="do"):
    """A tagged struct: `do` names it. `id` is made by the page; the same id again gives the first answer and changes
    nothing.

    Attributes:
        host_only: owner and host alone may give it.
        prices: it may lower the price of the product that its outcome names as `code`; open claims then get it too.
        unaudited: fields that the audit trail leaves out, because they are long or private.
    """

    id: OutsideId
    host_only: ClassVar[bool] = False
    prices: ClassVar[bool] = False
    unaudited: ClassVar[frozenset[str]] = frozenset()


class Undo(Command, frozen=True, kw_only=True, tag="undo"):
    """Takes a command back by giving its inverse. Of no kind: every kind says the inverse of its own commands."""

    command: OutsideId


class Speaker(Struct, frozen=True):
    """A viewer who gives a command. `place` is what moderation says of the words: `log` everyone may read them,
    `shadow` the viewer and staff, `held` staff until one lets them through."""

    viewer: str
    name: str
    place: Literal["log", "shadow", "held"] = "log"


class ViewerCommand(Struct, frozen=True, kw_only=True, tag_field="do"):
    """What a viewer may do beside comments and claims: limited as comments are, the words moderated as theirs.

    Attributes:
        spoken: the field that holds words of the viewer's own, "" where there are none.
    """

    id: OutsideId
    spoken: ClassVar[str] = ""


def inverse_id(command_id: str) -> str:
    """The id under which a command is undone: fixed, so that undoing twice is undoing once."""
    return f"undo-{command_id}"[:64]
