"""Opus to AAC: the same sound at the same place; a thread that never holds up anybody."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from livecommerce.media.hls.aac import FRAMES_WAITING_MAX, AacEncoder
from livecommerce.media.hls.window import (
    AAC,
    OPUS,
)
from livecommerce.media.packaging.timeline import TimedFrame
from livecommerce.media.wire.rtp import VIDEO_CLOCK
from tests.media.broadcast import encode_sound
from tests.media.hls.test_window import SHOW, decode, loud, on_air
from tests.media.studio import Studio


async def test_aac_has_the_same_pictures_cut_at_the_same_places_and_the_same_sound():
    studio = Studio()
    window, _ = on_air([], studio)
    encoder = AacEncoder(window.start_aac, window.aac_frame)

    class Feed:
        def video(self, picture): ...
        def tick(self, now): ...
        def audio(self, frame):
            encoder.put(frame)

    studio.packager.sinks.append(Feed())
    try:
        for index in range(0, len(SHOW), 20):
            studio.send(SHOW[index : index + 20])
            await encoder.caught_up()
    finally:
        encoder.stop()
    listed = window.listed(AAC)
    assert [segment.number for segment in listed] == [segment.number for segment in window.listed(OPUS)][-len(listed) :]
    assert listed
    done = [segment for segment in listed if segment.is_done]
    pictures, sounds = decode(
        window.initialization(AAC, done[0].initialization), *(window.segment(AAC, segment.number) for segment in done)
    )
    assert len(pictures) == sum(segment.ticks for segment in done) * 30 // VIDEO_CLOCK
    flashes = [time for time, frame in pictures if min(bytes(frame.planes[0])[:300]) > 0xE0]
    beeps = [time for time, frame in sounds if loud(frame)]
    for flash in flashes[:-1]:
        assert min(abs(beep - flash) for beep in beeps) < 0.04
    window.stop_aac()
    assert not window.listed(AAC) or window.initialization(AAC, done[0].initialization)


# One frame and more padding than there are bytes (RFC 6716 section 3.2.5): its length is known, its sound is not.
DAMAGED = b"\xfb\x41\xff\xff"


@pytest.mark.parametrize("damaged", [DAMAGED, b"\xfb\x41"], ids=["padding beyond its end", "cut off"])
async def test_what_is_no_sound_is_a_gap_and_what_follows_is_in_its_place(damaged):
    frames = []
    encoder = AacEncoder(lambda setup: None, frames.append)
    sounds = [frame.payloads[0] for frame in encode_sound(2.0)]
    try:
        for index, data in enumerate(sounds):
            encoder.put(TimedFrame(index * 960, damaged if index == 30 else data, 960))
        await encoder.caught_up()
    finally:
        encoder.stop()
    assert frames[-1].time > 960 * (len(sounds) - 6), "the sound goes on after it"
    assert all(after.time > before.time for before, after in pairwise(frames))


async def test_a_thread_that_is_behind_drops_and_one_that_is_stopped_tells_nothing():
    told = []
    encoder = AacEncoder(told.append, told.append)
    encoder.stop()
    for index in range(3 * FRAMES_WAITING_MAX):
        encoder.put(TimedFrame(index * 960, b"\xf8\xff\xfe", 960))
    await asyncio.sleep(0)
    assert encoder.dropped_frames >= FRAMES_WAITING_MAX
    assert told == []
    encoder.stop()
