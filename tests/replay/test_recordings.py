"""Recordings as they are asked for: read once while the files stay the same, missing where nothing is whole."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from livecommerce.media.recording import files
from livecommerce.media.recording.reader import Movie
from livecommerce.replay import recordings as module
from livecommerce.replay.errors import ReplayMissing
from livecommerce.replay.recordings import Recordings, stretches
from tests.media.packaging.test_stand_in import show
from tests.media.recording.test_recording import SHOW, record
from tests.media.studio import Studio


def recorded(data: Path, show: str = "demo") -> Path:
    folder = files.folder_of(data, show)
    record(folder, SHOW)
    return folder


async def test_a_recording_is_read_once_while_its_files_stay_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = recorded(tmp_path)
    monkeypatch.setattr(module, "SCAN_SECONDS", 0.0)
    recordings = Recordings(str(tmp_path))
    first, second = await asyncio.gather(recordings.get("demo"), recordings.get("demo"))
    assert first is second is await recordings.get("demo")
    record(folder, SHOW, later_ms=20_000)
    later = await recordings.get("demo")
    assert later is not first
    assert later.whole.duration_ms > first.whole.duration_ms


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("manifest.json", None),
        ("manifest.json", b"{"),
        ("manifest.json", b"[]"),
        ("take-0001.mp4", b""),
        ("take-0001.mp4", b"no movie" * 2_000),
    ],
    ids=["no manifest", "cut off", "of another form", "an empty take", "another kind of file"],
)
async def test_what_is_not_whole_is_missing(tmp_path: Path, name: str, body: bytes | None) -> None:
    folder = recorded(tmp_path)
    if body is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(body)
    recordings = Recordings(str(tmp_path))
    with pytest.raises(ReplayMissing):
        await recordings.get("demo")
    assert await recordings.has_replay("demo") is False


async def test_where_a_show_has_sound_alone_is_told_on_the_movies_own_time(tmp_path: Path) -> None:
    folder = files.folder_of(tmp_path, "demo")
    studio = Studio()
    recording = record(folder, [], studio=studio, close=False)
    show("camera_away", studio=studio)
    recording.finish()
    recording.writer.close()
    (stretch,) = msgspec.json.decode((await Recordings(str(tmp_path)).get("demo")).replay)["sound_alone"]
    assert stretch["at"] == pytest.approx(1_966, abs=40)
    assert stretch["until"] == pytest.approx(8_000, abs=40)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ((0, 900), []),
        ((0, 1_500), [(0, 500)]),
        ((1_200, 1_500), [(200, 500)]),
        ((1_200, 99_000), [(200, 2_000)]),
        ((3_000, 4_000), []),
    ],
    ids=["before", "from before", "within", "to the end", "after"],
)
def test_a_stretch_is_cut_to_what_is_shown(found: tuple[int, int], told: list[tuple[int, int]]) -> None:
    movie = Movie(b"", (), 0, 1_000, 2_000, "")
    assert stretches([found], movie) == [{"at": at, "until": until} for at, until in told]


async def test_a_show_that_was_never_recorded_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ReplayMissing):
        await Recordings(str(tmp_path)).get("demo")


async def test_a_damaged_archive_leaves_the_movie(tmp_path: Path) -> None:
    folder = recorded(tmp_path)
    (folder / files.EVENTS).write_bytes(
        b'{"o": "1-0", "ev": []}\n{"o": \nnoise\n7\n{}\n{"o": "2-0", "ev": 5}\n{"o": "3-0", "ev": []'
    )
    found = await Recordings(str(tmp_path)).get("demo")
    assert found.movie is not None
    assert b'"chat":[]' in found.replay


async def test_few_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_MAX", 2)
    recordings = Recordings(str(tmp_path))
    for name in ("a", "b", "c"):
        recorded(tmp_path, name)
        await recordings.get(name)
    assert set(recordings._kept) == {"b", "c"}
