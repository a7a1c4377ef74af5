"""Commands that are printed can be pasted."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from livecommerce.configuration import own_command as room
from livecommerce.configuration.tree import Settings

FLAGS = ["--set", "http.port=0", "--set", "http.internal_port=0", "--set", "media.host=127.0.0.1", "--set",
         "media.port=0", "--set", "media.external_addresses=127.0.0.1"]  # fmt: skip


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIVECOMMERCE_")}
    return {**kept, "PYTHONUNBUFFERED": "1"}


def started(command: str, folder: Path, last: str) -> tuple[subprocess.Popen[bytes], str]:
    """A server in `folder`, and what it printed when it was up."""
    log = folder / "printed.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "livecommerce", command, *FLAGS], cwd=folder, env=environment(), stdout=output,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    limit = time.monotonic() + 60
    while last not in log.read_text("utf-8"):
        assert process.poll() is None
        assert time.monotonic() < limit
        time.sleep(0.1)
    return process, log.read_text("utf-8")


@pytest.mark.timeout(120)
@pytest.mark.parametrize("command", ["demo", "serve"])
def test_what_a_first_start_prints_runs_as_printed(tmp_path: Path, command: str) -> None:
    folder = tmp_path / "a shop's folder"
    folder.mkdir()
    process, printed = started(command, folder, "Ctrl-C stops everything")
    try:
        [reset] = re.findall(r"(?:Lost it\? `|Lost one\? )(.+ staff .*reset \w+)", printed)
        elsewhere = tmp_path / "elsewhere"  # pasted into another terminal
        elsewhere.mkdir()
        where = elsewhere if "data_folder=" in reset else folder
        done = subprocess.run(
            reset, shell=True, cwd=where, env=environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "password" in done.stdout
        add = shlex.split(reset.replace(" reset owner", " add nightshift --role moderator"))
        done = subprocess.run(add, cwd=where, env=environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "added moderator" in done.stdout
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


@pytest.mark.parametrize(
    ("started_as", "words"),
    [
        ("/opt/shop/.venv/bin/livecommerce", ["/opt/shop/.venv/bin/livecommerce"]),
        ("/opt/site-packages/livecommerce/__main__.py", [sys.executable, "-m", "livecommerce"]),
    ],
)
def test_the_program_as_it_was_started(monkeypatch: pytest.MonkeyPatch, started_as: str, words: list[str]) -> None:
    monkeypatch.setattr(sys, "argv", [started_as, "serve", "--config", "/etc/shop.toml"])
    monkeypatch.setenv("LIVECOMMERCE_DATA_FOLDER", "/srv/shop")
    line = room.own_command(Settings(data_folder="/srv/my shop"), "staff", "reset", "owner")
    flags = ["--config", "/etc/shop.toml", "--set", "data_folder=/srv/my shop"]
    assert shlex.split(line) == [*words, "staff", *flags, "reset", "owner"]
    assert "data_folder" not in room.own_command(Settings(data_folder="/srv/shop"), "staff", "list")
