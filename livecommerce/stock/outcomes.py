"""What became of an operation. Expected outcomes are values: nothing here is raised.

`Outcome` is stored in Valkey as the small number beside it (`OUTCOME_NUMBERS`): never renumber, only append.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct


class Outcome(StrEnum):
    """The answer in one word; `CHANGED` and `REFUSED` group them."""

    # changed something
    RESERVED = "reserved"  # all that was wanted is held
    PARTLY = "partly"  # some is held; the rest waits (waiting > 0) or was not to be had
    WAITING = "waiting"  # all of it waits in line
    CANCELLED = "cancelled"
    REDUCED = "reduced"
    CHANGED = "changed"  # the quantity was set to another value
    SWAPPED = "swapped"
    CONFIRMED = "confirmed"
    RELEASED = "released"
    EXTENDED = "extended"
    EXPIRED = "expired"
    RESTOCKED = "restocked"
    ADJUSTED = "adjusted"
    CLOSED = "closed"
    OPENED = "opened"
    # stored with the id, nothing else changed
    UNCHANGED = "unchanged"  # the state asked for is already so
    SOLD_OUT = "sold_out"
    OVER_LIMIT = "over_limit"
    SALES_CLOSED = "sales_closed"
    ITEM_UNKNOWN = "item_unknown"
    RESERVATION_UNKNOWN = "reservation_unknown"
    NOT_YOURS = "not_yours"
    NOT_ACTIVE = "not_active"  # cancelled, expired, released or confirmed before
    ALREADY_EXTENDED = "already_extended"
    ADJUST_TOO_LOW = "adjust_too_low"  # more would be taken away than is available
    ALREADY_CLAIMED = "already_claimed"  # repeat policy `once`
    # not stored: the same id may be sent again
    ID_REUSED = "id_reused"  # the id came before with other content; the first answer stands
    INPUT_BAD = "input_bad"
    QUANTITY_BAD = "quantity_bad"
    TOO_MANY_OPERATIONS = "too_many_operations"  # this viewer has used up the ids of this show
    STOCK_CHANGED = "stock_changed"  # stored, appended later: other units are available than was expected
    # never stored: these have no number that could be read again, so what is stored is appended before them
    BUSY = "busy"
    RECONCILING = "reconciling"  # after a failover, until the ledger has been compared
    STORAGE_FULL = "storage_full"
    READ_ONLY = "read_only"
    UNAVAILABLE = "unavailable"  # no answer from the store in time; it may or may not have been applied: same id again


OUTCOMES: tuple[Outcome, ...] = tuple(Outcome)
OUTCOME_NUMBERS: dict[Outcome, int] = {outcome: number for number, outcome in enumerate(OUTCOMES, start=1)}
"""Number of each outcome in stored records and in lua/05_names.lua (a test compares both lists)."""

CLAIM_STATES: tuple[str, ...] = ("held", "waiting", "offered", "confirmed", "cancelled", "expired", "released")
"""Stored as 1..7. The first three are active: their units count; `confirmed` counts as sold."""

ACTIVE_STATES: tuple[str, ...] = CLAIM_STATES[:3]

RETRYABLE: frozenset[Outcome] = frozenset(
    (Outcome.BUSY, Outcome.RECONCILING, Outcome.STORAGE_FULL, Outcome.READ_ONLY, Outcome.UNAVAILABLE)
)


LIMIT_KINDS: tuple[str, ...] = ("product", "show", "comment", "unpaid")
"""Which limit refused a line, stored as 1..4: Limits.per_item or the product's, per_show, per_comment, hold_max."""


class LineAnswer(Struct, frozen=True, gc=False, omit_defaults=True):
    """One line of an answer.

    Attributes:
        item: the sku.
        outcome: of this line.
        reservation: `<sku>#<number>`, or None where there is none.
        reserved, waiting: units of this claim held and waiting after the operation.
        number: the claim's number in line for the item, from 1; 0 without a claim.
        position: place in the waitlist from 1; 0 when not waiting.
        deadline_ms: until when the units are held, Unix milliseconds of the server; 0 without.
        available: units of the item anyone may still reserve after the operation.
        limit, had: of `over_limit`: what is allowed, and what of it the viewer had; else 0.
    """

    item: str
    outcome: Outcome
    reservation: str | None
    reserved: int
    waiting: int
    number: int
    position: int
    deadline_ms: int
    available: int
    limit: int = 0
    had: int = 0


class Answer(Struct, frozen=True, gc=False):
    """The answer to an operation; the same id gets the same answer again, field for field.

    Attributes:
        id: of the operation.
        outcome: of the whole: that of a single line; of several the best one (`partly` when they differ).
        lines: one a line of a Reserve; one a touched claim else.
        at_ms: server time of the first answer; 0 when the store was never reached.
        retry_after_ms: > 0 for outcomes in RETRYABLE.
        reason: an English sentence for refusals that have more to say than the outcome; else empty. Of several lines
            past a limit it is about the first.
    """

    id: str
    outcome: Outcome
    lines: tuple[LineAnswer, ...]
    at_ms: int
    retry_after_ms: int = 0
    reason: str = ""


def limit_words(kind: str, limit: int, had: int) -> str:
    """Why a line was `over_limit`: the limit, what the viewer has, and so what is left."""
    match kind:
        case "product":
            return f"Limit {limit} a person of this product; you have {had}."
        case "show":
            return f"Limit {limit} a person in this show; you have {had}."
        case "comment":
            return f"Limit {limit} a comment."
        case _:
            return f"Limit {limit} unpaid at a time; you have {had}."


class Counters(Struct, frozen=True, gc=False):
    """The quantities of an item; available + held + sold == supplied, always. `waiting` units stand in line."""

    available: int
    held: int
    sold: int
    waiting: int
    supplied: int
    closed: bool = False


class Claim(Struct, frozen=True):
    """A viewer's claim on an item, as pages and orders need it.

    `quantity` is held + waiting units; of an ended claim what it had at its end. `reserved` is the held or sold part.
    `position` is the place in the waitlist now. `id` is the operation (comment) that made it.
    """

    reservation: str
    item: str
    number: int
    show: str
    viewer: str
    id: str
    state: str
    quantity: int
    reserved: int
    waiting: int
    position: int
    unit_price_minor: int
    currency: str
    text: str
    source: str
    deadline_ms: int
    at_ms: int
    extended: bool

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__struct_fields__}
