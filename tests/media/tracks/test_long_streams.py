"""Hours in seconds: streams that begin just before their numbers, timestamps and rollover counters wrap.

Sequence numbers of a 720p30 picture wrap every seven minutes, its 90 kHz timestamps every 13 hours, sound's every day.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from livecommerce.media.settings import Media
from livecommerce.media.synthetic.host import Quality
from livecommerce.media.tracks import track as track_module
from livecommerce.media.tracks.track import Track
from tests.media.lossy_network import Line, LossyNetwork
from tests.media.stage import Stage, open_stage, until, viewing
from tests.media.test_chromium import WATCH, chromium, decodes, opened
from tests.media.test_lossy_network import VIEWER_ADDRESS

WRAP = 0x20000  # of the extended number: the second time sixteen bits are full


def skewed(packets_before: int, seconds_before: float) -> Callable[[str, int], Track]:
    """Tracks whose sequence number wraps after so many packets and whose timestamp wraps after so many seconds."""

    def make(kind: str, clock: int) -> Track:
        track = Track(kind, clock)
        track.highest = track.head = track._floor = WRAP - packets_before
        # As if a host had been here a moment ago: another one's numbers and timestamps go on from its.
        track.last_timestamp, track.last_at = 0x100000000 - round(seconds_before * clock), time.monotonic()
        return track

    return make


async def passes_wraps(stage: Stage, packets_after: int) -> None:
    """Both tracks go on past the wrap of their numbers, and their timestamps have wrapped too."""
    tracks = list(stage.stream.tracks.values())
    for track in tracks:
        deadline = asyncio.get_running_loop().time() + 150
        while track.head < WRAP + packets_after:
            assert asyncio.get_running_loop().time() < deadline, f"{track.kind} is at {track.head - WRAP} packets"
            await asyncio.sleep(0.1)
        assert track.last_timestamp < 0x80000000


@pytest.mark.nightly
async def test_those_who_watch_while_everything_wraps_decode_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """One viewer is there before the wrap, in numbers half a cycle away; one joins in the middle of it."""
    monkeypatch.setattr("livecommerce.media.viewers.audience.Track", skewed(packets_before=200, seconds_before=3.0))
    async with open_stage() as stage, stage.host(), viewing(stage) as (early,):
        await early.more_frames(10)
        await until(lambda: stage.stream.tracks["video"].head > WRAP - 20, "the wrap is near")
        async with viewing(stage) as (late,):
            await passes_wraps(stage, 60)
            await early.more_frames(20)
            await late.more_frames(20)
            sounds = early.sounds, late.sounds
            await until(lambda: early.sounds > sounds[0] and late.sounds > sounds[1], "sound goes on")


async def test_a_viewers_own_numbers_wrap_and_its_rollover_counter_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    """It began in the canonical numbers, outside the margin (made small here), so that its SRTP index rolls over."""
    monkeypatch.setattr(track_module, "WRAP_MARGIN", 150)
    monkeypatch.setattr("livecommerce.media.viewers.audience.Track", skewed(packets_before=400, seconds_before=6.0))
    async with open_stage() as stage, stage.host(), viewing(stage) as (viewer,):
        await viewer.more_frames(5)
        (served,) = stage.stream.viewers.values()
        assert [lane.phase for lane in served.lanes.values()] == [0, 0]
        await passes_wraps(stage, 60)
        await viewer.more_frames(20)
        sounds = viewer.sounds
        await until(lambda: viewer.sounds > sounds + 20, "sound goes on")


@pytest.mark.nightly
async def test_a_host_that_comes_back_during_the_wrap_goes_on_in_the_same_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("livecommerce.media.viewers.audience.Track", skewed(packets_before=260, seconds_before=4.0))
    async with open_stage() as stage:
        async with stage.host(should_delete=False), viewing(stage) as (viewer,):
            await viewer.more_frames(10)
            await until(lambda: stage.stream.tracks["video"].head > WRAP - 60, "the wrap is near")
        async with viewing(stage) as (viewer,), stage.host():
            await passes_wraps(stage, 40)
            await viewer.more_frames(20)


@pytest.mark.browser
@pytest.mark.nightly
async def test_chromium_on_a_bad_line_watches_across_all_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the margin as it is: the viewer enters just outside, and 4,000 packets later everything wraps under loss."""
    monkeypatch.setattr("livecommerce.media.viewers.audience.Track", skewed(packets_before=4_400, seconds_before=20.0))
    quality = Quality(width=640, height=360, frames_per_second=24, bitrate_kbps=1_500)
    media = Media(host="127.0.0.1", external_addresses=("127.0.0.1",))
    async with open_stage(media) as stage, chromium() as browser, stage.host(quality=quality):
        with LossyNetwork(VIEWER_ADDRESS, stage.plane.mux.port, seed=3) as network:
            network.become(up=Line(loss=0.03), down=Line(loss=0.03, delay_ms=10, jitter_ms=10))
            stage.rewrite = lambda answer: answer.replace("127.0.0.1 ", f"{VIEWER_ADDRESS} ")
            viewer = await opened(browser, stage, WATCH)
            await decodes(viewer, 20)
            (served,) = stage.stream.viewers.values()
            assert [lane.phase for lane in served.lanes.values()] == [0, 0]
            await passes_wraps(stage, 300)
            await decodes(viewer, 48)
            assert served.repairs > 0
            late = await opened(browser, stage, WATCH)
            await decodes(late, 48)
            await late.close()
            await viewer.close()
