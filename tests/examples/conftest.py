"""One real server for all examples, and how an example is run: as its first lines say, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.browser.live_server import LiveServer
from tests.tidy.sources import ROOT

Run = Callable[..., AbstractContextManager["subprocess.Popen[str]"]]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    live = LiveServer(Path(tmp_path_factory.mktemp("examples")) / "data")
    live.start()
    yield live
    live.stop()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`with run("chat_bot/bot.py", …, password=…) as process:` runs an example from another folder until it is left."""

    @contextmanager
    def running(example: str, *words: str, password: str = "") -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "examples" / example), *words],
            cwd=tmp_path,
            env={**os.environ, "LIVECOMMERCE_PASSWORD": password, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=15)

    return running
