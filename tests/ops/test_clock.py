"""A step of the machine's clock is told, whoever made it."""

from __future__ import annotations

import pytest

from livecommerce.ops import metrics
from livecommerce.ops.clock import TOLD_SECONDS, ClockWatch
from livecommerce.ops.health import Degraded


class Clocks:
    def __init__(self) -> None:
        self.wall, self.steady = 1_800_000_000.0, 50.0

    def pass_by(self, seconds: float) -> None:
        self.wall, self.steady = self.wall + seconds, self.steady + seconds


@pytest.mark.parametrize(("step", "words"), [(3600.0, "ahead by 3600 s"), (-600.0, "back by 600 s")])
async def test_a_step_is_told_counted_and_forgotten(
    step: float, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    clocks = Clocks()
    watch = ClockWatch(lambda: clocks.wall, lambda: clocks.steady)
    before = metrics.CLOCK_STEPS._value.get()
    clocks.pass_by(1.0)
    clocks.wall += 0.5  # slewed by NTP
    assert await watch.check() is None
    clocks.pass_by(1.0)
    clocks.wall += step
    told = await watch.check()
    assert isinstance(told, Degraded), "the process does its work"
    assert words in told
    assert ("no hold ended by it" in told) == (step < 0), "a step back ends nothing"
    assert metrics.CLOCK_STEPS._value.get() == before + 1
    clocks.pass_by(TOLD_SECONDS)
    assert await watch.check() is not None
    clocks.pass_by(1.0)
    assert await watch.check() is None
    assert metrics.CLOCK_STEPS._value.get() == before + 1, "once a step"
