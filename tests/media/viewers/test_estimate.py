"""What a viewer's line carries: tables of what the viewer said, lost and answered, and what follows from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecommerce.media.viewers.estimate import (
    LOSS_LIMIT_KBPS_MIN,
    PROBE_ANSWER_SECONDS,
    PROBE_KBPS_MAX,
    PROBE_PAUSES,
    PROBE_SECONDS,
    PROVEN_SECONDS,
    Estimate,
)

SHORT, LONG = 40.0, 400.0


class Line:
    """A viewer that reports once a second while so much is sent to it."""

    def __init__(self, *, sent_kbps: float = 300.0) -> None:
        self.now = 100.0
        self.estimate = Estimate(self.now)
        self.sent_kbps = sent_kbps
        self.octets = 0

    def second(self, *, told: float | None = None, loss: float = 0.0, round_trip_ms: float | None = SHORT) -> None:
        self.now += 1.0
        self.octets += int(self.sent_kbps * 125)
        if told is not None:
            self.estimate.note_told(told, self.now)
        self.estimate.note_loss(loss, self.octets, self.now)
        if round_trip_ms is not None:
            self.estimate.note_round_trip(round_trip_ms, self.now - round_trip_ms / 1_000, self.now)

    def seconds(self, count: int, **said: float | None) -> None:
        for _ in range(count):
            self.second(**said)  # type: ignore[arg-type]

    def probe(self, target_kbps: float, *, round_trip_ms: float | None = SHORT, loss: float = 0.0) -> None:
        """One probe and its answer; with None the answer never comes."""
        assert self.estimate.is_probe_due(target_kbps, self.now)
        self.estimate.begin_probe(target_kbps, self.octets, self.now)
        self.now += PROBE_SECONDS
        self.octets += int(self.sent_kbps * 125 * PROBE_SECONDS)
        sent_at = self.now + 0.01
        self.now += 0.5
        self.octets += int(self.sent_kbps * 125 * 0.5)
        self.estimate.note_loss(loss, self.octets, self.now)
        if round_trip_ms is None:
            self.now += PROBE_ANSWER_SECONDS
            self.estimate.give_up_probe(self.now)
        else:
            self.estimate.note_round_trip(round_trip_ms, sent_at, self.now)


class TestEstimate:
    def test_nothing_is_known_before_the_viewer_said_anything(self) -> None:
        assert Line().estimate.kbps is None

    @pytest.mark.parametrize(
        ("said", "low", "high"),
        [
            ({"told": 900.0}, 900, 900),
            ({"told": 150.0}, 290, 310),
            ({"told": 150.0, "loss": 0.05}, 290, 310),
            ({"told": 150.0, "loss": 0.11}, 150, 150),
            ({"told": 150.0, "round_trip_ms": None}, 150, 150),
            ({"round_trip_ms": None}, None, None),
            ({}, 290, 310),
            ({"told": 900.0, "loss": 0.3}, 100, 130),
        ],
        ids=[
            "what it says",
            "more arrives than it says",
            "and little is lost",
            "and much is lost",
            "nobody knows about a queue",
            "no word and no round trip",
            "without REMB: what is carried",
            "loss takes more and more",
        ],
    )
    def test_after_ten_seconds(self, said: dict[str, float | None], low: float | None, high: float | None) -> None:
        line = Line()
        line.seconds(10, **said)
        if low is None or high is None:
            assert line.estimate.kbps is None
        else:
            assert low <= (line.estimate.kbps or 0) <= high

    def test_a_queue_takes_away_what_was_carried_and_its_end_gives_it_back(self) -> None:
        line = Line()
        line.second()
        line.seconds(3, told=150.0, round_trip_ms=SHORT)
        assert line.estimate.kbps == pytest.approx(300)
        line.second(told=120.0, round_trip_ms=LONG)
        assert line.estimate.kbps == pytest.approx(300), "one long round trip is a keyframe's burst"
        line.second(told=120.0, round_trip_ms=LONG)
        assert line.estimate.kbps == 120
        line.seconds(4, told=120.0)
        assert line.estimate.kbps == pytest.approx(300)

    def test_loss_limits_and_its_end_lets_it_grow(self) -> None:
        line = Line(sent_kbps=1_000)
        line.seconds(5, told=2_000.0)
        line.second(told=2_000.0, loss=0.2)
        assert line.estimate.kbps == pytest.approx(900)
        line.second(told=2_000.0, loss=0.05)
        assert line.estimate.kbps == pytest.approx(900)
        line.second(told=2_000.0)
        assert line.estimate.kbps == pytest.approx(900 * 1.08)
        line.seconds(15, told=2_000.0)
        assert line.estimate.kbps == 2_000

    def test_a_hopeless_line_has_a_lowest_estimate(self) -> None:
        line = Line()
        line.seconds(200, told=50_000.0, loss=0.9)
        assert line.estimate.kbps == LOSS_LIMIT_KBPS_MIN

    @given(
        st.lists(
            st.tuples(
                st.one_of(st.none(), st.floats(0, 1e9)), st.floats(0, 1), st.one_of(st.none(), st.floats(0, 60_000))
            ),
            max_size=60,
        )
    )
    def test_whatever_viewers_say_it_is_a_number_not_below_zero(
        self, said: list[tuple[float | None, float, float | None]]
    ) -> None:
        line = Line()
        for told, loss, round_trip_ms in said:
            if line.estimate.is_probe_due(2_000, line.now):
                line.estimate.begin_probe(2_000, line.octets, line.now)
            line.second(told=told, loss=loss, round_trip_ms=round_trip_ms)
            line.estimate.give_up_probe(line.now)
            assert line.estimate.kbps is None or 0 <= line.estimate.kbps <= 1e9


class TestProbe:
    def test_what_a_probe_proves_stands_until_it_is_used_or_forgotten(self) -> None:
        line = Line()
        line.seconds(6, told=400.0)
        line.probe(1_200)
        assert line.estimate.kbps == 1_200
        line.sent_kbps = 1_200
        line.seconds(round(PROVEN_SECONDS) + 2, told=450.0)
        assert line.estimate.kbps == pytest.approx(1_200, rel=0.01), "it is carried now"
        line.sent_kbps = 300
        line.seconds(8, told=450.0)
        assert line.estimate.kbps == 450, "it is not used any more"

    @pytest.mark.parametrize(
        "answer",
        [{"round_trip_ms": LONG}, {"loss": 0.05}, {"loss": 0.5}, {"round_trip_ms": None}],
        ids=["a queue", "a little lost", "half of it lost", "no answer"],
    )
    def test_a_failed_probe_proves_nothing(self, answer: dict[str, float | None]) -> None:
        line = Line()
        line.seconds(6, told=400.0)
        line.probe(1_200, **answer)  # type: ignore[arg-type]
        assert line.estimate.probe is None
        assert line.estimate.probes_proven == 0
        assert (line.estimate.kbps or 0) <= 400

    def test_a_fall_of_the_viewers_own_figure_ends_a_probe_at_once(self) -> None:
        line = Line()
        line.seconds(6, told=400.0)
        line.estimate.begin_probe(1_200, line.octets, line.now)
        line.estimate.note_told(395.0, line.now + 0.2)
        assert line.estimate.probe is not None
        line.estimate.note_told(340.0, line.now + 0.4)
        assert line.estimate.probe is None

    def test_a_report_from_before_the_end_is_no_answer(self) -> None:
        line = Line()
        line.seconds(6, told=400.0)
        line.estimate.begin_probe(1_200, line.octets, line.now)
        line.estimate.note_round_trip(SHORT, line.now + 0.5, line.now + 0.6)
        assert line.estimate.probe is not None
        line.estimate.note_round_trip(SHORT, line.now + PROBE_SECONDS + 0.01, line.now + PROBE_SECONDS + 0.1)
        assert (line.estimate.probe, line.estimate.probes_proven) == (None, 1)

    def test_probes_wait_longer_after_each_failure(self) -> None:
        line = Line()
        line.seconds(6, told=400.0)
        waits = []
        for _ in range(6):
            line.probe(1_200, round_trip_ms=LONG)
            since = line.now
            while not line.estimate.is_probe_due(1_200, line.now):
                line.second(told=400.0)
            waits.append(line.now - since)
        assert waits == [10, 20, 40, 80, 80, 80]
        line.probe(1_200)
        line.seconds(round(PROBE_PAUSES[0]), told=400.0)
        assert line.estimate.is_probe_due(1_400, line.now)

    @pytest.mark.parametrize(
        ("target", "said", "is_due"),
        [
            (1_200.0, {"told": 400.0}, True),
            (350.0, {"told": 400.0}, False),
            (1_200.0, {"told": 400.0, "loss": 0.03}, False),
            (1_200.0, {"told": 400.0, "round_trip_ms": None}, False),
            (1_200.0, {}, True),
        ],
        ids=["more is wanted", "that much is known", "some is lost", "no round trip known", "without REMB"],
    )
    def test_when_a_probe_is_due(self, target: float, said: dict[str, float | None], is_due: bool) -> None:
        line = Line()
        line.seconds(6, **said)
        assert line.estimate.is_probe_due(target, line.now) is is_due

    def test_none_begins_on_a_line_with_a_queue(self) -> None:
        line = Line()
        line.seconds(6, told=400.0)
        line.second(told=400.0, round_trip_ms=LONG)
        assert not line.estimate.is_probe_due(1_200, line.now)

    @pytest.mark.parametrize(
        ("target", "after", "already", "due"),
        [
            (800, 0.5, 0, 50_000),
            (800, 0.5, 20_000, 30_000),
            (800, 9.0, 0, 100_000),
            (1e9, 1.0, 0, PROBE_KBPS_MAX * 125),
        ],
        ids=["half", "pictures count", "never longer", "never more"],
    )
    def test_what_is_due_of_it(self, target: float, after: float, already: int, due: float) -> None:
        line = Line()
        line.estimate.begin_probe(target, 5_000, line.now)
        assert line.estimate.probe is not None
        assert line.estimate.probe.octets_due(5_000 + already, line.now + after) == due
