"""`doctor` looks at the machine: Python and libraries, data folder, disk, fsync, descriptors, clocks."""

from __future__ import annotations

import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from livecommerce.configuration.tree import Settings
from livecommerce.doctor import network
from livecommerce.ops import folder as folders
from livecommerce.ops.descriptors import SCARCE_SHARE, allowed, needed
from livecommerce.ops.disk_guard import RESERVE_BYTES, free_bytes
from livecommerce.ops.errors import DataFolderUnusable
from livecommerce.ops.findings import Finding, fail, ok, warn

PYTHON_MIN = (3, 11)
# The libraries whose private names or exact behaviour a room depends on; the ranges are those of pyproject.toml.
PINNED = {"python-socketio": "5.18", "python-engineio": "4.15", "aiortc": "1.16"}
SHOWN = ("aiohttp", "redis", "SQLAlchemy", "cryptography", "uvloop")
DISK_WARN_BYTES = 2 * 1024**3  # a long show with a recording at 2.5 Mbit/s writes about 1.1 GB an hour
FSYNC_ROUNDS = 20
FSYNC_WARN_SECONDS = 0.02  # each answer to a "+1" waits for one; above 20 ms people feel it


def libraries() -> Iterator[Finding]:
    version = platform.python_version()
    if sys.version_info < PYTHON_MIN:
        yield fail("python", version, "Python 3.11 or newer is needed; run `make install` with it.")
    else:
        yield ok(
            "python", f"{version} ({platform.python_implementation()}) on {platform.system()} {platform.machine()}"
        )
    shown: list[str] = []
    for name in (*PINNED, *SHOWN):
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            found = ""
        if not found:
            if name == "uvloop":
                yield warn("libraries", "uvloop is not installed", "Install it: sockets cost a third less with it.")
            else:
                yield fail("libraries", f"{name} is not installed", "Run `make install`, or pip install livecommerce.")
            continue
        shown.append(f"{name} {found}")
        wanted = PINNED.get(name)
        if wanted is not None and not found.startswith(wanted + "."):
            yield fail("libraries", f"{name} is {found}, tested is {wanted}.x", "Install from requirements.lock.")
    yield ok("libraries", ", ".join(shown))


def data_folder(settings: Settings) -> Iterator[Finding]:
    try:
        folder = folders.prepare(settings.data_folder)
    except DataFolderUnusable as error:
        yield fail("data folder", error.text, "Make it writable for this user, or set LIVECOMMERCE_DATA_FOLDER.")
        return
    mode = folder.stat().st_mode & 0o777
    if mode & 0o077:
        yield warn("data folder", f"{folder} is open to others (mode {mode:o})", f"chmod 700 {folder}")
    else:
        yield ok("data folder", str(folder))
    free = free_bytes(folder)
    amount = f"{free / 1024**3:.1f} GiB free"
    if free < 2 * RESERVE_BYTES:
        yield fail("disk", amount, "Below 64 MiB the server refuses all writes. Free some space before the show.")
    elif free < DISK_WARN_BYTES:
        yield warn("disk", amount, "Enough for chat and orders; a recording needs about 1.1 GB an hour.")
    else:
        yield ok("disk", amount)


def fsync_seconds(folder: Path) -> float:
    """Median seconds of one small write + fsync in `folder`."""
    path = folder / f".fsync-{os.getpid()}"
    taken: list[float] = []
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    try:
        for _ in range(FSYNC_ROUNDS):
            before = time.perf_counter()
            os.write(descriptor, b"x" * 512)
            os.fsync(descriptor)
            taken.append(time.perf_counter() - before)
    finally:
        os.close(descriptor)
        path.unlink(missing_ok=True)
    return statistics.median(taken)


def disk_speed(settings: Settings) -> Iterator[Finding]:
    """How long a promise takes to be on disk. Only the embedded Valkey writes here."""
    if settings.redis.url:
        return
    try:
        seconds = fsync_seconds(folders.prepare(settings.data_folder))
    except OSError as error:
        yield fail("fsync", f"nothing can be written: {error.strerror}", "Free some space on the data folder's disk.")
        return
    except DataFolderUnusable as error:
        yield fail("fsync", str(error), "The data folder must be on a disk that can be written.")
        return
    text = f"a write is on disk after {seconds * 1000:.1f} ms (median of {FSYNC_ROUNDS})"
    if seconds > FSYNC_WARN_SECONDS:
        yield warn("fsync", text, "Every `+1` waits for this. Put the data folder on a local SSD.")
    else:
        yield ok("fsync", text)


def descriptors(settings: Settings) -> Iterator[Finding]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = needed(settings.realtime.viewers_max)
    owner = folders.read_running(Path(settings.data_folder).expanduser())
    for process, opened, limit in network.open_files(owner.pid) if owner is not None else ():
        if opened >= limit * SCARCE_SHARE:
            advice = "New viewers are turned away. Raise LimitNOFILE (ulimit -n) and restart the server."
            yield fail("open files", f"{process} has {opened} of {limit} open files in use", advice)
    text = f"{soft} open files (hard limit {hard}), {wanted} for realtime.viewers_max"
    if allowed() < wanted:
        yield warn("open files", text, f"Raise the limit: `ulimit -n {wanted}`, systemd LimitNOFILE={wanted}.")
    else:
        yield ok("open files", text)


def clock() -> Iterator[Finding]:
    monotonic = time.get_clock_info("monotonic")
    if not monotonic.monotonic or monotonic.resolution > 0.001:
        yield fail("clock", f"monotonic clock: {monotonic}", "Timers need a steady clock; use another machine type.")
    year = time.gmtime().tm_year
    if year < 2025:
        yield fail("clock", f"the system clock says {year}", "Set the clock (NTP): certificates depend on it.")
    else:
        yield ok("clock", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()))
