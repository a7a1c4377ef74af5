"""A recording plays back whole: after a crash up to its last second, on a full disk, over takes and sizes."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import av
import pytest

from livecommerce.media.recording.reader import read_recording
from livecommerce.media.recording.recording import Recording, files
from livecommerce.media.recording.take_writer import Disk
from tests.media.broadcast import encode_pictures, encode_sound, interleaved
from tests.media.packaging.test_stand_in import show
from tests.media.studio import ORIGIN_MS, Studio

PICTURES = encode_pictures(6.0, keys_at={0, 60, 120})
SOUNDS = encode_sound(6.0)
SHOW = interleaved(PICTURES, SOUNDS)


def record(folder: Path, frames=SHOW, *, studio=None, later_ms=0, close=True, **options):
    studio = studio or Studio()
    recording = Recording(
        folder,
        "demo",
        lambda ticks: studio.wall_ms(ticks) + later_ms,
        lambda now: None,
        Disk(**{"reserve_bytes": 0, **options}),
    )
    studio.packager.sinks.append(recording)
    studio.send(frames)
    if close:
        recording.finish()
        recording.writer.close()
    return recording


def drain(recording):
    while recording.writer._queue.qsize():
        time.sleep(0.01)


def times(source):
    """Times of all decoded pictures and sounds of a file or of bytes; sizes of the pictures."""
    kinds, sizes = {"video": [], "audio": []}, []
    with av.open(source if isinstance(source, str) else io.BytesIO(source)) as container:
        for packet in container.demux():
            with contextlib.suppress(av.InvalidDataError):
                for frame in packet.decode():
                    kinds[packet.stream.type].append(frame.time)
                    if packet.stream.type == "video":
                        sizes.append((frame.width, frame.height))
    return kinds["video"], kinds["audio"], sizes


def whole(folder: Path):
    movie = read_recording(folder).movie()
    data = b"".join(movie.read(0, movie.size))
    assert len(data) == movie.size
    return data


def test_a_recorded_show_has_every_picture_and_sound_at_its_time(tmp_path):
    record(tmp_path)
    for source in (str(tmp_path / "take-0001.mp4"), whole(tmp_path)):
        pictures, sounds, _ = times(source)
        assert pictures == pytest.approx([index / 30 for index in range(180)])
        assert sounds[0] < 0.04
        assert sounds[-1] > 5.9
        assert all(later - before == pytest.approx(0.02) for before, later in pairwise(sounds))


def test_the_flash_and_the_beep_are_less_than_40_ms_apart(tmp_path):
    record(tmp_path)
    flashes, beeps = [], []
    with av.open(io.BytesIO(whole(tmp_path))) as container:
        for frame in container.decode():
            if isinstance(frame, av.VideoFrame):
                if min(bytes(frame.planes[0])[:300]) > 0xE0:
                    flashes.append(frame.time)
            else:
                wave = memoryview(bytes(frame.planes[0])).cast("f" if "flt" in frame.format.name else "h")
                if max(abs(sample) for sample in wave) > (0.1 if "flt" in frame.format.name else 3_000):
                    beeps.append(frame.time)
    assert len(flashes) == 6
    for flash in flashes:
        assert min(abs(beep - flash) for beep in beeps) < 0.04


def test_the_manifest_says_when_it_began_and_ended(tmp_path):
    record(tmp_path)
    manifest = files.read_manifest(tmp_path)
    assert manifest.origin_ms == manifest.takes[0].started_ms == ORIGIN_MS
    assert manifest.takes[0].ended_ms == pytest.approx(ORIGIN_MS + 6_000, abs=40)


def test_a_process_killed_while_recording_leaves_all_but_the_last_second(tmp_path):
    for round_number in range(3):
        folder = tmp_path / str(round_number)
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.media.recording.recorder_process", str(folder), "8"],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        try:
            lines = iter(process.stdout.readline, "")
            assert next(lines).strip() == "begun"
            begun = time.monotonic()
            for line in lines:
                if int(line.split()[0]) >= 3 + round_number:
                    break
            time.sleep(0.17 * round_number)
            recorded_seconds = time.monotonic() - begun
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            process.stdout.close()
        for source in (str(folder / "take-0001.mp4"), whole(folder)):
            pictures, sounds, _ = times(source)
            assert pictures[-1] > recorded_seconds - 1.0
            assert sounds[-1] > recorded_seconds - 1.1
        assert not files.read_manifest(folder).takes[-1].ended_ms  # nobody said that it ended


def test_a_second_take_goes_on_at_its_own_time_of_the_same_show(tmp_path):
    record(tmp_path)
    record(tmp_path, later_ms=20_000)
    assert [take.file for take in files.read_manifest(tmp_path).takes] == ["take-0001.mp4", "take-0002.mp4"]
    pictures, sounds, _ = times(whole(tmp_path))
    assert len(pictures) == 360
    assert pictures[180] == pytest.approx(20.0, abs=0.01)
    assert min(sound for sound in sounds if sound > 6.5) == pytest.approx(20.0, abs=0.03)
    assert read_recording(tmp_path).movie().duration_ms == pytest.approx(26_000, abs=40)


def test_a_take_that_ends_after_the_next_began_forgets_nobody(tmp_path):
    first = record(tmp_path, close=False)
    drain(first)
    record(tmp_path, later_ms=20_000)
    first.finish()
    first.writer.close()
    takes = files.read_manifest(tmp_path).takes
    assert [take.file for take in takes] == ["take-0001.mp4", "take-0002.mp4"]
    assert all(take.ended_ms for take in takes)
    assert len(times(whole(tmp_path))[0]) == 360


def test_other_picture_sizes_are_in_the_same_file(tmp_path):
    large = encode_pictures(2.0, keys_at={0}, size=(640, 360), start=6.0)
    small = encode_pictures(2.0, keys_at={0}, start=8.0)
    record(tmp_path, interleaved(PICTURES, large, small, encode_sound(10.0)))
    for source in (str(tmp_path / "take-0001.mp4"), whole(tmp_path)):
        pictures, _, sizes = times(source)
        assert len(pictures) == 300
        assert sizes == [(320, 180)] * 180 + [(640, 360)] * 60 + [(320, 180)] * 60
    assert len(files.read_manifest(tmp_path).descriptions) == 2


def test_a_host_away_for_a_while_leaves_the_times_right(tmp_path):
    later = [*encode_pictures(2.0, keys_at={0}, start=16.0), *encode_sound(2.0, start=16.0)]
    record(tmp_path, interleaved(SHOW, later))
    pictures, sounds, _ = times(whole(tmp_path))
    assert pictures[180] == pytest.approx(16.0)
    assert all(later - before < 0.03 for before, later in pairwise(sounds))  # silence between


@pytest.mark.parametrize(
    ("name", "seconds", "alone"),
    [("sound_alone", 5.0, [(0, 4_833)]), ("camera_away", 11.0, [(1_966, 8_000)])],
)
def test_a_show_without_a_camera_is_kept_with_all_of_its_sound(tmp_path, name, seconds, alone):
    studio = Studio()
    recording = record(tmp_path, [], studio=studio, close=False)
    show(name, studio=studio)
    recording.finish()
    recording.writer.close()
    pictures, sounds, _ = times(whole(tmp_path))
    assert sounds[-1] - sounds[0] > seconds - 0.4
    assert all(later - before == pytest.approx(0.02) for before, later in pairwise(sounds))
    assert pictures[0] == 0.0
    assert pictures[-1] > seconds - 0.4
    assert all(0 < later - before < 0.31 for before, later in pairwise(pictures))
    found = read_recording(tmp_path).sound_alone()
    assert len(found) == len(alone)
    for stretch, expected in zip(found, alone, strict=True):
        assert stretch == pytest.approx([ORIGIN_MS + moment for moment in expected], abs=40)
