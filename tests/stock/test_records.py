"""Viewer records and counters as stored: what is packed is what is parsed."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from livecommerce.stock.encoding import decode_answer
from livecommerce.stock.outcomes import Counters, Outcome
from livecommerce.stock.records import (
    SHORT,
    StoredClaim,
    StoredOperation,
    pack_item,
    pack_record,
    parse_item,
    parse_record,
    short_answer,
)

MADE, HOLD_SECONDS = 1_700_000_000_123, 30 * 86_400
DEADLINE = MADE + HOLD_SECONDS * 1000
CLAIM = StoredClaim(b"offer1", 4_000_000_000, 2, 9_999, 1, 3, DEADLINE, HOLD_SECONDS)
ANSWER = short_answer(MADE, "A01/紅", 7, 2, DEADLINE, 5)

COUNTERS = {
    "nothing": (Counters(0, 0, 0, 0, 0), 1, 0),
    "some of each": (Counters(1, 2, 3, 4, 6, True), 7, 2),
    "the most": (Counters(10**9, 0, 0, 2**32 - 1, 10**9), 2**32 - 1, 10_000),
}


@pytest.mark.parametrize("what", COUNTERS)
def test_counters(what: str) -> None:
    data = pack_item(*COUNTERS[what])
    assert len(data) == 29
    assert parse_item(data) == COUNTERS[what]


RECORDS: dict[str, list[StoredOperation]] = {
    "nothing": [],
    "an operation without a claim": [StoredOperation(b"identity-1", b"1234", ANSWER, MADE, [])],
    "two operations": [
        StoredOperation(b"\1" + bytes(range(16)), b"1234", ANSWER, MADE, [CLAIM, replace(CLAIM, number=1)]),
        StoredOperation(b"x" * 64, b"abcd", ANSWER, MADE, [replace(CLAIM, state=5, flags=0, waiting=0)]),
    ],
}


@pytest.mark.parametrize("what", RECORDS)
def test_records(what: str) -> None:
    assert parse_record(pack_record(RECORDS[what]), {}) == RECORDS[what]


@pytest.mark.parametrize(("number", "available"), [(1, 0), (7, 5), (4_000_000_000, 999_999_999)])
def test_the_short_form_of_a_plain_claim(number: int, available: int) -> None:
    """Its third field is what all claims of a run share: available + quantity * number."""
    total = (available + 2 * number) & 0xFFFFFFFF
    low, high, hold, hold_high = MADE & 0xFFFFFFFF, MADE >> 32, HOLD_SECONDS & 0xFFFF, HOLD_SECONDS >> 16
    fields = SHORT.pack(number, total, b"1234", low, high, b"offer1", 2, hold, hold_high, 1)
    (operation,) = parse_record(b"r\x0aidentity-1" + fields, {b"offer1": "A01"})
    assert (operation.id, operation.digest, operation.at) == (b"identity-1", b"1234", MADE)
    assert operation.claims == [StoredClaim(b"offer1", number, 1, 2, 0, 0, DEADLINE, HOLD_SECONDS)]
    (line,) = decode_answer("identity-1", operation.answer).lines
    assert (line.outcome, line.reservation, line.reserved) == (Outcome.RESERVED, f"A01#{number}", 2)
    assert (line.available, line.deadline_ms) == (available, DEADLINE)
