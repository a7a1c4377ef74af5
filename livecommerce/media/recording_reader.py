"""Reads a recording: all takes of a show as one MP4 with an index, without copying a byte of media.

The `Movie` is a head made here (all picture set-ups, the length, a segment index for seeking) and behind it the takes'
whole fragments where they lie on disk. Blocking; call it in a thread.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from livecommerce.media import recording_files as files
from livecommerce.media.access_units import VIDEO_CLOCK
from livecommerce.media.fragmented_mp4 import (
    VIDEO_TRACK,
    OpusSetup,
    Reference,
    initialization,
    segment_index,
)

# A `moof` of half a second has 15 pictures and 25 sounds: 600 bytes. Larger ones are not ours.
MOOF_BYTES_MAX = 64 * 1024
# 100 hours of half-second fragments: bounds the scan of a damaged file.
FRAGMENTS_MAX = 720_000
READ_BYTES = 256 * 1024


class Fragment(NamedTuple):
    """One `moof` + `mdat` in a file. Times in 90 kHz ticks since the recording's origin."""

    offset: int
    size: int
    time: int
    duration: int
    is_key: bool


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 0
    while position + 8 <= len(data):
        size, kind = struct.unpack_from("!I4s", data, position)
        if size < 8 or position + size > len(data):
            return
        yield kind, data[position + 8 : position + size]
        position += size


def _video_run(moof: bytes) -> tuple[int, int, bool] | None:
    """(time, duration, starts with a key picture) of the video in a `moof` that this package wrote."""
    for kind, track in _boxes(moof[8:]):
        if kind != b"traf":
            continue
        inner = dict(_boxes(track))
        if not {b"tfhd", b"tfdt", b"trun"} <= inner.keys() or len(inner[b"tfhd"]) < 8:
            return None
        if struct.unpack_from("!I", inner[b"tfhd"], 4)[0] != VIDEO_TRACK:
            continue
        (time,) = struct.unpack_from("!Q", inner[b"tfdt"], 4)
        count, _ = struct.unpack_from("!Ii", inner[b"trun"], 4)
        rows = list(struct.iter_unpack("!III", inner[b"trun"][12 : 12 + 12 * count]))
        return (time, sum(row[0] for row in rows), rows[0][2] >> 24 == 2) if rows else None
    return None


def fragments(path: Path) -> list[Fragment]:
    """The whole fragments of a take, in order; what a crash left behind them is not there."""
    found: list[Fragment] = []
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return found
    try:
        size, position = os.fstat(file).st_size, 0
        while len(found) < FRAGMENTS_MAX:
            head = os.pread(file, 8, position)
            if len(head) < 8:
                break
            length, kind = struct.unpack("!I4s", head)
            if length < 8 or position + length > size:
                break
            if kind != b"moof":
                position += length
                continue
            moof = os.pread(file, min(length, MOOF_BYTES_MAX), position)
            media = os.pread(file, 8, position + length)
            if len(media) < 8 or media[4:] != b"mdat":
                break
            whole = length + struct.unpack("!I", media[:4])[0]
            if position + whole > size:
                break
            run = _video_run(moof)
            if run is not None:
                found.append(Fragment(position, whole, *run))
            position += whole
    finally:
        os.close(file)
    return found


class Extent(NamedTuple):
    path: Path
    offset: int
    size: int


@dataclass(frozen=True)
class Movie:
    """An MP4 of `size` bytes: `head`, then the extents.

    Attributes:
        duration_ms: from the origin to the end of the last picture.
        mark: changes with the content (ETag).
    """

    head: bytes
    extents: tuple[Extent, ...]
    size: int
    duration_ms: int
    mark: str

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """Bytes `start` to `end` (exclusive) in pieces of at most 256 KiB.

        Raises:
            OSError: a take is not readable any more.
        """
        if start < len(self.head):
            yield self.head[start : min(end, len(self.head))]
        position = len(self.head)
        for path, offset, size in self.extents:
            first, last = max(start, position), min(end, position + size)
            if first < last:
                file = os.open(path, os.O_RDONLY)
                try:
                    while first < last:
                        piece = os.pread(file, min(READ_BYTES, last - first), offset + first - position)
                        if not piece:
                            raise OSError(f"{path} is shorter than it was")
                        yield piece
                        first += len(piece)
                finally:
                    os.close(file)
            position += size


@dataclass(frozen=True)
class Recorded:
    """A recording as it is on disk now."""

    folder: Path
    manifest: files.Manifest
    takes: tuple[tuple[Path, tuple[Fragment, ...]], ...]

    @property
    def is_running(self) -> bool:
        """True while the last take has not said that it ended (or its process was killed and nobody came back)."""
        return bool(self.manifest.takes) and not self.manifest.takes[-1].ended_ms

    @property
    def duration_ms(self) -> int:
        return max((takes[-1].time + takes[-1].duration for _, takes in self.takes if takes), default=0) // 90

    def movie(self) -> Movie | None:
        """None while there is not one picture."""
        extents: list[Extent] = []
        groups: list[list[Fragment]] = []
        end = 0
        for path, found in self.takes:
            for one in found:
                if one.time < end:  # a clock set back between two takes: what is told twice is left out
                    continue
                end = one.time + one.duration
                if one.is_key or not groups:
                    groups.append([])
                groups[-1].append(one)
                last = extents[-1] if extents else None
                if last is not None and last.path == path and last.offset + last.size == one.offset:
                    extents[-1] = last._replace(size=last.size + one.size)
                else:
                    extents.append(Extent(path, one.offset, one.size))
        if not groups:
            return None
        head = initialization(self.manifest.parameters(), OpusSetup(), end * 1_000 // VIDEO_CLOCK)
        head += segment_index(groups[0][0].time, _references(groups, end))
        size = len(head) + sum(extent.size for extent in extents)
        return Movie(head, tuple(extents), size, end * 1_000 // VIDEO_CLOCK, f"{self.manifest.origin_ms:x}-{size:x}")


def _references(groups: list[list[Fragment]], end: int) -> list[Reference]:
    """One reference a key picture; neighbours together where a very long show has more than the box can hold."""
    stride = -(-len(groups) // 0xFFFF)
    starts = [group[0].time for group in groups[::stride]] + [end]
    sizes = [
        sum(one.size for group in groups[index : index + stride] for one in group)
        for index in range(0, len(groups), stride)
    ]
    return [Reference(size, starts[index + 1] - starts[index]) for index, size in enumerate(sizes)]


def read_recording(folder: Path) -> Recorded | None:
    """None where nothing was recorded. Scans the takes: some 20 µs a fragment."""
    manifest = files.read_manifest(folder)
    if manifest is None:
        return None
    takes = []
    for take in manifest.takes:
        path = folder / Path(take.file).name
        takes.append((path, tuple(fragments(path))))
    return Recorded(folder, manifest, tuple(takes))
