"""Fields of what is sent to the stock call and kept in the ledger, by name. Pure.

msgpack arrays whose order is that of the fields here and of the tables in stock/lua/05_names.lua; a test compares both.
Fields are only ever appended: ledger entries stay for years, and processes of the version before and after an update
read each other's entries. So readers take the fields they know and leave the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import msgpack

pack = partial(msgpack.packb, use_bin_type=False)  # the server's cmsgpack knows no bin type
unpack = partial(msgpack.unpackb, raw=True, strict_map_key=False)


class TemplateFields(NamedTuple):
    """What many operations have in common, as it is sent: everything but id, viewer and chat.

    Attributes:
        digest: of the content, by which a second use of an id is known; price, limits, times and what was
            expected are no content.
        lines: LineFields one after the other.
        product_limits: the limit per viewer of each line's product; of a `set`, which has no line, of the claim's.
            Entries written before this field was appended do not have it.
        expected: units that must be available for a `set_available`, minor units that a claim must cost for a
            `reprice`, 1 where an `extend` is to take an offer alone; -1: whatever they are. Appended after
            product_limits.
    """

    kind: str
    show: str
    source: str
    digest: bytes = b""
    reservation: str = ""
    item: str = ""
    quantity: int = 0
    reason: str = ""
    seconds: int = 0
    fill_all: bool = False
    repeat_policy: int = 0
    waitlist: bool = False
    per_item: int = 0
    per_show: int = 0
    per_comment: int = 0
    hold_max: int = 0
    lines: tuple[Any, ...] = ()
    product_limits: tuple[int, ...] = ()
    expected: int = -1


class LineFields(NamedTuple):
    """One line: the sku, units, the key of the offer and its bytes (OfferFields)."""

    item: str
    quantity: int
    offer: bytes
    offer_bytes: bytes


class OfferFields(NamedTuple):
    """What was promised when a claim was made."""

    item: bytes
    price: int
    currency: bytes
    text: bytes
    source: bytes


class Run(NamedTuple):
    """Plain claims in a row: first operation, how many, first number, available after the first, template (from 1)."""

    first: int
    length: int
    number: int
    available: int
    template: int


class ShowRun(NamedTuple):
    """A run as the show log tells it."""

    first: int
    length: int
    number: int
    template: int


class ClaimEffect(NamedTuple):
    """A claim after a change: `operation` made it, `by` changed it."""

    kind: bytes
    show: bytes
    viewer: bytes
    operation: bytes
    item: bytes
    number: int
    offer: bytes
    state: int
    held: int
    waiting: int
    flags: int
    deadline: int
    hold: int
    cause: bytes
    by: bytes


class AnswerEffect(NamedTuple):
    """An operation that was done."""

    kind: bytes
    show: bytes
    viewer: bytes
    operation: bytes
    digest: bytes
    answer: bytes
    staff: int


class SupplyEffect(NamedTuple):
    """A change of supply or sale."""

    kind: bytes
    show: bytes
    item: bytes
    cause: bytes
    quantity: int
    reason: bytes
    source: bytes


_POSITION = {name: position for position, name in enumerate(TemplateFields._fields)}


class RunTemplate(NamedTuple):
    """What the claims of a run share."""

    show: str
    source: str
    digest: bytes
    seconds: int
    item: str
    quantity: int
    offer: bytes
    price: int
    currency: str
    text: str


def runs_of(flat: list[int]) -> Iterator[Run]:
    """Runs, which stand one after the other in a flat array."""
    width = len(Run._fields)
    for start in range(0, len(flat), width):
        yield Run(*flat[start : start + width])


def claim_effect(effect: list[Any]) -> ClaimEffect:
    return ClaimEffect(*effect[: len(ClaimEffect._fields)])


def answer_effect(effect: list[Any]) -> AnswerEffect:
    return AnswerEffect(*effect[: len(AnswerEffect._fields)])


def supply_effect(effect: list[Any]) -> SupplyEffect:
    return SupplyEffect(*effect[: len(SupplyEffect._fields)])


def run_template(template: bytes) -> RunTemplate:
    """The template of a run, which has one line, from its bytes."""
    fields: list[Any] = unpack(template)
    line = LineFields(*fields[_POSITION["lines"]])
    offer = OfferFields(*unpack(line.offer_bytes))
    return RunTemplate(
        show=fields[_POSITION["show"]].decode(),
        source=fields[_POSITION["source"]].decode(),
        digest=fields[_POSITION["digest"]],
        seconds=fields[_POSITION["seconds"]],
        item=offer.item.decode(),
        quantity=line.quantity,
        offer=line.offer,
        price=offer.price,
        currency=offer.currency.decode(),
        text=offer.text.decode(),
    )
