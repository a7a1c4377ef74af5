"""What can be done to stock. Every operation carries an `id`: the same id does it once and gets the same answer again.

Ids are client-made, `[A-Za-z0-9_-]{8,64}`, and count per show and viewer (operations without a viewer: per show):
nobody can use up somebody else's id. `shop`, `show`, `viewer` are `[a-z0-9-]{1,40}`. An item (sku) is 1-100 printable
characters without `#`. Quantities are whole numbers 1-9,999; supplies up to 10^9; money up to 10^12 minor units.

`chat` is the msgpack of the chat event written to the show log in the same call, once per id, whatever the outcome.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

QUANTITY_MAX = 9_999  # two bytes in a stored claim; nobody buys 10,000 of a thing in one comment
SUPPLY_MAX = 1_000_000_000  # four bytes a counter, with room for sums
PRICE_MINOR_MAX = 10**12  # far under 2^53, so that no double rounds it
HOLD_SECONDS_MAX = 30 * 86_400  # three bytes; a hold longer than a month is an order
ITEM_LENGTH_MAX = 100  # characters of a sku: a code and the values of its options
RESERVATION_LENGTH_MAX = ITEM_LENGTH_MAX + 11  # `<sku>#<number>`, the number of ten digits at most
LINES_MAX = 16  # a comment has 200 characters; a set has a handful of items
OFFER_TEXT_LENGTH_MAX = 200
ID_LENGTH_KEPT = 60  # of the 64 an id may have; what is left is for the number of a step, 999 at most


def step_id(identity: str, step: int) -> str:
    """The id of one of several operations that one comment or command comes to: the same again for the same step."""
    return f"{identity[:ID_LENGTH_KEPT]}-{step}"


class Line(Struct, frozen=True, gc=False):
    """One thing wanted, with the price as the viewer saw it. `text` is the offer in words, at most 200 characters.

    `limit_per_viewer` is the limit of the line's product: units over all its options, see `Limits.per_item`.
    """

    item: str
    quantity: int
    unit_price_minor: int
    currency: str
    text: str = ""
    limit_per_viewer: int = 0


class Limits(Struct, frozen=True, gc=False):
    """Units allowed; 0 = no limit.

    `per_item` and `per_show` count active (held, waiting, offered) and confirmed claims of the viewer in the show;
    `per_item` those of one product over all its options, and the product's own limit may be stricter. `per_comment`
    counts this operation; `hold_max` caps what a restricted buyer may hold unpaid at one time in the show. A line that
    asks for more than a limit leaves is refused whole; what adds nothing (less of it, another option) never is.
    """

    per_item: int = 0
    per_show: int = 0
    per_comment: int = 0
    hold_max: int = 0


class Reserve(Struct, frozen=True, tag="reserve", gc=False):
    """Hold units for a viewer.

    fill: `any` holds what there is of each line (the rest waits if `waitlist`); `all` holds every line in full or none.
        One line with `all` and `waitlist` waits for the whole quantity; several lines with `all` (a set) never wait.
    repeat: when the viewer has an active claim on the item in this show: `add` makes another; `set` brings the viewer's
        total to `quantity`; `once` refuses with `already_claimed`.
    """

    id: str
    shop: str
    show: str
    viewer: str
    lines: tuple[Line, ...]
    fill: Literal["any", "all"] = "any"
    repeat: Literal["add", "set", "once"] = "add"
    waitlist: bool = True
    limits: Limits = Limits()
    hold_seconds: int = 900
    source: str = "comment"
    chat: bytes = b""


class Cancel(Struct, frozen=True, tag="cancel"):
    """End claims: `reservation`; or all active ones of the viewer on `item`; or, with neither, in the show.

    With a viewer the reservation must be that viewer's (`not_yours`); staff leave `viewer` empty. A confirmed claim is
    not cancelled but released.
    """

    id: str
    shop: str
    show: str
    viewer: str = ""
    reservation: str = ""
    item: str = ""
    source: str = "comment"
    chat: bytes = b""


class Reduce(Struct, frozen=True, tag="reduce"):
    """Give back `quantity` units of `reservation` or of the viewer's claims on `item`; newest, waiting ones first."""

    id: str
    shop: str
    show: str
    quantity: int
    viewer: str = ""
    reservation: str = ""
    item: str = ""
    source: str = "comment"
    chat: bytes = b""


class SetQuantity(Struct, frozen=True, tag="set"):
    """Bring `reservation` to `quantity` units, up (in full or not at all) or down, at the price it has.

    `limit_per_viewer` is the limit of the claim's product, as in a Line.
    """

    id: str
    shop: str
    show: str
    reservation: str
    quantity: int
    viewer: str = ""
    limits: Limits = Limits()
    limit_per_viewer: int = 0
    source: str = "comment"
    chat: bytes = b""


class Swap(Struct, frozen=True, tag="swap"):
    """Exchange `reservation` for `line` (other option or item). The old one is given up only if the new is had."""

    id: str
    shop: str
    show: str
    reservation: str
    line: Line
    viewer: str = ""
    limits: Limits = Limits()
    hold_seconds: int = 900
    source: str = "comment"
    chat: bytes = b""


class Reprice(Struct, frozen=True, tag="reprice"):
    """A price cut: `reservation`, while it is active, gets the price of `line` if that is lower. Units stay.

    With `expected_minor` it gets it, higher or lower, if it has this price now: a cut that is taken back.
    """

    id: str
    shop: str
    show: str
    reservation: str
    line: Line
    source: str = "staff"
    chat: bytes = b""
    expected_minor: int | None = None


class Confirm(Struct, frozen=True, tag="confirm"):
    """Paid or promised: held units become sold. Units of it that still waited leave the line."""

    id: str
    shop: str
    show: str
    reservation: str
    viewer: str = ""
    source: str = "api"
    chat: bytes = b""


class Unconfirm(Struct, frozen=True, tag="unconfirm"):
    """The promise of payment is taken back: sold units are held again, for `seconds` from now. The claim stays."""

    id: str
    shop: str
    show: str
    reservation: str
    seconds: int = 900
    viewer: str = ""
    source: str = "api"
    chat: bytes = b""


class Release(Struct, frozen=True, tag="release"):
    """Staff or payment give an active claim back, or return a confirmed one to stock."""

    id: str
    shop: str
    show: str
    reservation: str
    viewer: str = ""
    source: str = "api"
    chat: bytes = b""


class Extend(Struct, frozen=True, tag="extend"):
    """Checkout has begun: `seconds` more from now, once a claim. An offer from the waitlist is accepted by this, which
    is not counted; with `only_offered` nothing else is extended.
    """

    id: str
    shop: str
    show: str
    reservation: str
    seconds: int = 900
    viewer: str = ""
    source: str = "api"
    chat: bytes = b""
    only_offered: bool = False


class Expire(Struct, frozen=True, tag="expire"):
    """Expire the reservation if its time is over, else `unchanged`. Every other operation does so by itself."""

    id: str
    shop: str
    show: str
    reservation: str
    source: str = "api"
    chat: bytes = b""


class Restock(Struct, frozen=True, tag="restock"):
    """Add units; 0 makes the item known. Who waits is served in the same call."""

    id: str
    shop: str
    show: str
    item: str
    quantity: int
    source: str = "staff"
    chat: bytes = b""


class Adjust(Struct, frozen=True, tag="adjust"):
    """Correct the count by `quantity` (either sign) with a reason. Never below what is held and sold."""

    id: str
    shop: str
    show: str
    item: str
    quantity: int
    reason: str
    source: str = "staff"
    chat: bytes = b""


class SetAvailable(Struct, frozen=True, tag="set_available"):
    """Bring what anyone may still reserve to `available` units, whatever was held and sold; makes the item known.

    With `expected` only if so many are available now, else `stock_changed`: who counts must have seen what changes.
    Units for which somebody waits are offered in the same call.
    """

    id: str
    shop: str
    show: str
    item: str
    available: int
    expected: int | None = None
    source: str = "staff"
    chat: bytes = b""


class Close(Struct, frozen=True, tag="close"):
    """Stop the sale of `item` (empty: of the whole shop). Claims stay; nobody is promoted while closed."""

    id: str
    shop: str
    show: str
    item: str = ""
    source: str = "staff"
    chat: bytes = b""


class Open(Struct, frozen=True, tag="open"):
    """Resume the sale of `item` (empty: of the whole shop)."""

    id: str
    shop: str
    show: str
    item: str = ""
    source: str = "staff"
    chat: bytes = b""


Operation = (
    Reserve
    | Cancel
    | Reduce
    | SetQuantity
    | Swap
    | Reprice
    | Confirm
    | Unconfirm
    | Release
    | Extend
    | Expire
    | Restock
    | Adjust
    | SetAvailable
    | Close
    | Open
)
