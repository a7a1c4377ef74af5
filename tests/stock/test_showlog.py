"""Entries of a show's log read; what today's entries hold stands in test_stories.py."""

from __future__ import annotations

from livecommerce.stock import showlog
from livecommerce.stock.wire import pack
from tests.stock.older_entries import SHOW_LOG


def test_an_entry_from_before_the_product_limits_is_read() -> None:
    (event,) = showlog.events(SHOW_LOG)
    told = [(one["viewer"], one["reservation"], one["state"], one["deadline"]) for one in event["claims"]]
    assert told == [
        ("old-v0", "A01/紅#1", "held", event["at"] + 3000),
        ("old-v1", "A01/紅#2", "held", event["at"] + 3000),
        ("old-v2", "A01/紅#3", "held", event["at"] + 3000),
        ("old-v0", "A01/藍#1", "held", event["at"] + 900_000),
        ("old-v1", "A01/藍#2", "held", event["at"] + 900_000),
        ("old-v2", "A01/藍#3", "waiting", 0),
    ]


def test_an_entry_without_runs_is_told_as_it_stands() -> None:
    events = [{"t": "chat", "id": "1"}, {"t": "claims", "at": 5, "claims": [{"viewer": "ann"}], "stock": {}}]
    assert showlog.events({b"e": pack(events)}) == events


def test_an_entry_of_something_else_has_no_events() -> None:
    assert showlog.events({b"x": b"1"}) == []
