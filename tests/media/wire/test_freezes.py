"""What viewers' pages say about frozen pictures: believed, within what can be."""

from __future__ import annotations

import pytest

from livecommerce.media.wire.freezes import FreezeReport, Freezes


@pytest.mark.parametrize(
    ("said", "watched_seconds", "known"),
    [
        ([(1, 400)], 20.0, (1, 400)),
        ([(1, 400), (3, 900)], 20.0, (3, 900)),
        ([(3, 900), (1, 400)], 20.0, (3, 900)),  # late, or a lie: totals do not shrink
        ([(1_000_000, 1_000_000_000)], 2.0, (14, 2_000)),  # more than can be in two seconds
        ([(5, 5_000)], 0.0, (0, 0)),
    ],
)
def test_a_page_s_totals_grow_within_the_time_watched(
    said: list[tuple[int, int]], watched_seconds: float, known: tuple[int, int]
) -> None:
    viewer, everyone = Freezes(), Freezes()
    for freezes, frozen_ms in said:
        everyone.add(*viewer.note(FreezeReport(freezes, frozen_ms), watched_seconds))
    assert (viewer.count, viewer.milliseconds) == known
    assert everyone.figures() == {"freezes": known[0], "frozen_ms": known[1]}
