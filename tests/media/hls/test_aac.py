"""Opus to AAC: the same sound at the same place; a thread that never holds up anybody."""

from __future__ import annotations

import asyncio
import io
from itertools import pairwise

import av
import pytest

from livecommerce.media.hls.aac import FRAME_SAMPLES, FRAMES_WAITING_MAX, AacEncoder
from livecommerce.media.hls.window import (
    AAC,
    OPUS,
)
from livecommerce.media.packaging.timeline import TimedFrame
from livecommerce.media.wire.rtp import VIDEO_CLOCK
from tests.media.broadcast import encode_sound
from tests.media.hls.test_window import SHOW, decode, loud, on_air
from tests.media.payload_files import read_payloads
from tests.media.studio import Studio


class Feed:
    """Passes sound on to the encoder."""

    def __init__(self, encoder):
        self.encoder = encoder

    def video(self, picture): ...
    def tick(self, now): ...
    def audio(self, frame):
        self.encoder.put(frame)


async def test_aac_has_the_same_pictures_cut_at_the_same_places_and_the_same_sound():
    studio = Studio()
    window, _ = on_air([], studio)
    encoder = AacEncoder(window.start_aac, window.aac_frame)

    studio.packager.sinks.append(Feed(encoder))
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


def spans(window, variant, segment):
    """(first, end) of the pictures and of the sound of a segment as FFmpeg reads it, seconds."""
    found = {}
    data = window.initialization(variant, segment.initialization) + window.segment(variant, segment.number)
    with av.open(io.BytesIO(data)) as container:
        for packet in container.demux():
            if packet.pts is not None:
                start, end = (float(ticks * packet.time_base) for ticks in (packet.pts, packet.pts + packet.duration))
                first, last = found.get(packet.stream.type, (start, end))
                found[packet.stream.type] = min(first, start), max(last, end)
    return found["video"], found["audio"]


@pytest.mark.parametrize("has_camera", [True, False], ids=["a camera", "sound alone"])
@pytest.mark.parametrize("asked_at", [0.0, 2.2])
async def test_the_first_segment_of_a_variant_begins_with_its_picture(has_camera, asked_at):
    """AAC is begun when it is asked for, in the middle of a segment: its sound from before has no picture there."""
    studio = Studio()
    studio.has_camera = has_camera
    payloads = [one for one in read_payloads("show") if has_camera or one.kind == "audio"]
    before = [one for one in payloads if one.at < asked_at]
    after = payloads[len(before) :]
    window, _ = on_air([], studio)
    studio.feed(before)
    begun = asyncio.Event()
    encoder = AacEncoder(lambda setup: (window.start_aac(setup), begun.set()), window.aac_frame)
    studio.packager.sinks.append(Feed(encoder))
    try:
        await asyncio.wait_for(begun.wait(), 20)
        for index in range(0, len(after), 20):
            studio.feed(after[index : index + 20])
            await encoder.caught_up()
        window.end()
    finally:
        encoder.stop()
    for variant, frame_seconds in ((OPUS, 0.02), (AAC, FRAME_SAMPLES / 48_000)):
        done = [segment for segment in window.listed(variant) if segment.is_done]
        (picture, end), (sound, sound_end) = spans(window, variant, done[0])
        assert abs(picture - sound) <= frame_seconds, (variant, "picture and sound begin together")
        assert end - picture == pytest.approx(done[0].ticks / 90_000, abs=0.001), "it is as long as it says"
        assert sound_end - sound < end - picture + 2 * frame_seconds
        for segment in done[1:]:
            (begin, finish), (heard, heard_end) = spans(window, variant, segment)
            assert begin == pytest.approx(end, abs=0.001)
            assert heard == pytest.approx(sound_end, abs=0.001), "and its sound goes on without a hole"
            end, sound_end = finish, heard_end


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
