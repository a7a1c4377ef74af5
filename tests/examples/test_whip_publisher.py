"""The publisher is live on the server while it runs, and gone at once when it ends."""

from __future__ import annotations

import time

from tests.browser.live_server import LiveServer
from tests.examples.conftest import Run

LIVE_SECONDS_MAX = 30.0


def state_of(server: LiveServer) -> str:
    stream = server.request("GET", "/api/shows/whip/stream")["stream"]
    return str(stream["state"]) if stream else ""


def waited_for(server: LiveServer, *states: str) -> str:
    limit = time.monotonic() + LIVE_SECONDS_MAX
    while (state := state_of(server)) not in states and time.monotonic() < limit:
        time.sleep(0.1)
    return state


def test_it_is_live_until_it_ends(server: LiveServer, run: Run) -> None:
    server.make_show("whip", [{"code": "E05", "names": ["帽子"], "price_minor": 100, "supply": {"E05": 1}}])
    token = server.request("POST", "/api/shows/whip/ingest-token", {})["token"]
    with run("whip_publisher/publish.py", f"{server.address}/whip/whip", token, "--seconds", "4") as process:
        assert waited_for(server, "live") == "live"
        printed, complaint = process.communicate(timeout=60)
    assert process.returncode == 0, complaint
    assert "connection: connected" in printed
    assert waited_for(server, "", "ended") in ("", "ended")


def test_a_wrong_token_is_refused_in_words(server: LiveServer, run: Run) -> None:
    with run("whip_publisher/publish.py", f"{server.address}/whip/whip", "wrong") as process:
        _, complaint = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "token_wrong" in complaint
