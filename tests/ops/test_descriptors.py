"""Open files that run out are told in the log, in the metrics, by readiness and by the right finding of doctor."""

from __future__ import annotations

import asyncio
import json
import shlex
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.live_server import LiveServer
from tests.faults.test_processes import running, until
from tests.faults.test_stores_away import metric

LIMIT = 256


class Narrow(LiveServer):
    """A server whose processes may have 256 open files."""

    def _command(self, *words: str) -> list[str]:
        command = [sys.executable, "-m", "livecommerce", *words]
        return ["bash", "-c", f"ulimit -n {LIMIT}; exec {shlex.join(command)}"]


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[LiveServer]:
    server = Narrow(tmp_path / "data")
    server.start()
    yield server
    server.stop()


async def doctor(server: LiveServer, *words: str) -> list[dict[str, str]]:
    process = await asyncio.create_subprocess_exec(
        *server._command("doctor", "--json", *words), env=server._environment(), stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await asyncio.wait_for(process.communicate(), 60)
    return list(json.loads(printed))


@pytest.mark.timeout(120)
async def test_open_files_that_run_out_are_told(narrow: LiveServer) -> None:
    port = running(narrow)["http_port"]
    held: list[socket.socket] = []

    def hold(count: int) -> None:
        """Of ten a network: many networks together may have all that there is for this port."""
        for _ in range(count):
            source = f"127.0.2.{1 + len(held) // 10}"
            held.append(socket.create_connection(("127.0.0.1", port), 5, source_address=(source, 0)))
            held[-1].sendall(b"GET /api/me HTTP/1.1\r\nHost: a\r\n\r\n")

    try:
        while metric(narrow, "livecommerce_descriptors_open") < LIMIT * 0.92:
            hold(10)
            await asyncio.sleep(1.2)
        assert metric(narrow, "livecommerce_descriptors_max") == LIMIT
        assert metric(narrow, "livecommerce_ready") == 0
        assert "open files run out" in narrow.log.read_text("utf-8")
        hold(200)  # past the last one: the internal port has its own
        assert metric(narrow, 'livecommerce_http_connections_closed_total{why="full"}') > 0
        assert metric(narrow, "livecommerce_descriptors_open") < LIMIT
        findings = await doctor(narrow, "--quick")
        assert any(
            finding["level"] == "fail" and f"of {LIMIT} open files" in finding["found"] and "web-0" in finding["found"]
            for finding in findings
        ), findings
    finally:
        for one in held:
            one.close()

    await until(lambda: metric(narrow, "livecommerce_ready") == 1, 20, "ready again")
    log = narrow.log.read_text("utf-8")
    assert "there is room again" in log
    assert log.count("connections are closed at accept") == 1
    assert "fewer open files are allowed than realtime.viewers_max needs" in log
