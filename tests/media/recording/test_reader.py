"""Takes read as one movie: whole fragments whatever a crash left, byte ranges, an index, nothing from other files."""

from __future__ import annotations

import io
import random
import struct

import av
import pytest

from livecommerce.media.recording import files
from livecommerce.media.recording.reader import fragments, read_recording
from livecommerce.media.recording.take_writer import HEAD_BYTES
from tests.media.recording.test_recording import record, times, whole


def test_a_file_cut_anywhere_gives_all_its_whole_fragments(tmp_path):
    record(tmp_path)
    take = tmp_path / "take-0001.mp4"
    data, known = take.read_bytes(), fragments(take)
    for cut in random.Random(7).sample(range(HEAD_BYTES, len(data)), 25):
        take.write_bytes(data[:cut])
        kept = [one for one in known if one.offset + one.size <= cut]
        assert fragments(take) == kept
        if kept:
            pictures, _, _ = times(whole(tmp_path))
            assert len(pictures) == sum(one.duration for one in kept) // 3_000


def test_the_movie_can_be_sought_by_its_index(tmp_path):
    record(tmp_path)
    with av.open(io.BytesIO(whole(tmp_path))) as container:
        assert container.duration == pytest.approx(6_000_000, abs=50_000)
        container.seek(4_500_000)
        assert next(container.decode(video=0)).time == pytest.approx(4.0)


def test_a_part_of_the_movie_is_that_part_of_its_bytes(tmp_path):
    record(tmp_path)
    record(tmp_path, later_ms=10_000)
    movie, data = read_recording(tmp_path).movie(), whole(tmp_path)
    source = random.Random(3)
    for _ in range(50):
        start = source.randrange(movie.size)
        end = source.randrange(start, movie.size) + 1
        assert b"".join(movie.read(start, end)) == data[start:end]


def moof(data: bytes) -> int:
    """Where the first fragment begins."""
    return data.index(b"moof") - 4


@pytest.mark.parametrize(
    "damage",
    [
        lambda data, at: data[:at] + struct.pack("!I", 0) + data[at + 4 :],
        lambda data, at: data[:at] + struct.pack("!I", 7) + data[at + 4 :],
        lambda data, at: data[:at] + struct.pack("!I", 0xFFFFFFFF) + data[at + 4 :],
        lambda data, at: data[: at + 8] + struct.pack("!I", 0xFFFFFFFF) + data[at + 12 :],
        lambda data, at: data[:at] + data[at:].replace(b"mdat", b"junk", 1),
        lambda data, at: data[: data.index(b"mdat") - 4] + struct.pack("!I", 0xFFFFFFF0) + data[data.index(b"mdat") :],
        lambda data, at: data[: at + 5],
        lambda data, at: b"",
        lambda data, at: bytes(5_000),
        lambda data, at: b"<html>" * 900,
    ],
    ids=[
        "a box of no length",
        "shorter than its head",
        "longer than the file",
        "an inner box beyond its end",
        "no media behind it",
        "media longer than the file",
        "cut in its head",
        "empty",
        "zeros",
        "another kind of file",
    ],
)
def test_a_damaged_take_ends_where_it_is_damaged(tmp_path, damage):
    record(tmp_path)
    take = tmp_path / "take-0001.mp4"
    data = take.read_bytes()
    take.write_bytes(damage(data, moof(data)))
    first = fragments(take)
    assert all(one.offset + one.size <= take.stat().st_size for one in first)
    assert all(one.offset > moof(data) for one in first), "what is damaged is not there"
    read_recording(tmp_path).movie()


@pytest.mark.parametrize("table", [b"tfhd", b"tfdt", b"trun"])
@pytest.mark.parametrize("what", ["named otherwise", "counted too high"])
def test_a_fragment_that_is_not_ours_is_left_out(tmp_path, table, what):
    record(tmp_path)
    take = tmp_path / "take-0001.mp4"
    data, known = take.read_bytes(), fragments(take)
    place = data.index(table, moof(data))
    if what == "named otherwise":
        take.write_bytes(data[:place] + b"xxxx" + data[place + 4 :])
        assert fragments(take) == known[1:]
    else:
        take.write_bytes(data[: place + 8] + b"\xff\xff\xff\xff" + data[place + 12 :])
        assert fragments(take)[-len(known) + 1 :] == known[1:]


@pytest.mark.parametrize("name", ["take-0009.mp4", "../../etc/passwd", "..", ".", "", "manifest.json"])
def test_a_manifest_names_files_of_its_folder_alone(tmp_path, name):
    record(tmp_path)
    manifest = files.read_manifest(tmp_path)
    manifest.takes.append(files.Take(name, manifest.origin_ms))
    files.write_manifest(tmp_path, manifest)
    recorded = read_recording(tmp_path)
    assert [len(found) > 0 for _, found in recorded.takes] == [True, False]
    assert recorded.movie() is not None


def test_a_take_that_shrinks_while_it_is_read_is_a_fault_with_a_name(tmp_path):
    record(tmp_path)
    movie = read_recording(tmp_path).movie()
    (tmp_path / "take-0001.mp4").write_bytes(b"")
    with pytest.raises(OSError, match="shorter than it was"):
        list(movie.read(0, movie.size))
