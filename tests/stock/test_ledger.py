"""Ledger entries read: those of today stand in test_stories.py; here are older ones, newer ones and broken ones."""

from __future__ import annotations

import pytest

from livecommerce.stock.ledger import VERSION, LedgerUnreadable, StoredAnswer, StoredChange, decode
from livecommerce.stock.wire import pack, unpack
from tests.stock.older_entries import LEDGER


def test_an_entry_from_before_the_product_limits_is_read() -> None:
    entry = decode(b"1-0", LEDGER)
    told = [(one.viewer, one.reservation, one.state, one.quantity, one.unit_price_minor) for one in entry.claims]
    assert told == [
        ("old-v0", "A01/紅#1", "held", 1, 100),
        ("old-v1", "A01/紅#2", "held", 1, 100),
        ("old-v2", "A01/紅#3", "held", 1, 100),
        ("old-v0", "A01/藍#1", "held", 1, 100),
        ("old-v1", "A01/藍#2", "held", 1, 100),
        ("old-v2", "A01/藍#3", "waiting", 1, 100),
    ]
    held = [one.deadline_ms - entry.at_ms for one in entry.claims if one.reserved]
    assert held == [3000] * 3 + [900_000] * 2
    assert {item: (c.available, c.held, c.waiting) for item, (c, _, _) in entry.counters.items()} == {
        "A01/紅": (2, 3, 0),
        "A01/藍": (0, 2, 1),
    }
    assert [type(change) for change in entry.changes] == [StoredChange, StoredAnswer] * 3


def test_claims_are_left_out_for_who_needs_only_the_stored_forms() -> None:
    whole, stored = decode(b"1-0", LEDGER), decode(b"1-0", LEDGER, with_claims=False)
    assert stored.plain == whole.plain
    assert len(stored.claims) < len(whole.claims), "those of runs are left out"


def test_supplies_are_told() -> None:
    effects = [
        [b"s", b"show", b"A01", b"adjust", -2, "壞了", b"staff"],
        [b"s", b"show", b"", b"close", 0, b"", b"staff"],
    ]
    entry = decode("1-0", {b"b": pack([VERSION, 5, pack([]), pack([[], [], []]), [], effects])})
    assert [(one.item, one.cause, one.quantity, one.reason) for one in entry.supplies] == [
        ("A01", "adjust", -2, "壞了"),
        ("", "close", 0, ""),
    ]


def broken(place: int, value: object) -> dict[bytes, bytes]:
    parts = unpack(LEDGER[b"b"])
    parts[place] = value
    return {b"b": pack(parts)}


UNREADABLE: dict[str, tuple[dict[bytes, bytes], str]] = {
    "a newer version": (broken(0, VERSION + 1), f"has version {VERSION + 1}, this program reads {VERSION}"),
    "no field": ({}, "cannot be read"),
    "no msgpack": ({b"b": b"\xc1"}, "cannot be read"),
    "cut off": ({b"b": LEDGER[b"b"][:-5]}, "cannot be read"),
    "a run of a template that is not there": (broken(4, [1, 3, 1, 4, 9]), "cannot be read"),
    "a run past the operations": (broken(4, [1, 30, 1, 4, 1]), "cannot be read"),
    "half a run": (broken(4, [1, 3]), "cannot be read"),
    "counters cut off": (broken(5, [[b"i", b"A01", b"short"]]), "cannot be read"),
    "an effect cut off": (broken(5, [[b"c", b"show"]]), "cannot be read"),
    "a claim whose offer is missing": (broken(5, unpack(LEDGER[b"b"])[5][:1]), "cannot be read"),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_cannot_be_read_is_said(what: str) -> None:
    fields, words = UNREADABLE[what]
    with pytest.raises(LedgerUnreadable, match=words):
        decode(b"1-0", fields)
