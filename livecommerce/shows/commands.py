"""What all staff commands have in common; each command stands with its kind in `kinds/`."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, ClassVar, Literal, cast

import msgspec
from msgspec import Meta, Struct

from livecommerce.bounds import TEXT_PATTERN
from livecommerce.errors import IdReused, LiveCommerceError
from livecommerce.shows.model import OutsideId
from livecommerce.stock.operations import ITEM_LENGTH_MAX

FINGERPRINT = "content"  # where a kept outcome has that of its command

Text = Annotated[str, Meta(min_length=1, max_length=500, pattern=TEXT_PATTERN)]
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


class Command(Struct, frozen=True, kw_only=True, tag_field="do", forbid_unknown_fields=True):
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

    def cut_taken_back(self) -> str | None:
        """The id of the price cut whose claims are to have their price back."""
        return None

    def as_far_as(self, refused: LiveCommerceError) -> tuple[Command, int] | None:
        """As much of this inverse as can be done after it was refused whole, and how much that leaves out."""
        return None


class Undo(Command, frozen=True, kw_only=True, tag="undo"):
    """Takes a command back by giving its inverse. Of no kind: every kind says the inverse of its own commands."""

    command: OutsideId


class Speaker(Struct, frozen=True):
    """A viewer who gives a command. `place` is what moderation says of the words: `log` everyone may read them,
    `shadow` the viewer and staff, `held` staff until one lets them through."""

    viewer: str
    name: str
    place: Literal["log", "shadow", "held"] = "log"


class ViewerCommand(Struct, frozen=True, kw_only=True, tag_field="do", forbid_unknown_fields=True):
    """What a viewer may do beside comments and claims: limited as comments are, the words moderated as theirs.

    Attributes:
        spoken: the field that holds words of the viewer's own, "" where there are none.
    """

    id: OutsideId
    spoken: ClassVar[str] = ""


def fingerprint(command: Command | ViewerCommand) -> str:
    """Of all that a command says but its id: the same id with another one is another command."""
    fields = cast("dict[str, Any]", msgspec.to_builtins(command))
    content = msgspec.json.encode({**fields, "id": ""}, order="deterministic")
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def first_answer(kept: dict[str, Any], command: Command | ViewerCommand) -> dict[str, Any]:
    """The outcome that was kept with an id, for the same command sent again. Older records have no fingerprint.

    Raises:
        IdReused: the id belongs to another command.
    """
    outcome = dict(kept)
    if outcome.pop(FINGERPRINT, None) not in (None, fingerprint(command)):
        raise IdReused()
    return outcome


def inverse_id(command_id: str) -> str:
    """The id under which a command is undone: fixed, so that undoing twice is undoing once."""
    return f"undo-{command_id}"[:64]
