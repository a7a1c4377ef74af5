"""The thread that writes: a disk that is full, refuses or stands still costs fragments and nothing else."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from livecommerce.media.recording.reader import fragments, read_recording
from livecommerce.media.recording.take_writer import HEAD_BYTES
from tests.media.recording.test_recording import SHOW, drain, record, times, whole
from tests.media.studio import Studio


def test_below_the_reserve_nothing_is_written_and_then_it_goes_on(tmp_path):
    space = [10_000_000]
    studio = Studio()
    recording = record(
        tmp_path,
        SHOW[:240],
        studio=studio,
        close=False,
        reserve_bytes=1_000,
        retry_seconds=0,
        free=lambda folder: space[0],
    )
    drain(recording)
    space[0] = 500
    studio.send(SHOW[240:300])
    drain(recording)
    assert recording.writer.state == "full"
    space[0] = 10_000_000
    studio.send(SHOW[300:])
    recording.finish()
    recording.writer.close()
    assert recording.writer.counters.dropped > 0
    pictures, _, _ = times(whole(tmp_path))
    assert 100 < len(pictures) < 180
    assert pictures[-1] == pytest.approx(179 / 30)


FULL_DISK = """
import resource, sys
from pathlib import Path
from tests.media.recording.test_recording import drain, record
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))
recording = record(Path(sys.argv[1]), close=False, retry_seconds=0)
drain(recording)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
recording.finish()
recording.writer.close()
assert recording.writer.counters.dropped > 0, recording.writer.counters
"""


def test_a_disk_that_refuses_a_write_leaves_whole_fragments(tmp_path):
    subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)], cwd=Path(__file__).parents[3], check=True, timeout=60
    )
    data = (tmp_path / "take-0001.mp4").read_bytes()
    known = fragments(tmp_path / "take-0001.mp4")
    assert known[0].offset == HEAD_BYTES
    assert known[-1].offset + known[-1].size == len(data)
    pictures, _, _ = times(whole(tmp_path))
    assert 10 < len(pictures) < 180


def test_a_folder_that_cannot_be_made_costs_the_recording_alone(tmp_path):
    (tmp_path / "file").write_text("in the way")
    recording = record(tmp_path / "file" / "demo", retry_seconds=0)
    assert recording.writer.state == "full"
    assert recording.writer.counters.written == 0


def test_a_slow_disk_loses_fragments_and_not_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("livecommerce.media.recording.take_writer.WAITING_BYTES_MAX", 50_000)
    held = []

    def slow(folder):
        while held:
            time.sleep(0.01)
        return 1 << 40

    held.append(True)
    recording = record(tmp_path, close=False, free=slow)
    assert recording.writer.counters.dropped > 0
    held.clear()
    recording.finish()
    recording.writer.close()
    assert read_recording(tmp_path).movie() is not None
