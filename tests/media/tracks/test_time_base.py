"""One line of time for all layers: where a source begins, and what its wall clock corrects."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from livecommerce.media.tracks.time_base import APART_TICKS, TOLERANCE_TICKS, TimeBase

CLOCK = 90_000
SECOND_NTP = 1 << 32


@dataclass
class Newest:
    last_timestamp: int = 0
    last_at: float | None = None


@pytest.mark.parametrize(
    ("own", "other", "now", "place"),
    [
        (Newest(), Newest(), 5.0, None),
        (Newest(1_000, 5.0), Newest(), 6.0, 91_000),
        (Newest(1_000, 5.0), Newest(), 5.0, 4_000),
        (Newest(1_000, 5.0), Newest(), 5.01, 4_000),
        (Newest(), Newest(1_000, 5.0), 6.0, 91_000),
        (Newest(), Newest(1_000, 5.0), 5.0, 1_000),
        (Newest(500, 4.0), Newest(1_000, 5.0), 6.0, 91_000),
        (Newest(200_000, 4.0), Newest(1_000, 5.0), 6.0, 203_000),
    ],
    ids=[
        "the first of all begins the line",
        "a second after its own last one",
        "at once: a picture later",
        "never before that",
        "a second after another layer",
        "with another layer",
        "the newest tells",
        "but never back in its own time",
    ],
)
def test_where_a_source_begins(own: Newest, other: Newest, now: float, place: int | None) -> None:
    base = TimeBase(CLOCK)
    base.tracks += [own, other]
    assert base.place(now, own) == place


def test_it_is_right_across_the_wrap() -> None:
    base = TimeBase(CLOCK)
    own, other = Newest(0xFFFFFF00, 5.0), Newest(0x100, 5.5)
    base.tracks += [own, other]
    assert base.place(6.0, own) == 0x100 + CLOCK // 2


@pytest.mark.parametrize(
    ("ticks_off", "moved"),
    [
        (0, 0),
        (TOLERANCE_TICKS, 0),
        (-TOLERANCE_TICKS, 0),
        (TOLERANCE_TICKS + 1, -TOLERANCE_TICKS - 1),
        (-3_000, 3_000),
        (APART_TICKS - 1, 1 - APART_TICKS),
        (APART_TICKS, 0),
    ],
    ids=["right", "as good as right", "either way", "too late", "too early", "as late as a queue is long", "another"],
)
def test_a_report_says_by_how_much_a_layer_is_off(ticks_off: int, moved: int) -> None:
    base = TimeBase(CLOCK)
    assert base.off(7 * SECOND_NTP, 1_000) == 0, "the first report is the relation"
    assert base.off(8 * SECOND_NTP, 1_000 + CLOCK + ticks_off) == moved


def test_another_sender_has_another_clock() -> None:
    base = TimeBase(CLOCK)
    base.off(7 * SECOND_NTP, 1_000)
    base.begin()
    assert base.off(8 * SECOND_NTP, 5_000) == 0
    assert base.off(9 * SECOND_NTP, 5_000 + CLOCK + 900) == -900


def test_a_clock_that_jumped_is_a_new_relation() -> None:
    base = TimeBase(CLOCK)
    base.off(7 * SECOND_NTP, 1_000)
    assert base.off(9_000 * SECOND_NTP, 2_000) == 0
    assert base.off(9_001 * SECOND_NTP, 2_000 + CLOCK + 900) == -900
