"""Which layer a viewer gets: tables of line and page, and stories of a line that changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecommerce.media.viewers.ladder import (
    CROWDED_REPORTS,
    HOPELESS_REPORTS,
    NARROW_ESTIMATES,
    ROOM_UP,
    SETTLE_SECONDS,
    STEADY_SECONDS,
    SURE_SECONDS,
    TRIAL_SECONDS,
    Ladder,
    Line,
    Report,
    Rung,
)

LOW, MIDDLE, HIGH = Rung("l", 180, 150.0), Rung("m", 360, 500.0), Rung("h", 720, 2_000.0)
RUNGS = [LOW, MIDDLE, HIGH]
GOOD, CROWDED, HOPELESS = 0.0, 0.3, 0.7


class Viewer:
    """A viewer second by second: each brings a report and a choice."""

    def __init__(self, rungs: list[Rung] | None = None, *, has_sound: bool = True, can_probe: bool = False) -> None:
        self.rungs = RUNGS if rungs is None else rungs
        self.ladder = Ladder(0.0, has_sound=has_sound)
        self.can_probe = can_probe
        self.now = 10.0

    def second(self, lost: float = GOOD, estimate: float | None = None, *, asked: float = 0.0) -> str:
        """`asked`: share of packets asked for again by a viewer without RTX, beside those it misses all the same."""
        self.now += 1.0
        self.ladder.report(Report(lost, lost + asked, False, float("-inf")), self.rungs, self.now)
        return self.choose(estimate)

    def choose(self, estimate: float | None = None) -> str:
        chosen = self.ladder.choose(self.rungs, Line(estimate, self.can_probe), self.now)
        return chosen.name if chosen is not None else "sound"

    def until(self, wanted: str, loss: float = GOOD, estimate: float | None = None) -> float:
        """Seconds until this is what the viewer gets; 300 at most."""
        for seconds in range(1, 300):
            if self.second(loss, estimate) == wanted:
                return seconds
        raise AssertionError(f"never {wanted}")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [(None, "h"), (1_080, "h"), (720, "h"), (400, "m"), (380, "m"), (360, "m"), (200, "l"), (90, "l"), (0, "sound")],
)
def test_a_page_gets_the_smallest_layer_that_fills_it(lines: int | None, expected: str) -> None:
    line = Viewer()
    line.ladder.height_max = lines
    assert line.choose() == expected


def test_a_page_out_of_sight_without_sound_gets_the_smallest_layer() -> None:
    line = Viewer(has_sound=False)
    line.ladder.height_max = 0
    assert line.choose() == "l"


def test_of_layers_of_one_size_a_page_gets_the_better_one() -> None:
    line = Viewer([LOW, Rung("a", 720, 900.0), Rung("b", 720, 2_000.0)])
    line.ladder.height_max = 720
    assert line.choose() == "b"


def test_a_named_layer_is_the_most_and_not_the_least() -> None:
    line = Viewer()
    line.ladder.name_max = "m"
    assert line.choose() == "m"
    line.until("l", CROWDED)
    line.ladder.name_max = "gone"
    assert line.choose() == "l"


def test_the_page_is_served_at_once_when_it_grows_again() -> None:
    line = Viewer()
    line.ladder.height_max = 0
    assert line.second() == "sound"
    line.ladder.height_max = 720
    assert line.choose() == "h"


@pytest.mark.parametrize(
    ("loss", "asked", "expected"),
    [
        (0.05, 0.1, "h"),  # one in ten lost and repaired
        (0.0, 0.8, "h"),  # order mixed up, all asked for, all there
        (CROWDED, 0.2, "l"),
        (HOPELESS, 0.9, "sound"),
    ],
    ids=["repaired", "jitter", "crowded", "hopeless"],
)
def test_what_a_line_can_stand(loss: float, asked: float, expected: str) -> None:
    """The loss stays whatever is sent: sound alone only where even the smallest layer is hopeless."""
    line = Viewer()
    seen = [line.second(loss, asked=asked) for _ in range(40)]
    assert expected in seen
    order = ["h", "m", "l", "sound"]
    assert max(order.index(each) for each in seen) == order.index(expected)


def test_a_step_down_takes_two_reports_and_the_next_one_waits_until_the_queue_is_empty() -> None:
    line = Viewer()
    assert line.until("m", CROWDED) == CROWDED_REPORTS
    assert line.until("l", CROWDED) >= SETTLE_SECONDS


def test_steps_up_that_fail_come_ever_later() -> None:
    """Without an estimate: up by trial, down when it is lossy at the top."""
    line = Viewer()
    line.until("m", CROWDED)
    waits = []
    for _ in range(5):
        waits.append(line.until("h"))
        line.until("m", CROWDED)
    assert waits == sorted(waits)
    assert waits[0] == pytest.approx(TRIAL_SECONDS[0], abs=1)
    assert waits[-1] == pytest.approx(TRIAL_SECONDS[-1], abs=1)


def test_where_the_estimate_has_room_the_picture_is_soon_back() -> None:
    line = Viewer()
    line.until("m", CROWDED)
    assert line.until("h", estimate=4_000.0) <= SURE_SECONDS[0] + 1 + SETTLE_SECONDS


def test_who_can_be_probed_is_not_moved_up_by_trial() -> None:
    """The ladder says what would have to be proven; a proof moves the viewer soon, and the trial is left for last."""
    viewer = Viewer(can_probe=True)
    viewer.until("m", CROWDED)
    assert viewer.ladder.wanted_kbps(RUNGS) == HIGH.kbps * ROOM_UP
    assert {viewer.second(GOOD, 600.0) for _ in range(30)} == {"m"}
    assert viewer.second(GOOD, HIGH.kbps * ROOM_UP) == "h"
    assert viewer.ladder.wanted_kbps(RUNGS) is None


@pytest.mark.parametrize(
    ("lost", "keyframe_asked", "expected"),
    [(0.33, True, "m"), (0.38, False, "m"), (0.39, True, "sound"), (0.44, False, "sound")],
)
def test_a_viewer_with_rtx_counts_what_its_line_lost(lost: float, keyframe_asked: bool, expected: str) -> None:
    """Of the lowest layer: a third lost makes half of it to be sent again, which repairs can do."""
    ladder = Ladder(0.0, has_sound=True)
    only = [MIDDLE]
    for now in range(10, 10 + HOPELESS_REPORTS):
        ladder.report(Report(lost, lost / (1 - lost), True, now if keyframe_asked else float("-inf")), only, now)
    chosen = ladder.choose(only, Line(None), 20.0)
    assert (chosen.name if chosen is not None else "sound") == expected


def test_a_minute_without_trouble_is_a_fresh_start() -> None:
    line = Viewer()
    for _ in range(4):
        line.until("m", CROWDED)
        line.until("h")
    for _ in range(round(STEADY_SECONDS) + 2):
        assert line.second() == "h"
    line.until("m", CROWDED)
    assert line.until("h") == pytest.approx(TRIAL_SECONDS[0], abs=1)


@pytest.mark.parametrize(
    ("estimate", "expected"),
    [(3_000.0, "h"), (1_900.0, "h"), (1_800.0, "m"), (460.0, "m"), (440.0, "l"), (120.0, "l"), (1.0, "l")],
)
def test_an_estimate_below_the_rate_moves_down_to_what_fits(estimate: float, expected: str) -> None:
    line = Viewer()
    seen = [line.second(GOOD, estimate) for _ in range(NARROW_ESTIMATES + 1)]
    assert seen[-1] == expected


def test_one_low_estimate_is_no_reason() -> None:
    line = Viewer()
    assert [line.second(GOOD, estimate) for estimate in (100.0, 3_000.0, 100.0, 3_000.0, 100.0)] == ["h"] * 5


def test_estimates_of_the_first_seconds_are_not_believed() -> None:
    ladder = Ladder(0.0, has_sound=True)
    chosen = [ladder.choose(RUNGS, Line(300.0), now / 2) for now in range(8)]
    assert {rung.name for rung in chosen if rung is not None} == {"h"}


def test_sound_alone_comes_back_to_pictures() -> None:
    line = Viewer()
    for _ in range(40):
        if line.second(HOPELESS) == "sound":
            break
    assert line.until("l") > 1
    assert line.until("h") > 1


def test_with_one_layer_only_a_hopeless_line_loses_it() -> None:
    line = Viewer([HIGH])
    assert {line.second(CROWDED) for _ in range(10)} == {"h"}
    assert line.until("sound", HOPELESS) == HOPELESS_REPORTS
    assert line.until("h") == pytest.approx(TRIAL_SECONDS[0], abs=1)


def test_without_sound_the_smallest_layer_stays_whatever_the_line_does() -> None:
    line = Viewer(has_sound=False)
    assert [line.second(HOPELESS, 10.0) for _ in range(40)][-1] == "l"


def test_layers_that_vanish_and_come_back() -> None:
    line = Viewer()
    line.until("m", CROWDED)
    line.rungs = [LOW]
    assert line.second() == "l"
    line.rungs = [LOW, Rung("x", 240, 200.0), HIGH]
    assert line.choose() == "x", "the largest that is no larger than what the line carried"


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.0, 0.1, 0.3, 0.7, 1.0]),
            st.one_of(st.none(), st.floats(1, 5_000)),
            st.sets(st.sampled_from([0, 1, 2]), min_size=1),
            st.one_of(st.none(), st.sampled_from([0, 90, 360, 720])),
        ),
        max_size=120,
    ),
    st.booleans(),
)
def test_whatever_happens_the_choice_is_one_of_the_layers_and_a_good_line_ends_at_the_top(
    story: list[tuple[float, float | None, set[int], int | None]], has_sound: bool
) -> None:
    line = Viewer(has_sound=has_sound)
    for loss, estimate, present, lines in story:
        line.rungs = [RUNGS[index] for index in sorted(present)]
        line.ladder.height_max = lines
        chosen = line.second(loss, estimate, asked=loss)
        assert chosen in {rung.name for rung in line.rungs} | ({"sound"} if has_sound else set())
    line.rungs = RUNGS
    line.ladder.height_max = None
    line.until("h")
