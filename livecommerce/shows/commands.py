"""The staff commands of a show: one tagged struct each (`do` names it), who may give them, and how they are read."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta, Struct

from livecommerce.errors import BadInput, CommandUnknown
from livecommerce.shows.model import OUTSIDE_ID_PATTERN, Code, Minor, OutsideId

Text = Annotated[str, Meta(min_length=1, max_length=500)]
Viewer = Annotated[str, Meta(min_length=1, max_length=64)]
Sku = Annotated[str, Meta(min_length=1, max_length=200)]
Reservation = Annotated[str, Meta(min_length=3, max_length=220)]
Word = Annotated[str, Meta(min_length=1, max_length=40)]
Pieces = Annotated[int, Meta(ge=1, le=1_000_000)]


class Actor(Struct, frozen=True):
    """Who gives a command: a staff login and role (`owner`, `host`, `moderator`)."""

    login: str
    role: str


class Command(Struct, frozen=True, kw_only=True, tag_field="do"):
    """`id` is made by the page; the same id again gives the first answer and changes nothing."""

    id: OutsideId
    host_only: ClassVar[bool] = False
    through_stock: ClassVar[bool] = False


class Start(Command, frozen=True, kw_only=True, tag="start"):
    host_only: ClassVar[bool] = True


class End(Command, frozen=True, kw_only=True, tag="end"):
    host_only: ClassVar[bool] = True


class Pin(Command, frozen=True, kw_only=True, tag="pin"):
    code: Code


class Unpin(Command, frozen=True, kw_only=True, tag="unpin"):
    """Nothing is pinned any more."""


class Restock(Command, frozen=True, kw_only=True, tag="restock"):
    sku: Sku
    quantity: Pieces
    host_only: ClassVar[bool] = True
    through_stock: ClassVar[bool] = True


class Adjust(Command, frozen=True, kw_only=True, tag="adjust"):
    sku: Sku
    quantity: Annotated[int, Meta(ge=-1_000_000, le=1_000_000)]
    reason: Annotated[str, Meta(max_length=200)] = ""
    host_only: ClassVar[bool] = True
    through_stock: ClassVar[bool] = True


class Price(Command, frozen=True, kw_only=True, tag="price"):
    code: Code
    price_minor: Minor
    host_only: ClassVar[bool] = True


class CloseItem(Command, frozen=True, kw_only=True, tag="close_item"):
    code: Code


class OpenItem(Command, frozen=True, kw_only=True, tag="open_item"):
    code: Code


class AddItem(Command, frozen=True, kw_only=True, tag="add_item"):
    item: dict[str, Any]
    host_only: ClassVar[bool] = True
    through_stock: ClassVar[bool] = True


class RemoveItem(Command, frozen=True, kw_only=True, tag="remove_item"):
    code: Code
    host_only: ClassVar[bool] = True


class Hide(Command, frozen=True, kw_only=True, tag="hide"):
    comment: OutsideId


class Unhide(Command, frozen=True, kw_only=True, tag="unhide"):
    comment: OutsideId


class Mute(Command, frozen=True, kw_only=True, tag="mute"):
    viewer: Viewer
    seconds: Annotated[int, Meta(ge=1, le=30 * 86_400)] = 600


class Unmute(Command, frozen=True, kw_only=True, tag="unmute"):
    viewer: Viewer


class Ban(Command, frozen=True, kw_only=True, tag="ban"):
    """`addresses` are marks, never plain addresses: kept by `unban`, for its undo. The processes that the viewer is
    connected to add those it watches from."""

    viewer: Viewer
    addresses: Annotated[tuple[str, ...], Meta(max_length=8)] = ()


class Unban(Command, frozen=True, kw_only=True, tag="unban"):
    viewer: Viewer


class Restrict(Command, frozen=True, kw_only=True, tag="restrict"):
    viewer: Viewer
    hold_max: Annotated[int, Meta(ge=0, le=10_000)] = 0


class Unrestrict(Command, frozen=True, kw_only=True, tag="unrestrict"):
    viewer: Viewer


class Shadow(Command, frozen=True, kw_only=True, tag="shadow"):
    viewer: Viewer


class Unshadow(Command, frozen=True, kw_only=True, tag="unshadow"):
    viewer: Viewer


class CancelReservation(Command, frozen=True, kw_only=True, tag="cancel"):
    reservation: Reservation
    through_stock: ClassVar[bool] = True


class Extend(Command, frozen=True, kw_only=True, tag="extend"):
    reservation: Reservation
    seconds: Annotated[int, Meta(ge=10, le=7 * 86_400)] = 900
    through_stock: ClassVar[bool] = True


class AcceptLine(Struct, frozen=True):
    code: Code
    options: dict[str, str] | list[str] = {}
    quantity: Annotated[int, Meta(ge=1, le=99)] = 1


class Accept(Command, frozen=True, kw_only=True, tag="accept"):
    comment: OutsideId
    lines: Annotated[tuple[AcceptLine, ...], Meta(min_length=1, max_length=20)]
    remember: Annotated[str, Meta(max_length=40)] | None = None
    through_stock: ClassVar[bool] = True


class Dismiss(Command, frozen=True, kw_only=True, tag="dismiss"):
    comment: OutsideId


class SetSettings(Command, frozen=True, kw_only=True, tag="settings"):
    slow_seconds: Annotated[int, Meta(ge=0, le=600)] | None = None
    links_off: bool | None = None
    first_hold: bool | None = None
    waitlist: bool | None = None
    repeat: Annotated[str, Meta(pattern="^(add|set|once)$")] | None = None
    fill: Annotated[str, Meta(pattern="^(any|all)$")] | None = None


class Words(Command, frozen=True, kw_only=True, tag="words"):
    add: Annotated[tuple[Word, ...], Meta(max_length=200)] = ()
    remove: Annotated[tuple[Word, ...], Meta(max_length=200)] = ()


class Notice(Command, frozen=True, kw_only=True, tag="notice"):
    text: Annotated[str, Meta(max_length=300)] | None = None


class Say(Command, frozen=True, kw_only=True, tag="say"):
    text: Text
    name: Annotated[str, Meta(max_length=40)] = ""


class Undo(Command, frozen=True, kw_only=True, tag="undo"):
    command: OutsideId
    through_stock: ClassVar[bool] = True


AnyCommand = (
    Start | End | Pin | Unpin | Restock | Adjust | Price | CloseItem | OpenItem | AddItem | RemoveItem | Hide | Unhide
    | Mute | Unmute | Ban | Unban | Restrict | Unrestrict | Shadow | Unshadow | CancelReservation | Extend | Accept
    | Dismiss | SetSettings | Words | Notice | Say | Undo
)  # fmt: skip

KINDS: dict[str, type[Command]] = {kind.__struct_config__.tag: kind for kind in AnyCommand.__args__}


def read_command(raw: Any) -> Command:
    """A command from what a page or an API client sent.

    Raises:
        CommandUnknown: `do` names none. BadInput: a field is missing or out of range; the message names it.
    """
    if not isinstance(raw, dict):
        raise BadInput("A command is a map with `id`, `do` and the fields of that command.")
    kind = KINDS.get(raw.get("do", "")) if isinstance(raw.get("do"), str) else None
    if kind is None:
        raise CommandUnknown(f"There is no command {str(raw.get('do'))[:40]!r}.")
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise BadInput(f"{raw['do']}: {error}") from error


def inverse_id(command_id: str) -> str:
    """The id under which a command is undone: fixed, so that undoing twice is undoing once."""
    return f"undo-{command_id}"[:64]


__all__ = ["KINDS", "OUTSIDE_ID_PATTERN", "Actor", "AnyCommand", "Command", "read_command"]
