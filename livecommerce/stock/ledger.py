"""The ledger: one stream entry a batch, written in the call that changed the state. Here it is read. Pure.

Stream `lc:{shop}:ledger`, field `b` = msgpack [version, at_ms, templates, operations, runs, effects]: the batch as it
was sent, the runs of plain claims (first operation, how many, first number, available after the first, template), and
the effects of everything else. `decode` turns an entry into values; nobody else needs to know the layout.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from livecommerce.stock.encoding import id_text
from livecommerce.stock.outcomes import CLAIM_STATES, Counters
from livecommerce.stock.records import StoredClaim, StoredOperation, parse_item, short_answer
from livecommerce.stock.wire import (
    OfferFields,
    Run,
    answer_effect,
    claim_effect,
    run_template,
    runs_of,
    supply_effect,
    unpack,
)

VERSION = 2  # of the layout; fields appended to a template or an effect are no new version, see wire.py


class LedgerUnreadable(ValueError):
    """An entry of an unknown version or form: written by a newer program, or damaged."""


class LedgerClaim(Struct, frozen=True):
    """A claim as it is after a change. The same reservation comes again whenever it changes; the last one counts.

    Attributes:
        reservation, item, number, show, viewer: which claim.
        id: the operation that made it (the comment); by: the operation that changed it now.
        cause: reserve, cancel, reduce, set, swap, confirm, release, extend, promote or expire.
        state: held, waiting, offered, confirmed, cancelled, expired or released.
        quantity: reserved + waiting; of an ended claim what it had at its end.
        reserved, waiting: units held (or sold) and units in line.
    """

    reservation: str
    item: str
    number: int
    show: str
    viewer: str
    id: str
    by: str
    cause: str
    state: str
    quantity: int
    reserved: int
    waiting: int
    deadline_ms: int
    unit_price_minor: int
    currency: str
    text: str
    source: str
    at_ms: int


class LedgerSupply(Struct, frozen=True):
    """A change of supply or sale: restock, adjust, close or open. `item` empty: of the whole shop."""

    show: str
    item: str
    cause: str
    quantity: int
    reason: str
    source: str
    at_ms: int


class StoredChange(Struct, frozen=True):
    """A claim in its stored form, with where it belongs; what `rebuild` needs."""

    show: str
    viewer: str
    operation: bytes
    item: str
    claim: StoredClaim


class StoredAnswer(Struct, frozen=True):
    """An operation that was done: its digest and answer. `viewer` empty: an operation of staff alone."""

    show: str
    viewer: str
    operation: bytes
    digest: bytes
    answer: bytes
    staff: bool


class Entry(Struct, frozen=True):
    """One ledger entry, in order of what happened.

    Attributes:
        id: stream id, the position of the entry.
        at_ms: server time of the batch.
        claims, supplies: what changed, for projections.
        changes, plain, answers, counters, offers: the stored forms, for `rebuild` and `verify`.
    """

    id: str
    at_ms: int
    claims: list[LedgerClaim]
    supplies: list[LedgerSupply]
    plain: list[tuple[str, str, str, StoredOperation]]
    changes: list[StoredChange | StoredAnswer]
    counters: dict[str, tuple[Counters, int, int]]
    offers: dict[bytes, bytes]


def _run(entry: Entry, templates: list[bytes], columns: list[Any], run: Run, with_claims: bool) -> None:
    shared = run_template(templates[run.template - 1])
    item, quantity, number, available = shared.item, shared.quantity, run.number, run.available
    _, ids, viewers = columns
    deadline = entry.at_ms + shared.seconds * 1000
    for place in range(run.first - 1, run.first - 1 + run.length):
        raw, viewer = ids[place], viewers[place].decode()
        claim = StoredClaim(shared.offer, number, 1, quantity, 0, 0, deadline, shared.seconds)
        answer = short_answer(entry.at_ms, item, number, quantity, deadline, available)
        operation = StoredOperation(raw, shared.digest, answer, entry.at_ms, [claim])
        entry.plain.append((shared.show, viewer, item, operation))
        if with_claims:
            made = id_text(raw)
            entry.claims.append(
                LedgerClaim(
                    reservation=f"{item}#{number}",
                    item=item,
                    number=number,
                    show=shared.show,
                    viewer=viewer,
                    id=made,
                    by=made,
                    cause="reserve",
                    state="held",
                    quantity=quantity,
                    reserved=quantity,
                    waiting=0,
                    deadline_ms=deadline,
                    unit_price_minor=shared.price,
                    currency=shared.currency,
                    text=shared.text,
                    source=shared.source,
                    at_ms=entry.at_ms,
                )
            )
        number += 1
        available -= quantity


def _change(entry: Entry, effect: list[Any]) -> None:
    told = claim_effect(effect)
    show, viewer, item = told.show.decode(), told.viewer.decode(), told.item.decode()
    claim = StoredClaim(
        told.offer, told.number, told.state, told.held, told.waiting, told.flags, told.deadline, told.hold
    )
    entry.changes.append(StoredChange(show, viewer, told.operation, item, claim))
    offer = OfferFields(*unpack(entry.offers[told.offer]))
    entry.claims.append(
        LedgerClaim(
            reservation=f"{item}#{told.number}",
            item=item,
            number=told.number,
            show=show,
            viewer=viewer,
            id=id_text(told.operation),
            by=id_text(told.by),
            cause=told.cause.decode(),
            state=CLAIM_STATES[told.state - 1],
            quantity=told.held + told.waiting,
            reserved=told.held,
            waiting=told.waiting,
            deadline_ms=told.deadline,
            unit_price_minor=offer.price,
            currency=offer.currency.decode(),
            text=offer.text.decode(),
            source=offer.source.decode(),
            at_ms=entry.at_ms,
        )
    )


def _done(effect: list[Any]) -> StoredAnswer:
    told = answer_effect(effect)
    return StoredAnswer(
        told.show.decode(), told.viewer.decode(), told.operation, told.digest, told.answer, bool(told.staff)
    )


def _supply(effect: list[Any], at_ms: int) -> LedgerSupply:
    told = supply_effect(effect)
    show, item, cause = told.show.decode(), told.item.decode(), told.cause.decode()
    return LedgerSupply(show, item, cause, told.quantity, told.reason.decode(), told.source.decode(), at_ms)


def decode(entry_id: bytes | str, fields: Mapping[bytes, bytes], *, with_claims: bool = True) -> Entry:
    """An entry of the stream as values.

    Claims of a batch come in the order: runs of plain claims first, then the rest in order of happening; of one
    reservation always in order.

    Raises:
        LedgerUnreadable: another version, or damaged.
    """
    name = entry_id.decode() if isinstance(entry_id, bytes) else entry_id
    try:
        version, at, templates_data, operations_data, runs, effects = unpack(fields[b"b"])
        if version != VERSION:
            raise LedgerUnreadable(f"ledger entry {name} has version {version}, this program reads {VERSION}")
        entry = Entry(name, at, [], [], [], [], {}, {})
        for effect in effects:
            if effect[0] == b"f":
                entry.offers[effect[1]] = effect[2]
        if runs:
            templates, columns = unpack(templates_data), unpack(operations_data)
            for run in runs_of(runs):
                _run(entry, templates, columns, run, with_claims)
        for effect in effects:
            kind = effect[0]
            if kind == b"c":
                _change(entry, effect)
            elif kind == b"o":
                entry.changes.append(_done(effect))
            elif kind == b"s":
                entry.supplies.append(_supply(effect, at))
            elif kind == b"i":
                entry.counters[effect[1].decode()] = parse_item(effect[2])
    except LedgerUnreadable:
        raise
    except (KeyError, IndexError, ValueError, TypeError, AttributeError, struct.error) as error:
        raise LedgerUnreadable(f"ledger entry {name} cannot be read: {error!r}") from error
    return entry
