"""How often one may speak, whichever process took it."""

from __future__ import annotations

import pytest

from livecommerce.intake import rate as module
from livecommerce.intake.rate import CommentRate, too_many_comments

SECONDS = 1000


@pytest.mark.parametrize(
    ("times", "now", "wait"),
    [
        ([], 0, 0),
        ([0, 1, 2], 3, 0),
        ([0, 1, 2, 3], 4, 10 * SECONDS - 4),
        ([0, 1, 2, 3], 10 * SECONDS, 0),
        ([0, 1, 2, 3], 10 * SECONDS - 1, 1),
        ([0] * 8, 11 * SECONDS, 9 * SECONDS),  # two processes took four each in one moment: twice as long
        ([0] * 8, 20 * SECONDS, 0),
        ([0] * 100, 39 * SECONDS, 1 * SECONDS),  # and not longer than that
    ],
)
def test_four_comments_in_ten_seconds(times: list[int], now: int, wait: int) -> None:
    rate = CommentRate()
    for number, at in enumerate(times):
        rate.seen("anna", f"comment-{number}", at)
    assert max(0, rate.wait_ms("anna", 4, now)) == wait
    assert rate.wait_ms("ben", 4, now) == 0


def test_what_was_taken_here_is_not_counted_again_from_the_log() -> None:
    rate = CommentRate()
    for number in range(3):
        rate.take("anna", f"comment-{number}", number)
        rate.seen("anna", f"comment-{number}", number)
    assert rate.wait_ms("anna", 4, 5) <= 0
    rate.seen("anna", "from-elsewhere", 1)
    assert rate.wait_ms("anna", 4, 5) == 10 * SECONDS - 5


def test_the_oldest_speakers_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SPEAKERS_MAX", 2)
    monkeypatch.setattr(module, "OWN_MAX", 2)
    rate = CommentRate()
    for number, viewer in enumerate(("anna", "ben", "anna", "cleo")):
        rate.take(viewer, f"comment-{number}", number)
    assert [rate.wait_ms(viewer, 1, 5) > 0 for viewer in ("anna", "ben", "cleo")] == [True, False, True]
    rate.seen("anna", "comment-0", 0)  # forgotten as taken here, so the log's line counts again
    assert rate.wait_ms("anna", 3, 5) > 0


def test_a_wait_is_told_in_whole_seconds_that_are_enough() -> None:
    error = too_many_comments(1_001)
    assert (error.text, error.retry_after_ms) == ("Too many comments. Wait 2 s.", 1_001)
