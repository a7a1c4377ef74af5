"""Reads a recording: all takes of a show as one MP4 with an index, without copying a byte of media.

The `Movie` is a head made here (all picture set-ups, the length, a segment index for seeking) and behind it the takes'
whole fragments where they lie on disk. Blocking; call it in a thread.
"""

from __future__ import annotations

import os
import struct
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from livecommerce.media.packaging.fragmented_mp4 import (
    HAS_COMPOSITION,
    HAS_DESCRIPTION,
    VIDEO_TRACK,
    OpusSetup,
    Reference,
    initialization,
    segment_index,
)
from livecommerce.media.packaging.stand_in import is_stand_in
from livecommerce.media.recording import files
from livecommerce.media.wire.rtp import AUDIO_CLOCK, VIDEO_CLOCK

# A `moof` of half a second has 15 pictures and 25 sounds: 600 bytes. Larger ones are not ours.
MOOF_BYTES_MAX = 64 * 1024
# 100 hours of half-second fragments: bounds the scan of a damaged file.
FRAGMENTS_MAX = 720_000
# Fragments follow each other to the millisecond; what is no further apart is one stretch.
NEIGHBOURS_MS = 50
# A piece of a download: few system calls each, and little memory where many download at once.
READ_BYTES = 256 * 1024


class Fragment(NamedTuple):
    """One `moof` + `mdat` in a file. Times in 90 kHz ticks since the recording's origin.

    Attributes:
        description: the picture set-up of its pictures, by its place in the manifest, from 1.
        clocks: (where in the fragment, clock rate, value) of each track's decode time, a number of eight bytes.
    """

    offset: int
    size: int
    time: int
    duration: int
    is_key: bool
    description: int
    clocks: tuple[tuple[int, int, int], ...]


def _boxes(data: bytes, start: int = 8) -> Iterator[tuple[bytes, int, int]]:
    """(kind, start of contents, end) of the boxes inside a box that lies at the beginning of `data`."""
    position, end = start, len(data)
    while position + 8 <= end:
        size, kind = struct.unpack_from("!I4s", data, position)
        if size < 8 or position + size > end:
            return
        yield kind, position + 8, position + size
        position += size


class _Pictures(NamedTuple):
    """What a `moof` says of its pictures, as `Fragment` has it."""

    time: int
    duration: int
    is_key: bool
    description: int


def _read_moof(offset: int, size: int, moof: bytes) -> Fragment | None:
    """What a `moof` that this package wrote says; None for another one."""
    clocks: list[tuple[int, int, int]] = []
    pictures: _Pictures | None = None
    for kind, start, end in _boxes(moof):
        if kind != b"traf":
            continue
        inner = {name: first for name, first, _ in _boxes(moof[:end], start)}
        if not {b"tfhd", b"tfdt", b"trun"} <= inner.keys():
            return None
        try:
            flags, track = struct.unpack_from("!II", moof, inner[b"tfhd"])
            (time,) = struct.unpack_from("!Q", moof, inner[b"tfdt"] + 4)
            has, count = struct.unpack_from("!II", moof, inner[b"trun"])
            row = struct.Struct("!IIII" if has & HAS_COMPOSITION else "!III")
            rows = list(row.iter_unpack(moof[inner[b"trun"] + 12 : end][: row.size * count]))
            description = 1
            if flags & HAS_DESCRIPTION:
                (description,) = struct.unpack_from("!I", moof, inner[b"tfhd"] + 8)
        except struct.error:
            return None
        clocks.append((inner[b"tfdt"] + 4, VIDEO_CLOCK if track == VIDEO_TRACK else AUDIO_CLOCK, time))
        if track == VIDEO_TRACK and rows:
            pictures = _Pictures(time, sum(row[0] for row in rows), rows[0][2] >> 24 == 2, description)
    return Fragment(offset, size, *pictures, tuple(clocks)) if pictures is not None else None


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
            one = _read_moof(position, whole, moof)
            if one is not None:
                found.append(one)
            position += whole
    except OSError:
        return found  # a folder of that name, or a disk that fails from here on: what was read before stands
    finally:
        os.close(file)
    return found


class Extent(NamedTuple):
    path: Path
    offset: int
    size: int


@dataclass(frozen=True)
class Movie:
    """An MP4 of `size` bytes: `head`, then the extents, with some numbers of eight bytes replaced.

    Attributes:
        origin_ms: wall clock at its time 0.
        duration_ms: to the end of the last picture.
        mark: changes with the content (ETag).
        patches: (position, new value) in order: decode times of a movie that begins later than its recording.
    """

    head: bytes
    extents: tuple[Extent, ...]
    size: int
    origin_ms: int
    duration_ms: int
    mark: str
    patches: tuple[tuple[int, int], ...] = ()

    def _patched(self, piece: bytes, position: int) -> bytes:
        index = bisect_left(self.patches, (position - 7, 0))
        if index == len(self.patches) or self.patches[index][0] >= position + len(piece):
            return piece
        changed = bytearray(piece)
        for place, value in self.patches[index:]:
            if place >= position + len(piece):
                break
            number = value.to_bytes(8, "big")
            first, last = max(place, position), min(place + 8, position + len(piece))
            changed[first - position : last - position] = number[first - place : last - place]
        return bytes(changed)

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
                        yield self._patched(piece, first)
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
    def duration_ms(self) -> int:
        return max((takes[-1].time + takes[-1].duration for _, takes in self.takes if takes), default=0) // 90

    def sound_alone(self) -> list[tuple[int, int]]:
        """(from, until) in milliseconds of the wall clock: where no camera sent, and a drawing stands in its place."""
        drawn = {number for number, sets in enumerate(self.manifest.parameters(), 1) if is_stand_in(sets)}
        found: list[tuple[int, int]] = []
        for one in (one for _, take in self.takes for one in take if one.description in drawn):
            start, end = (self.manifest.origin_ms + ticks // 90 for ticks in (one.time, one.time + one.duration))
            if found and start - found[-1][1] <= NEIGHBOURS_MS:
                start = found.pop()[0]
            found.append((start, end))
        return found

    def movie(self, from_ms: int = 0, until_ms: int | None = None) -> Movie | None:
        """The recording between two moments of the wall clock, from the first key picture in there on.

        None while there is not one picture. Without bounds, time 0 is the recording's origin.
        """
        origin_ms = self.manifest.origin_ms
        kept = self._between(from_ms - origin_ms, None if until_ms is None else until_ms - origin_ms)
        if not kept:
            return None
        shift = kept[0][1].time // 90 if from_ms > origin_ms else 0  # milliseconds
        groups: list[list[Fragment]] = []
        for _, one in kept:
            if one.is_key or not groups:
                groups.append([])
            groups[-1].append(one)
        end = kept[-1][1].time + kept[-1][1].duration - shift * 90
        duration_ms = end * 1_000 // VIDEO_CLOCK
        head = initialization(self.manifest.parameters(), OpusSetup(), duration_ms)
        head += segment_index(groups[0][0].time - shift * 90, _references(groups, end + shift * 90))
        size = len(head) + sum(one.size for _, one in kept)
        mark = f"{origin_ms + shift:x}-{size:x}"
        patches = _patches(kept, len(head), shift) if shift else ()
        return Movie(head, _extents(kept), size, origin_ms + shift, duration_ms, mark, patches)

    def _between(self, from_ms: int, until_ms: int | None) -> list[tuple[Path, Fragment]]:
        found: list[tuple[Path, Fragment]] = []
        end = 0
        for path, take in self.takes:
            for one in take:
                # A clock set back between two takes: what is told twice is left out.
                if one.time < max(end, from_ms * 90) or (until_ms is not None and one.time >= until_ms * 90):
                    continue
                if found or one.is_key:
                    end = one.time + one.duration
                    found.append((path, one))
        return found


def _extents(kept: list[tuple[Path, Fragment]]) -> tuple[Extent, ...]:
    """Neighbours in a file are read as one."""
    extents: list[Extent] = []
    for path, one in kept:
        last = extents[-1] if extents else None
        if last is not None and last.path == path and last.offset + last.size == one.offset:
            extents[-1] = last._replace(size=last.size + one.size)
        else:
            extents.append(Extent(path, one.offset, one.size))
    return tuple(extents)


def _patches(kept: list[tuple[Path, Fragment]], position: int, shift_ms: int) -> tuple[tuple[int, int], ...]:
    """The decode times `shift_ms` earlier; sound that was a little earlier than the first picture begins with it."""
    found = []
    for _, one in kept:
        found += [(position + place, max(0, time - shift_ms * rate // 1_000)) for place, rate, time in one.clocks]
        position += one.size
    return tuple(found)


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
