"""The data folder: made private, locked against a second server, with a note on who runs there.

The lock is a `flock` on `<data>/lock`. Its descriptor is handed to the children too, so the folder counts as taken
until the last process that may write to it is gone: after a `kill -9` of the supervisor a new start waits for them.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import socket
import tempfile
import time
from pathlib import Path

import msgspec

from livecommerce.ops.errors import AlreadyRunning, DataFolderUnusable

FULL = (errno.ENOSPC, errno.EDQUOT)
LOCK_NAME = "lock"
RUNNING_NAME = "running.json"
LOCK_WAIT_SECONDS = 6.0  # orphans of a killed supervisor die at once, an embedded Valkey flushes for a moment
LOCK_RETRY_SECONDS = 0.1


class Running(msgspec.Struct, frozen=True):
    """What a running server writes about itself into `<data>/running.json` (no secrets).

    `redis_url` is empty where the server was given a store of its own.
    """

    pid: int
    redis_url: str
    http_host: str
    http_port: int
    internal_port: int
    media_port: int
    relays: int
    web_processes: int
    started_at_ms: int


def prepare(data_folder: str) -> Path:
    """Makes the data folder (0700) and returns its absolute path.

    Raises:
        DataFolderUnusable: it cannot be made or written.
    """
    folder = Path(data_folder).expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = folder / f".probe-{os.getpid()}"
        try:
            probe.write_bytes(b"x")
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        if error.errno in FULL and folder.is_dir():
            return folder  # ours, and full: a backup to another disk, a login, a look at stock need no room here
        raise DataFolderUnusable(
            f"The data folder {folder} cannot be written ({error.strerror}). Set LIVECOMMERCE_DATA_FOLDER or its owner."
        ) from error
    return folder


def refuse_unmade(data_folder: str) -> None:
    """What `prepare` would refuse, and nothing is left behind: for a look at the settings.

    Raises:
        DataFolderUnusable: it cannot be made or written.
    """
    folder = Path(data_folder).expanduser().resolve()
    there = next(one for one in (folder, *folder.parents) if one.exists())
    try:
        Path(tempfile.mkdtemp(prefix=".probe-", dir=there)).rmdir()
    except OSError as error:
        if error.errno in FULL:
            return
        raise DataFolderUnusable(
            f"The data folder {folder} cannot be made or written ({there}: {error.strerror}). "
            "Set LIVECOMMERCE_DATA_FOLDER or its owner."
        ) from error


def instance_of(data_folder: str) -> str:
    """What tells the processes of this data folder from others on the machine: the same for all of them, in a container
    and in the health check beside it, and another for every other folder or volume."""
    folder = Path(data_folder).expanduser()
    try:
        found = folder.stat()
    except OSError:
        return ""
    words = f"{socket.gethostname()} {found.st_dev} {found.st_ino}"
    return hashlib.sha256(words.encode()).hexdigest()[:16]


class FolderLock:
    """Held by at most one server per folder, and by its children."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / LOCK_NAME
        self._descriptor: int | None = None

    @property
    def descriptor(self) -> int:
        if self._descriptor is None:
            raise RuntimeError("the lock is not held")
        return self._descriptor

    def _try(self) -> bool:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        with contextlib.suppress(OSError):  # on a full disk: the lock holds, it only does not say whose it is
            os.write(descriptor, f"{os.getpid()}\n".encode())
        # what the last owner said about itself is not true any more
        self.path.with_name(RUNNING_NAME).unlink(missing_ok=True)
        self._descriptor = descriptor
        return True

    def acquire(self, wait_seconds: float = LOCK_WAIT_SECONDS) -> None:
        """Takes the lock. A living owner is told at once; orphans of a dead one get `wait_seconds` to end.

        Raises:
            AlreadyRunning: another server (or what is left of it) has the folder.
        """
        limit = time.monotonic() + wait_seconds
        while not self._try():
            owner = self.owner_pid()
            if owner is not None and alive(owner):
                raise AlreadyRunning(
                    f"A server (pid {owner}) is already running on {self.path.parent}. Stop it, or use another "
                    "LIVECOMMERCE_DATA_FOLDER.",
                    pid=owner,
                )
            if time.monotonic() > limit:
                raise AlreadyRunning(
                    f"Processes of a server that died (pid {owner}) still hold {self.path}; "
                    f"`fuser {self.path}` lists them. End them and start again.",
                    pid=owner or 0,
                )
            time.sleep(LOCK_RETRY_SECONDS)

    def owner_pid(self) -> int | None:
        """The pid written by who took the lock last."""
        try:
            return int(self.path.read_text("ascii").strip())
        except (OSError, ValueError):
            return None

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def held(folder: Path) -> int | None:
    """The pid of the server that has this folder now, None when nobody has."""
    lock = FolderLock(folder)
    if not lock.path.exists():
        return None
    try:
        descriptor = os.open(lock.path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return lock.owner_pid()
    finally:
        os.close(descriptor)
    return None


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def write_running(folder: Path, running: Running) -> None:
    """Tells other commands (`staff`, `doctor`) where this server listens; replaced in one step."""
    path = folder / RUNNING_NAME
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(running))
    fresh.replace(path)


def read_running(folder: Path) -> Running | None:
    """What the server that holds this folder said, None when none runs."""
    if held(folder) is None:
        return None
    try:
        return msgspec.json.decode((folder / RUNNING_NAME).read_bytes(), type=Running)
    except (OSError, msgspec.DecodeError):
        return None
