"""How many messages one socket may send."""

from __future__ import annotations

import pytest

from livecommerce.realtime import limits
from livecommerce.realtime.limits import MESSAGES_BURST, MESSAGES_PER_SECOND, MessageBudget


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(limits.time, "monotonic", lambda: now[0])
    return now


def test_a_burst_then_so_many_a_second(clock: list[float]) -> None:
    budget = MessageBudget()
    assert [budget.take() for _ in range(MESSAGES_BURST + 2)] == [True] * MESSAGES_BURST + [False] * 2
    clock[0] += 1.0
    taken = sum(budget.take() for _ in range(100))
    assert taken == MESSAGES_PER_SECOND
    clock[0] += 0.9 / MESSAGES_PER_SECOND
    assert not budget.take(), "not yet a whole one"
    clock[0] += 0.2 / MESSAGES_PER_SECOND
    assert budget.take()


def test_silence_saves_up_no_more_than_a_burst(clock: list[float]) -> None:
    budget = MessageBudget()
    clock[0] += 3_600.0
    assert sum(budget.take() for _ in range(10 * MESSAGES_BURST)) == MESSAGES_BURST


def test_every_message_dropped_is_a_strike_and_none_is_forgiven(clock: list[float]) -> None:
    budget = MessageBudget()
    for _ in range(MESSAGES_BURST + 3):
        budget.take()
    assert budget.strikes == 3
    clock[0] += 60.0
    assert budget.take()
    assert budget.strikes == 3
