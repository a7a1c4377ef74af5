"""What a page missed: answered from memory, or not at all."""

from __future__ import annotations

import pytest

from livecommerce.realtime import ring as module
from livecommerce.realtime.ring import Ring


def test_the_ring_knows_what_it_still_has() -> None:
    ring = Ring("5-0")
    for number in range(6, 10):
        ring.append(f"{number}-0", [{"t": "chat", "id": number}])
    assert [event["id"] for event in ring.after("5-0") or []] == [6, 7, 8, 9]
    assert [event["id"] for event in ring.after("7-3") or []] == [8, 9]
    assert ring.after("9-0") == []
    assert ring.after("9-1") is None
    assert ring.after("4-9") is None
    assert ring.after("nonsense") is None


def test_the_ring_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENTRIES_MAX", 3)
    ring = Ring("0-0")
    for number in range(1, 10):
        ring.append(f"{number}-0", [{"t": "chat"}])
    assert ring.base == "6-0"
    assert ring.after("5-0") is None
    assert len(ring.after("6-0") or []) == 3


def test_the_ring_is_bounded_by_events_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVENTS_MAX", 10)
    ring = Ring("0-0")
    ring.append("1-0", [{"t": "chat"}] * 8)
    ring.append("2-0", [{"t": "chat"}] * 3)
    assert (ring.base, ring.after("0-0")) == ("1-0", None)
    assert len(ring.after("1-0") or []) == 3
    ring.append("3-0", [{"t": "chat"}] * 11)
    assert (ring.base, ring.after("3-0")) == ("3-0", []), "an entry larger than the ring is not kept"


def test_an_empty_ring_knows_only_where_it_stands() -> None:
    assert Ring("5-0").after("5-0") == []
    assert Ring("5-0").after("5-1") is None
    assert Ring("5-0").after("4-0") is None
