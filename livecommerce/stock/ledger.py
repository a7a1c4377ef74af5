"""The ledger: one stream entry a batch, written in the call that changed the state. Here it is read. Pure.

Stream `lc:{shop}:ledger`, field `b` = msgpack [version, at_ms, templates, operations, runs, effects]: the batch as it
was sent, the runs of plain claims (first operation, how many, first number, available after the first, template), and
the effects of everything else. `decode` turns an entry into values; nobody else needs to know the layout.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from livecommerce.stock.encoding import RUN_FIELDS, id_text, unpack
from livecommerce.stock.outcomes import CLAIM_STATES, Counters
from livecommerce.stock.records import StoredClaim, StoredOperation, parse_item, short_answer

VERSION = 2


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


def _run(entry: Entry, templates: list[bytes], columns: list[Any], run: list[int], with_claims: bool) -> None:
    first, length, number, available, which = run
    template: list[Any] = unpack(templates[which - 1])
    _, ids, viewers = columns
    show, source, digest, seconds = template[1].decode(), template[2].decode(), template[3], template[8]
    name, quantity, key, offer = template[16]
    item = name.decode()
    _, price, currency, text, _ = unpack(offer)
    deadline = entry.at_ms + seconds * 1000
    for place in range(first - 1, first - 1 + length):
        raw, viewer = ids[place], viewers[place].decode()
        claim = StoredClaim(key, number, 1, quantity, 0, 0, deadline, seconds)
        answer = short_answer(entry.at_ms, item, number, quantity, deadline, available)
        entry.plain.append((show, viewer, item, StoredOperation(raw, digest, answer, entry.at_ms, [claim])))
        if with_claims:
            made = id_text(raw)
            entry.claims.append(
                LedgerClaim(
                    reservation=f"{item}#{number}",
                    item=item,
                    number=number,
                    show=show,
                    viewer=viewer,
                    id=made,
                    by=made,
                    cause="reserve",
                    state="held",
                    quantity=quantity,
                    reserved=quantity,
                    waiting=0,
                    deadline_ms=deadline,
                    unit_price_minor=price,
                    currency=currency.decode(),
                    text=text.decode(),
                    source=source,
                    at_ms=entry.at_ms,
                )
            )
        number += 1
        available -= quantity


def _change(entry: Entry, effect: list[Any]) -> None:
    show, viewer, operation, item, number, key, state, held, waiting, flags, deadline, hold, cause, by = effect[1:15]
    name = item.decode()
    claim = StoredClaim(key, number, state, held, waiting, flags, deadline, hold)
    entry.changes.append(StoredChange(show.decode(), viewer.decode(), operation, name, claim))
    _, price, currency, text, source = unpack(entry.offers[key])
    entry.claims.append(
        LedgerClaim(
            reservation=f"{name}#{number}",
            item=name,
            number=number,
            show=show.decode(),
            viewer=viewer.decode(),
            id=id_text(operation),
            by=id_text(by),
            cause=cause.decode(),
            state=CLAIM_STATES[state - 1],
            quantity=held + waiting,
            reserved=held,
            waiting=waiting,
            deadline_ms=deadline,
            unit_price_minor=price,
            currency=currency.decode(),
            text=text.decode(),
            source=source.decode(),
            at_ms=entry.at_ms,
        )
    )


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
            for start in range(0, len(runs), RUN_FIELDS):
                _run(entry, templates, columns, runs[start : start + RUN_FIELDS], with_claims)
        for effect in effects:
            kind = effect[0]
            if kind == b"c":
                _change(entry, effect)
            elif kind == b"o":
                show, viewer, operation, digest, answer, staff = effect[1:7]
                done = StoredAnswer(show.decode(), viewer.decode(), operation, digest, answer, bool(staff))
                entry.changes.append(done)
            elif kind == b"s":
                show, item, cause, reason, source = (effect[place].decode() for place in (1, 2, 3, 5, 6))
                entry.supplies.append(LedgerSupply(show, item, cause, effect[4], reason, source, at))
            elif kind == b"i":
                entry.counters[effect[1].decode()] = parse_item(effect[2])
    except LedgerUnreadable:
        raise
    except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
        raise LedgerUnreadable(f"ledger entry {name} cannot be read: {error!r}") from error
    return entry
