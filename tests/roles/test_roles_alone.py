"""Each role as a container runs it: alone, with its stores given by environment; and the figures it has then."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from livecommerce.ops.ports import free_row
from livecommerce.ops.valkey import EmbeddedValkey

ROOT = Path(__file__).resolve().parents[2]
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


def internal(environment: dict[str, str], role: str) -> str:
    return f"http://127.0.0.1:{int(environment['LIVECOMMERCE_HTTP_INTERNAL_PORT']) + OFFSETS[role]}"


def is_ready(environment: dict[str, str], role: str) -> bool:
    try:
        with urllib.request.urlopen(f"{internal(environment, role)}/health/ready", timeout=3) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


class Life(NamedTuple):
    """What was seen of a role from its start to its end."""

    doctor: int  # exit code of `doctor --quick` while it ran
    figures: frozenset[str]  # names of all samples that its /metrics may have
    exit_code: int
    entries: list[dict[str, Any]]  # its log


@pytest.fixture(scope="module")
def life_of(environment: dict[str, str]) -> Callable[[str], Life]:
    return cache(partial(live, environment))


def live(environment: dict[str, str], role: str) -> Life:
    """Runs a role until it is ready, looks at it, and ends it as a container does."""
    process = subprocess.Popen(command(role), env=environment, stderr=subprocess.PIPE, text=True)
    try:
        limit = time.monotonic() + READY_SECONDS_MAX
        while not is_ready(environment, role):
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < limit, f"{role} is not ready"
            time.sleep(0.1)
        quick = subprocess.run(command("doctor", "--quick", "--role", role), env=environment, timeout=30, check=False)
        with urllib.request.urlopen(f"{internal(environment, role)}/metrics", timeout=10) as answer:
            figures = samples(answer.read().decode())
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=STOP_SECONDS_MAX)
    entries = [json.loads(line) for line in errors.splitlines()]
    return Life(quick.returncode, figures, process.returncode, entries)


def samples(exposition: str) -> frozenset[str]:
    """Names that a text exposition has or, where a label has not been met yet, will have."""
    found: set[str] = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", exposition, re.MULTILINE):
        endings = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        found.update(name + ending for ending in endings)
    return frozenset(found)


@pytest.mark.parametrize("role", list(OFFSETS))
def test_a_role_alone_gets_ready_is_healthy_and_stops_on_sigterm(life_of: Callable[[str], Life], role: str) -> None:
    life = life_of(role)
    assert (life.doctor, life.exit_code) == (0, 0)
    assert {"ready", "stopping"} <= {entry["event"] for entry in life.entries}
    assert not [entry for entry in life.entries if entry["level"] in ("error", "critical")]


@pytest.mark.parametrize("page", ["deploy/grafana/livecommerce.json", "docs/operations.md", "docs/realtime.md"])
def test_a_page_names_only_figures_that_a_role_has(life_of: Callable[[str], Life], page: str) -> None:
    """A panel on a renamed metric is an empty panel on the night of the show."""
    known = frozenset().union(*(life_of(role).figures for role in OFFSETS))
    asked = set(re.findall(r"\blivecommerce_[a-z0-9_]+", (ROOT / page).read_text("utf-8")))
    assert asked, f"{page} asks for nothing"
    assert asked - known == set()


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
