"""Recordings as they are asked for: read from disk in a thread, once while the files stay the same."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from livecommerce.media.recording.files import EVENTS, MANIFEST, folder_of
from livecommerce.media.recording.reader import Movie, read_recording
from livecommerce.replay.archive import Replay, air_times, read_replay
from livecommerce.replay.errors import ReplayMissing

# A scan of a three-hour show takes half a second; what was found is kept for some shows.
KEPT_MAX = 16
# How long a scan stands unasked; a recording that grows is scanned again at most this often.
SCAN_SECONDS = 5.0
# Between two parts of one download; past it the next part is a download of its own.
DOWNLOAD_SECONDS = 600.0
DOWNLOADS_MAX = 1_000


@dataclass(frozen=True)
class Recorded:
    """A recording read from disk. `mark` tells whether the files have changed since.

    Attributes:
        movie: from the show's start to its end, for everyone.
        whole: all that was recorded, a rehearsal too: for the shop.
    """

    mark: tuple[Any, ...]
    until: float
    movie: Movie | None
    whole: Movie
    replay: bytes
    show: dict[str, Any]


def _mark(folder: Path) -> tuple[Any, ...] | None:
    """Changes with the files; None where nothing was recorded."""
    found: list[Any] = []
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            if entry.name in (MANIFEST, EVENTS) or entry.name.endswith(".mp4"):
                status = entry.stat()
                found.append((entry.name, status.st_mtime_ns, status.st_size))
    return tuple(sorted(found)) if any(name == MANIFEST for name, _, _ in found) else None


def stretches(found: list[tuple[int, int]], movie: Movie) -> list[dict[str, int]]:
    """[{"at", "until"}] of the movie (milliseconds) out of moments of the wall clock; what is outside is left out."""
    within = [(max(0, start - movie.origin_ms), min(end - movie.origin_ms, movie.duration_ms)) for start, end in found]
    return [{"at": at, "until": until} for at, until in within if at < until]


def _read(folder: Path, mark: tuple[Any, ...], until: float) -> Recorded | None:
    recorded = read_recording(folder)
    whole = recorded.movie() if recorded is not None else None
    if recorded is None or whole is None:
        return None
    movie = recorded.movie(*air_times(folder))
    shown = movie or whole
    replay: Replay = read_replay(folder, shown.origin_ms, shown.duration_ms)
    shape = {
        "origin_ms": shown.origin_ms,
        "duration_ms": shown.duration_ms,
        "sound_alone": stretches(recorded.sound_alone(), shown),
        **msgspec.structs.asdict(replay),
    }
    return Recorded(mark, until, movie, whole, msgspec.json.encode(shape), replay.show)


class Recordings:
    """Reads recordings in a thread, each once while its files stay the same."""

    def __init__(self, data_folder: str) -> None:
        self._data_folder = data_folder
        self._downloads: dict[tuple[str, str], float] = {}  # (login, show) -> when a part was last asked for
        self._kept: dict[str, Recorded] = {}
        self._reading: dict[str, asyncio.Task[Recorded | None]] = {}

    def is_new_download(self, login: str, show: str, begins: bool) -> bool:
        """Whether this is not one more part of a download that was noted: it begins anew, or none is under way."""
        now = time.monotonic()
        key = (login, show)
        last = self._downloads.get(key)
        if len(self._downloads) >= DOWNLOADS_MAX:
            self._downloads.clear()
        self._downloads[key] = now
        return begins or last is None or now - last > DOWNLOAD_SECONDS

    async def has_replay(self, show: str) -> bool:
        """Whether there is something to watch again."""
        try:
            return (await self.get(show)).movie is not None
        except ReplayMissing:
            return False

    async def get(self, show: str) -> Recorded:
        """
        Raises:
            ReplayMissing
        """
        folder = folder_of(self._data_folder, show)
        mark = await asyncio.to_thread(_mark, folder)
        if mark is None:
            raise ReplayMissing
        now = asyncio.get_running_loop().time()
        kept = self._kept.get(show)
        if kept is not None and (kept.mark == mark or now < kept.until):
            return kept
        reading = self._reading.get(show)
        if reading is None:
            read = asyncio.to_thread(_read, folder, mark, now + SCAN_SECONDS)
            reading = self._reading[show] = asyncio.create_task(read, name=f"replay {show}")
            reading.add_done_callback(lambda task: self._reading.pop(show, None))
        found = await asyncio.shield(reading)
        if found is None:
            raise ReplayMissing
        self._kept.pop(show, None)
        self._kept[show] = found
        while len(self._kept) > KEPT_MAX:
            del self._kept[next(iter(self._kept))]
        return found
