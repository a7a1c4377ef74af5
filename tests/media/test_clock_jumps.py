"""An encoder's clock is set anew in the middle of a show: recording, HLS and viewers lose nothing but the moment."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest

from livecommerce.media.hls.playlist import media_playlist
from livecommerce.media.hls.window import OPUS
from livecommerce.media.ingest.feedback import Reception
from livecommerce.media.ingest.source import PICTURE, SOUND
from livecommerce.media.outputs import ShowOutput
from livecommerce.media.packaging.timeline import FRAME_SAMPLES, SILENCE
from livecommerce.media.recording import files
from livecommerce.media.stream import StreamState
from livecommerce.media.wire import rtp
from tests.media.broadcast import CLOCKS, encode_pictures, encode_sound, interleaved
from tests.media.crowd import Wire, make_stream
from tests.media.packaging.test_packager import Shelf

SECONDS, AT = 8.0, 4.0
SHOW = interleaved(encode_pictures(SECONDS, keys_at={0, 60, 120, 180}), encode_sound(SECONDS))
KINDS = {"video": PICTURE, "audio": SOUND}
BOTH, PICTURES_ALONE, SOUNDS_ALONE = ("video", "audio"), ("video",), ("audio",)


class Studio:
    """A whole stream with its outputs; packets arrive at the moments they were made at."""

    def __init__(self, folder: Path) -> None:
        self.stream, host = make_stream(Wire(), ())
        host.receptions = {PICTURE: Reception(9, 90_000), SOUND: Reception(8, 48_000)}
        self.output, self.shelf = ShowOutput(self.stream), Shelf()
        self.began = time.monotonic() - SECONDS
        for layer in self.stream.layers:
            layer.fed_since = self.began  # the host has been here since, so its first picture is its own
        self.stream.has_picture = True  # outputs begin when a stream has come live, by its camera here
        self.window = self.output.play(self.began)
        self.output.packager.sinks.append(self.shelf)
        self.output.record(folder)
        self._sequences = {"video": 500, "audio": 900}

    def play(self, jump_seconds: float, kinds: tuple[str, ...]) -> None:
        for frame in SHOW:
            jump = jump_seconds if frame.kind in kinds and frame.seconds >= AT else 0.0
            timestamp = round((frame.seconds + jump + 20_000) * CLOCKS[frame.kind]) & 0xFFFFFFFF
            for index, payload in enumerate(frame.payloads):
                marker = frame.kind == "audio" or index == len(frame.payloads) - 1
                header = (102, marker, self._sequences[frame.kind] & 0xFFFF, timestamp, 9)
                self.stream.take(KINDS[frame.kind], rtp.RtpPacket(*header, payload, 0, b""), self.began + frame.seconds)
                self._sequences[frame.kind] += 1
        recording = self.output.stream_ended()
        assert recording is not None
        recording.writer.close()


@pytest.mark.parametrize("kinds", [BOTH, PICTURES_ALONE, SOUNDS_ALONE], ids="+".join)
@pytest.mark.parametrize("jump_seconds", [-15, -100, 7_200, 10], ids=lambda jump: f"{jump} s")
async def test_nothing_is_lost_but_the_moment(tmp_path: Path, jump_seconds: int, kinds: tuple[str, ...]) -> None:
    studio = Studio(tmp_path)
    studio.play(jump_seconds, kinds)
    pictures, sounds = studio.shelf.pictures, studio.shelf.sounds
    assert len(pictures) == SECONDS * 30
    assert all(2_900 < after.time - before.time < 3_100 for before, after in pairwise(pictures))
    assert all(after.time == before.time + before.duration for before, after in pairwise(sounds)), "end to end"
    assert sum(each.data == SILENCE for each in sounds) < 0.3 * 48_000 / FRAME_SAMPLES, "not silent for the jump"
    assert abs(sounds[-1].time / 48_000 - pictures[-1].time / 90_000) < 0.6
    playlist = media_playlist(studio.window, OPUS)
    assert playlist.count("#EXT-X-DISCONTINUITY\n") == 1
    assert sum(part.ticks for each in studio.window.segments for part in each.parts) == pytest.approx(
        SECONDS * 90_000, abs=3_100
    )
    manifest = files.read_manifest(tmp_path)
    assert manifest is not None
    (take,) = manifest.takes
    assert [round((each - take.started_ms) / 1_000, 1) for each in take.jumps_ms] == [AT]
    assert take.ended_ms - take.started_ms == pytest.approx(SECONDS * 1_000, abs=50)


async def test_a_show_without_a_jump_has_no_mark(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    studio.play(0.0, BOTH)
    assert "#EXT-X-DISCONTINUITY\n" not in media_playlist(studio.window, OPUS)
    manifest = files.read_manifest(tmp_path)
    assert manifest is not None
    assert manifest.takes[0].jumps_ms == []


@pytest.mark.parametrize("kinds", [BOTH, PICTURES_ALONE, SOUNDS_ALONE], ids="+".join)
async def test_the_host_hears_of_it(tmp_path: Path, kinds: tuple[str, ...]) -> None:
    studio = Studio(tmp_path)
    studio.stream._taken_at = studio.began
    studio.play(-15, kinds)
    now = time.monotonic()
    assert studio.stream.state is StreamState.LIVE
    studio.stream._window = (now - 1.0, 0)
    studio.stream.second(now)
    assert studio.stream.hint == "clock_jumped"
