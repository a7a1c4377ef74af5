"""A PostgreSQL server of our own: a cluster in a temporary folder, on a Unix socket only, stopped by its pid."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

START_SECONDS_MAX = 30.0


def _program(name: str) -> str:
    given = os.environ.get("POSTGRES_BIN")
    folders = [Path(given)] if given else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if (folder / name).exists():
            return str(folder / name)
    found = shutil.which(name)
    if found is None:
        raise RuntimeError(f"PostgreSQL's {name} is not here; bash scripts/postgres.sh says what to do")
    return found


class PostgresServer:
    def __init__(self) -> None:
        # A short path: a Unix socket's path has at most 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="lcpg-"))
        self._process: subprocess.Popen[bytes] | None = None
        # PostgreSQL refuses to run as root: then it runs as the user the Debian package made, or nobody.
        self._user: str | None = None
        if os.geteuid() == 0:
            names = {entry.pw_name for entry in pwd.getpwall()}
            self._user = "postgres" if "postgres" in names else "nobody"
            shutil.chown(self.folder, self._user)

    @property
    def url(self) -> str:
        return f"postgresql+asyncpg://shop@/postgres?host={self.folder}"

    def start(self) -> None:
        data = self.folder / "data"
        subprocess.run(
            [_program("initdb"), "-D", data, "-U", "shop", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
            check=True,
            capture_output=True,
            user=self._user,
            cwd=self.folder,
        )
        self.resume()

    def resume(self) -> None:
        """Starts the server on its data, at first and after `pause`."""
        data = self.folder / "data"
        self._process = subprocess.Popen(
            [_program("postgres"), "-D", data, "-k", self.folder, "-h", "", "-c", "fsync=off"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=self._user,
            cwd=self.folder,
        )
        limit = time.monotonic() + START_SECONDS_MAX
        # the socket is there before the server takes anyone
        ask = [_program("pg_isready"), "-q", "-h", self.folder, "-U", "shop", "-d", "postgres"]
        while subprocess.run(ask, check=False).returncode != 0:
            if self._process.poll() is not None or time.monotonic() > limit:
                raise RuntimeError("PostgreSQL did not start")
            time.sleep(0.05)

    def pause(self) -> None:
        """A restart's first half: ends every connection at once, keeps the data."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait(20)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)
