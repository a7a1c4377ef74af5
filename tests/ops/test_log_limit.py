"""Equal lines of a trouble that lasts are one a minute."""

from __future__ import annotations

from typing import Any

import pytest

from livecommerce.ops import log_limit
from livecommerce.ops.log_limit import LogLimit, warn_seldom


def test_one_a_minute_with_how_many_were_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(log_limit.time, "monotonic", lambda: now)
    limit = LogLimit()
    assert limit.take("away") == 0
    assert [limit.take("away") for _ in range(1500)] == [None] * 1500
    assert limit.take("another") == 0
    now += 60
    assert limit.take("away") == 1500
    assert limit.take("away") is None
    limit.forget("away")
    assert limit.take("away") == 0


def test_a_line_says_how_many_it_stands_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class Log:
        def __init__(self) -> None:
            self.lines: list[tuple[str, dict[str, Any]]] = []

        def warning(self, event: str, **fields: Any) -> None:
            self.lines.append((event, fields))

    log = Log()
    monkeypatch.setattr(log_limit, "_of_process", LogLimit(every_seconds=0))
    warn_seldom(log, "away", why="no route")
    assert log.lines == [("away", {"why": "no route"})]


def test_it_forgets_all_before_it_keeps_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_limit, "KEYS_MAX", 3)
    limit = LogLimit()
    kept = []
    for key in "abcdefg":
        assert limit.take(key) == 0
        kept.append(len(limit._told))
    assert kept == [1, 2, 3, 1, 2, 3, 1]
    assert limit.take("g") is None
    assert limit.take("a") == 0, "one line too many is no harm"
