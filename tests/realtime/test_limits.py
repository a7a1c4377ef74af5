"""How many messages one socket may send."""

from __future__ import annotations

import pytest

from livecommerce.realtime import limits
from livecommerce.realtime.limits import MESSAGES_BURST, MESSAGES_PER_SECOND, WRITES, EventRate, MessageBudget


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


@pytest.mark.parametrize("event", sorted(WRITES))
def test_what_viewers_of_one_network_write_is_counted_together(clock: list[float], event: str) -> None:
    """Each cookie kept to its own rate, and sixty of them kept the store busy for everybody."""
    rate, (burst, per_second) = EventRate(), WRITES[event]
    waits = [rate.wait_ms(f"viewer-{number}", "203.0.113.7", event) for number in range(int(burst) + 1)]
    assert waits[:-1] == [0] * int(burst)
    assert 0 < waits[-1] <= 1_000 / per_second
    assert rate.wait_ms("anna", "198.51.100.1", event) == 0
    clock[0] += 1.0
    taken = sum(rate.wait_ms(f"later-{number}", "203.0.113.7", event) == 0 for number in range(1_000))
    assert taken == int(per_second)


def test_events_that_write_nothing_are_not_counted_by_network(clock: list[float]) -> None:
    rate = EventRate()
    assert not any(rate.wait_ms(f"viewer-{number}", "203.0.113.7", "tickets") for number in range(5_000))
