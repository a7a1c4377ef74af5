"""What recording and HLS get: one continuous picture, whichever layer it is taken from."""

from __future__ import annotations

import itertools

import pytest

from livecommerce.media.ingest.source import SourceName
from livecommerce.media.tracks.track import CanonicalPacket
from livecommerce.media.viewers.follower import STEADY_SECONDS, Follower
from livecommerce.media.viewers.layer import Layer
from tests.media.crowd import KEYS
from tests.media.viewers.test_layer import make_layer, take


class Show:
    """Two layers on one timestamp line, the smaller one first."""

    def __init__(self) -> None:
        self.small, self.large = make_layer(), make_layer()
        self.large.track.join(self.small.track)
        for name, layer in (("l", self.small), ("h", self.large)):
            layer.feed(SourceName("video", name), 0.0)
        self.follower = Follower(self.small)
        self.given: list[CanonicalPacket] = []
        self.sequence = 0

    def frame(self, *, is_key: bool = False) -> None:
        """One picture of each layer."""
        for layer, height in ((self.small, 180), (self.large, 720)):
            take(layer, self.sequence, KEYS[height] if is_key else b"\x61picture", self.sequence / 30)
            self.given += self.follower.take(layer, layer.take_pending(1.0))
        self.sequence += 1

    def check(self) -> None:
        numbers = [packet.number for packet in self.given]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "no number twice, none left out"
        times = [packet.timestamp for packet in self.given]
        assert all(later > before for before, later in itertools.pairwise(times))

    def heights(self) -> list[int]:
        sizes = {body: height for height, body in KEYS.items()}
        return [sizes[packet.body] for packet in self.given if packet.body in sizes]


@pytest.fixture
def show() -> Show:
    return Show()


def test_before_anything_was_given_the_best_is_followed_at_once(show: Show) -> None:
    show.follower.look([show.small, show.large], 0.0)
    assert show.follower.layer is show.follower.wanted is show.large


def test_a_better_layer_is_followed_from_its_next_keyframe_on_once_it_is_steady(show: Show) -> None:
    alive: list[Layer] = [show.small]
    show.follower.look(alive, 0.0)
    show.frame(is_key=True)
    show.follower._steady_seconds = STEADY_SECONDS
    alive.append(show.large)
    for now, wanted in (
        (1.0, show.small),
        (1.0 + STEADY_SECONDS - 0.1, show.small),
        (1.0 + STEADY_SECONDS, show.large),
    ):
        show.follower.look(alive, now)
        assert show.follower.wanted is wanted
    show.frame()
    assert show.follower.layer is show.small, "not within a picture that depends on another"
    show.frame(is_key=True)
    show.frame()
    assert show.follower.layer is show.large
    assert show.heights() == [180, 180, 720], "the small picture came before the large one of the same moment"
    show.check()


def test_a_layer_that_comes_and_goes_is_not_followed(show: Show) -> None:
    show.follower.look([show.small], 0.0)
    show.frame(is_key=True)
    show.follower._steady_seconds = STEADY_SECONDS
    for now in range(0, 20, 2):
        show.follower.look([show.small, show.large] if now % 4 else [show.small], float(now))
        show.frame(is_key=True)
    assert show.heights() == [180] * 11
    show.check()


def test_when_its_layer_is_dropped_it_goes_down_at_once(show: Show) -> None:
    show.follower.look([show.small, show.large], 0.0)
    show.frame(is_key=True)
    show.frame()
    show.follower.look([show.small], 0.1)
    assert show.follower.wanted is show.small
    show.frame(is_key=True)
    show.frame()
    assert show.heights() == [720, 180]
    show.check()


def test_without_any_layer_it_waits_where_it_is(show: Show) -> None:
    show.follower.look([show.small, show.large], 0.0)
    show.frame(is_key=True)
    show.follower.look([], 1.0)
    assert show.follower.wanted is show.large
    show.frame()
    show.check()


def test_the_hosts_report_is_told_on_the_time_that_was_given(show: Show) -> None:
    assert show.follower.report is None
    show.follower.look([show.small, show.large], 0.0)
    show.frame(is_key=True)
    show.large.track.note_report(5 << 32, 0, 1.0)
    report = show.follower.report
    assert report is not None
    assert report[0] == 5 << 32
    assert report[1] == show.given[0].timestamp
