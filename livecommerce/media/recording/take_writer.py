"""Writes the fragments of one take in a thread: the file is whole after each, and the loop never waits for a disk.

The file's head (`moov`) has room kept for the picture set-ups that come later; it is rewritten in place for each.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from livecommerce.media.packaging.access_units import ParameterSets
from livecommerce.media.packaging.fragmented_mp4 import OpusSetup, box, initialization
from livecommerce.media.recording import files
from livecommerce.ops.disk_guard import free_bytes

log = logging.getLogger(__name__)

# Room for the head: 32 set-ups of some 150 bytes. Browsers use four or five picture sizes.
HEAD_BYTES, DESCRIPTIONS_MAX = 8_192, 32
# A minute of fragments: a disk that stands still for longer loses pictures, not the relay's memory.
WAITING_FRAGMENTS_MAX = 120
WAITING_BYTES_MAX = 32 * 1024 * 1024
# What a power cut may cost; a killed process loses nothing that was written.
SYNC_SECONDS = 5.0
# An encoder whose clock jumps more often is beyond mending.
JUMPS_MAX, JUMPS_APART_MS = 100, 1_000
# Four times what the disk guard keeps for orders: a recording never costs a sale.
RESERVE_BYTES = 256 * 1024 * 1024
FULL_RETRY_SECONDS = 5.0
CLOSE_SECONDS = 10.0


# Takes of one show may overlap for a moment; each changes the manifest as it stands.
_manifests = threading.Lock()


class Disk(NamedTuple):
    """What counts as full: less free space than `reserve_bytes`, and `retry_seconds` after a refused write."""

    reserve_bytes: int = RESERVE_BYTES
    retry_seconds: float = FULL_RETRY_SECONDS
    free: Callable[[Path], int] = free_bytes


DISK = Disk()


@dataclass(frozen=True)
class Piece:
    """One fragment to append. One that starts with a key picture may follow a hole.

    Attributes: `jumped_ms` is its beginning by the wall clock, where a clock of the host was set anew there; else 0.
    """

    data: bytes
    is_key: bool
    description: int
    end_ms: int
    jumped_ms: int = 0


@dataclass(frozen=True)
class Begin:
    started_ms: int
    parameters: ParameterSets


@dataclass(frozen=True)
class Describe:
    parameters: ParameterSets


@dataclass
class WriterCounters:
    """`dropped` fragments were not written: the disk was full or too slow."""

    written: int = 0
    octets: int = 0
    dropped: int = 0


class TakeWriter:
    """The thread that owns the files of one take.

    Attributes:
        state: "recording", "full" (the disk refuses; tried again), or "failed" (a fault; the log has it).
    """

    def __init__(self, folder: Path, show: str, disk: Disk) -> None:
        self._folder, self._show, self._disk = folder, show, disk
        self._queue: queue.Queue[Begin | Describe | Piece | None] = queue.Queue()
        self._waiting_bytes = 0
        self._lock = threading.Lock()
        self.state = "recording"
        self.counters = WriterCounters()
        self._file = -1
        self._end = HEAD_BYTES
        self._take: files.Take | None = None
        self._needs_key = self._is_head_stale = True
        self._begin: Begin | None = None
        self._parameters: list[ParameterSets] = []
        self._full_until = self._synced_at = 0.0
        self._end_ms = 0
        self._thread = threading.Thread(target=self._run, name=f"record {show}", daemon=True)
        self._thread.start()

    # On the event loop

    def put(self, item: Begin | Describe | Piece) -> bool:
        """Never blocks; False when too much waits (the fragment is dropped)."""
        if isinstance(item, Piece):
            with self._lock:
                if self._waiting_bytes > WAITING_BYTES_MAX or self._queue.qsize() > WAITING_FRAGMENTS_MAX:
                    self.counters.dropped += 1
                    return False
                self._waiting_bytes += len(item.data)
        self._queue.put(item)
        return True

    def close(self) -> None:
        """Writes what waits and closes the file; blocks up to ten seconds."""
        self._queue.put(None)
        self._thread.join(CLOSE_SECONDS)

    # In the thread

    def _set_state(self, state: str, reason: object = "") -> None:
        if state != self.state:
            log.warning("recording of %s: %s -> %s %s", self._show, self.state, state, reason)
            self.state = state

    def _run(self) -> None:
        try:
            while (item := self._queue.get()) is not None:
                if isinstance(item, Begin):
                    self._begin = item
                if isinstance(item, Piece):
                    with self._lock:
                        self._waiting_bytes -= len(item.data)
                    self._append(item)
                else:
                    self._parameters.append(item.parameters)
                    self._is_head_stale = True
            self._finish()
        except Exception as error:
            log.exception("recording of %s", self._show)
            self._set_state("failed", error)

    def _open(self, begin: Begin) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        numbers = [int(path.stem[5:]) for path in self._folder.glob("take-*.mp4") if path.stem[5:].isdigit()]
        name = f"take-{max(numbers, default=0) + 1:04d}.mp4"
        self._file = os.open(self._folder / name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        self._take = files.Take(name, begin.started_ms)
        self._is_head_stale = True

    def _write_head(self) -> None:
        """Manifest first, then the head, then fragments: whatever a crash leaves, every fragment's set-up is known."""
        manifest = self._write_manifest()
        head = initialization(manifest.parameters()[:DESCRIPTIONS_MAX], OpusSetup())
        head += box(b"free", bytes(HEAD_BYTES - len(head) - 8))
        _write_all(self._file, head, 0)
        self._is_head_stale = False

    def _write_manifest(self) -> files.Manifest:
        """Our take and set-ups into the manifest as it is now: the writer before us may just have ended its take."""
        assert self._take is not None
        with _manifests:
            manifest = files.read_manifest(self._folder) or files.Manifest(self._show, self._take.started_ms)
            manifest.takes = [take for take in manifest.takes if take.file != self._take.file] + [self._take]
            manifest.takes.sort(key=lambda take: take.file)
            for parameters in self._parameters:
                described = files.description(parameters)
                if described not in manifest.descriptions:
                    manifest.descriptions.append(described)
            files.write_manifest(self._folder, manifest)
        return manifest

    def _is_ready(self) -> bool:
        """True when the file is open, its head knows all set-ups, and there is space."""
        if time.monotonic() < self._full_until or self._begin is None:
            return False
        try:
            if self._disk.free(_existing(self._folder)) <= self._disk.reserve_bytes:
                raise OSError(errno.ENOSPC, "less space than the reserve")
            if self._file < 0:
                self._open(self._begin)
            if self._is_head_stale:
                self._write_head()
        except OSError as error:
            self._full(error)
            return False
        return True

    def _full(self, error: OSError) -> None:
        self._full_until = time.monotonic() + self._disk.retry_seconds
        self._set_state("full", error)

    def _note_jump(self, known: list[int], jumped_ms: int) -> None:
        """Picture and sound are set anew within the same moment: one of it is enough."""
        if len(known) < JUMPS_MAX and (not known or jumped_ms - known[-1] > JUMPS_APART_MS):
            known.append(jumped_ms)
            self._is_head_stale = True  # the manifest is written with it

    def _append(self, piece: Piece) -> None:
        if piece.jumped_ms and self._take is not None:
            self._note_jump(self._take.jumps_ms, piece.jumped_ms)
        if (self._needs_key and not piece.is_key) or not self._is_ready():
            self._needs_key = True
            self.counters.dropped += 1
            return
        try:
            # The box's own length and name come last, in one write of 8 bytes: a reader of a file that a crash left
            # here sees a box without a name that reaches to the end, and skips it.
            _write_all(self._file, piece.data[8:], self._end + 8)
            _write_all(self._file, piece.data[:8], self._end)
        except OSError as error:
            # Cut off what is there of it: the file ends with a whole fragment again.
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._end)
            self._needs_key = True
            self.counters.dropped += 1
            self._full(error)
            return
        self._set_state("recording")
        self._needs_key = False
        self._end += len(piece.data)
        self._end_ms = piece.end_ms
        self.counters.written += 1
        self.counters.octets += len(piece.data)
        if time.monotonic() - self._synced_at > SYNC_SECONDS:
            self._synced_at = time.monotonic()
            with contextlib.suppress(OSError):
                os.fdatasync(self._file)

    def _finish(self) -> None:
        if self._file < 0 or self._take is None:
            return
        with contextlib.suppress(OSError):
            os.fsync(self._file)
        os.close(self._file)
        self._file = -1
        self._take.ended_ms = self._end_ms or self._take.started_ms
        try:
            self._write_manifest()
        except OSError as error:
            log.warning("recording of %s: the manifest does not say that it ended: %s", self._show, error)


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    while not folder.exists():
        folder = folder.parent
    return folder


def _write_all(file: int, data: bytes, position: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, position)
        view, position = view[written:], position + written
