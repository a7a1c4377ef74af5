"""Chromium says what its line carries: repairs by RTX, an estimate that follows the line, probes that find it wider."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest

from livecommerce.media.settings import Media
from livecommerce.media.synthetic.host import Quality
from livecommerce.media.viewers.viewer import Viewer
from tests.media.lossy_network import Line, LossyNetwork
from tests.media.stage import Stage, open_stage, until
from tests.media.test_chromium import WATCH, chromium, decodes, opened
from tests.media.test_lossy_network import VIEWER_ADDRESS, report

pytestmark = pytest.mark.browser
# About 320 kbit/s with its headers: little enough that a line may be twice as wide and still narrow.
QUALITY = Quality(width=320, height=240, frames_per_second=24, bitrate_kbps=300)
WANTED_KBPS = 1_200.0
WIDE = Line(delay_ms=20)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    media = Media(host="127.0.0.1", external_addresses=("127.0.0.1",))
    async with open_stage(media) as stage, stage.host(quality=QUALITY):
        stage.rewrite = lambda answer: answer.replace("127.0.0.1 ", f"{VIEWER_ADDRESS} ")
        yield stage


async def probed(viewer: Viewer) -> bool:
    """Asks for a probe as often as whoever wants more does; whether it was proven."""
    proven = viewer.estimate.probes_proven
    await until(lambda: viewer.probe(WANTED_KBPS, time.monotonic()), "a probe begins", seconds=30)
    await until(lambda: viewer.estimate.probe is None, "it is answered")
    return viewer.estimate.probes_proven > proven


async def test_the_estimate_follows_the_line_and_a_probe_finds_it_wider(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livecommerce.media.viewers.estimate.PROBE_PAUSES", (0.5, 1.0))
    monkeypatch.setattr("livecommerce.media.viewers.ladder.HOPELESS_REPORTS", 1_000)  # sound alone is another test's
    async with chromium() as browser:
        with LossyNetwork(VIEWER_ADDRESS, stage.plane.mux.port, seed=3) as network:
            network.become(up=WIDE, down=WIDE)
            page = await opened(browser, stage, WATCH)
            await decodes(page, 24)
            (viewer,) = stage.stream.viewers.values()
            await until(lambda: viewer.estimate_kbps is not None, "an estimate")
            assert (viewer.estimate_kbps or 0) < WANTED_KBPS, "a browser does not say what it was never sent"

            network.become(down=Line(delay_ms=20, kbps=600))
            assert not await probed(viewer)
            assert (viewer.estimate_kbps or 0) < 700

            network.become(down=Line(delay_ms=20, kbps=200))
            await until(lambda: (viewer.estimate_kbps or 0) < 250, "the estimate comes down to the line's rate")

            network.become(down=WIDE)
            # the last queue drains first, and a busy machine may look like one
            assert any([await probed(viewer) for _ in range(4) if (viewer.estimate_kbps or 0) < WANTED_KBPS])
            assert viewer.estimate_kbps == WANTED_KBPS
            told = viewer.statistics()
            assert (told["rtx"], told["estimate_kbps"]) == (True, WANTED_KBPS)
            await decodes(page, 24)
            await page.close()


async def test_what_chromium_lost_comes_by_rtx(stage: Stage) -> None:
    async with chromium() as browser:
        with LossyNetwork(VIEWER_ADDRESS, stage.plane.mux.port, seed=5) as network:
            bad = Line(delay_ms=20, loss=0.05)
            network.become(up=bad, down=bad)
            page = await opened(browser, stage, WATCH)
            await decodes(page, 120)
            (viewer,) = stage.stream.viewers.values()
            seen = await report(page)
            print(f"{seen}, {viewer.statistics()}")
            assert seen["repaired"] > 5
            assert seen["frozenSeconds"] < 2.5
            await until(lambda: viewer.estimate_kbps is not None, "an estimate all the same")
            await page.close()
