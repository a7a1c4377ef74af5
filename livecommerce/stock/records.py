"""Viewer records and counters as stored. Pure; stock/lua/10_codec.lua writes them. Layout in docs/stock.md."""

from __future__ import annotations

from struct import Struct as Layout

from msgspec import Struct

from livecommerce.stock.encoding import ANSWER_HEAD, ANSWER_LINE
from livecommerce.stock.outcomes import OUTCOME_NUMBERS, Counters, Outcome

ITEM = Layout("<IIIIIIIB")
SHORT = Layout("<II4sIH6sHHBB")  # number, total, digest, at 4+2, offer, quantity, hold 2+1, state
CLAIM = Layout("<6sIBHHBIHHB")  # offer, number, state, held, waiting, flags, deadline low, high, hold low, high
EXTENDED = 2  # flag of a claim: its one extension is used
ACTIVE = (1, 2, 3)
CONFIRMED = 4


class StoredClaim(Struct):
    """A claim as stored; `state` is 1-7 (CLAIM_STATES)."""

    offer: bytes
    number: int
    state: int
    held: int
    waiting: int
    flags: int
    deadline: int
    hold: int


class StoredOperation(Struct):
    """An operation of a viewer: its raw id, digest and answer, and the claims it made."""

    id: bytes
    digest: bytes
    answer: bytes
    at: int
    claims: list[StoredClaim]


def parse_item(data: bytes) -> tuple[Counters, int, int]:
    """(counters, next number, entries in line)."""
    available, held, sold, waiting, supplied, number, entries, closed = ITEM.unpack(data)
    return Counters(available, held, sold, waiting, supplied, bool(closed)), number, entries


def pack_item(counters: Counters, number: int, entries: int) -> bytes:
    return ITEM.pack(
        counters.available,
        counters.held,
        counters.sold,
        counters.waiting,
        counters.supplied,
        number,
        entries,
        counters.closed,
    )


def short_answer(at: int, item: str, number: int, quantity: int, deadline: int, available: int) -> bytes:
    """The answer `reserved` of one line held in full, which records keep only in parts."""
    name = item.encode()
    outcome = OUTCOME_NUMBERS[Outcome.RESERVED]
    head = ANSWER_HEAD.pack(outcome, at & 0xFFFFFFFF, at >> 32, 1)
    low, high = deadline & 0xFFFFFFFF, deadline >> 32
    return head + ANSWER_LINE.pack(outcome, number, quantity, 0, 0, low, high, available, len(name)) + name


def parse_record(data: bytes, item_of: dict[bytes, str]) -> list[StoredOperation]:
    """All operations of a record, oldest first. `item_of` gives the item of an offer key."""
    operations: list[StoredOperation] = []
    at, size = 0, len(data)
    while at < size:
        kind = data[at : at + 1]
        if kind == b"c":
            offer, number, state, held, waiting, flags, low, high, hold, hold_high = CLAIM.unpack_from(data, at + 1)
            deadline = low + (high << 32)
            operations[-1].claims.append(
                StoredClaim(offer, number, state, held, waiting, flags, deadline, hold + (hold_high << 16))
            )
            at += 1 + CLAIM.size
            continue
        length = data[at + 1]
        raw = data[at + 2 : at + 2 + length]
        at += 2 + length
        if kind == b"r":
            number, total, digest, low, high, offer, quantity, hold, hold_high, state = SHORT.unpack_from(data, at)
            at += SHORT.size
            made, seconds = low + (high << 32), hold + (hold_high << 16)
            deadline = made + seconds * 1000
            available = (total - quantity * number) & 0xFFFFFFFF  # total is what all claims of a run share
            answer = short_answer(made, item_of.get(offer, ""), number, quantity, deadline, available)
            claim = StoredClaim(offer, number, state, quantity, 0, 0, deadline, seconds)
            operations.append(StoredOperation(raw, digest, answer, made, [claim]))
        else:
            digest, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 6], "little")
            answer = data[at + 6 : at + 6 + length]
            at += 6 + length
            _, low, high, _ = ANSWER_HEAD.unpack_from(answer)
            operations.append(StoredOperation(raw, digest, answer, low + (high << 32), []))
    return operations


def pack_record(operations: list[StoredOperation]) -> bytes:
    """The record again, every operation in its long form (the Lua reads both)."""
    out = []
    for operation in operations:
        out.append(b"o" + bytes((len(operation.id),)) + operation.id + operation.digest)
        out.append(len(operation.answer).to_bytes(2, "little") + operation.answer)
        for claim in operation.claims:
            low, high = claim.deadline & 0xFFFFFFFF, claim.deadline >> 32
            hold, hold_high = claim.hold & 0xFFFF, claim.hold >> 16
            packed = CLAIM.pack(
                claim.offer,
                claim.number,
                claim.state,
                claim.held,
                claim.waiting,
                claim.flags,
                low,
                high,
                hold,
                hold_high,
            )
            out.append(b"c" + packed)
    return b"".join(out)
