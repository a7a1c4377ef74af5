"""Each role as a container runs it: alone, with the stores of its own given by environment."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from livecommerce.ops.ports import free_row
from livecommerce.ops.valkey import EmbeddedValkey

READY_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 10.0  # what SIGTERM promises
OFFSETS = {"web": 0, "relay": 100, "worker": 200}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = Path(tmp_path_factory.mktemp("alone"))
    store = EmbeddedValkey(folder / "valkey")
    store.start()
    internal = free_row("127.0.0.1", [socket.SOCK_STREAM], list(OFFSETS.values()))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIVECOMMERCE_")}
    yield {
        **kept,
        "LIVECOMMERCE_DATA_FOLDER": str(folder / "data"),
        "LIVECOMMERCE_REDIS_URL": store.url,
        "LIVECOMMERCE_SECRET": "words that sign the cookies of this test",
        "LIVECOMMERCE_HTTP_PORT": str(free_row("127.0.0.1", [socket.SOCK_STREAM], [0])),
        "LIVECOMMERCE_HTTP_INTERNAL_PORT": str(internal),
        "LIVECOMMERCE_MEDIA_HOST": "127.0.0.1",
        "LIVECOMMERCE_MEDIA_PORT": "0",
        "LIVECOMMERCE_LOG_FORMAT": "json",
    }
    store.stop()


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "livecommerce", *words]


def is_ready(environment: dict[str, str], role: str) -> bool:
    port = int(environment["LIVECOMMERCE_HTTP_INTERNAL_PORT"]) + OFFSETS[role]
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=3) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.mark.parametrize("role", list(OFFSETS))
def test_a_role_alone_gets_ready_is_healthy_and_stops_on_sigterm(environment: dict[str, str], role: str) -> None:
    process = subprocess.Popen(command(role), env=environment, stderr=subprocess.PIPE, text=True)
    try:
        limit = time.monotonic() + READY_SECONDS_MAX
        while not is_ready(environment, role):
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < limit, f"{role} is not ready"
            time.sleep(0.1)
        quick = subprocess.run(command("doctor", "--quick", "--role", role), env=environment, timeout=30, check=False)
        assert quick.returncode == 0
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=STOP_SECONDS_MAX)
    assert process.returncode == 0
    entries = [json.loads(line) for line in errors.splitlines()]
    assert {"ready", "stopping"} <= {entry["event"] for entry in entries}
    assert not [entry for entry in entries if entry["level"] in ("error", "critical")]


def test_a_role_without_a_store_refuses_its_configuration(environment: dict[str, str], tmp_path: Path) -> None:
    without = {**environment, "LIVECOMMERCE_REDIS_URL": "", "LIVECOMMERCE_DATA_FOLDER": str(tmp_path)}
    done = subprocess.run(command("worker"), env=without, timeout=30, capture_output=True, text=True, check=False)
    assert done.returncode == 78
    assert "LIVECOMMERCE_REDIS_URL" in done.stderr


def test_first_logins_by_hand_for_containers(environment: dict[str, str]) -> None:
    runs = [
        subprocess.run(
            command("staff", *words), env=environment, timeout=30, capture_output=True, text=True, check=True
        )
        for words in (["first"], ["first"], ["list"])
    ]
    assert "password" in runs[0].stdout
    assert "password" not in runs[1].stdout
    assert "owner" in runs[2].stdout
