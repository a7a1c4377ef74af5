"""A page behind a firewall that lets only a TURN server through: coturn, with credentials made from the settings."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator

import pytest

from livecommerce.media.client.ice_servers import ice_servers
from livecommerce.media.settings import Media
from tests.media.stage import WAIT_SECONDS, open_stage
from tests.media.test_chromium import chromium, decodes, opened

pytestmark = [pytest.mark.browser, pytest.mark.nightly]

SECRET = "shared-with-coturn"
# As the watch page does it, but with every other way closed.
WATCH_THROUGH_TURN = """() => {
  const video = document.getElementById("video");
  const Plain = RTCPeerConnection;
  window.RTCPeerConnection = class extends Plain {
    constructor(configuration) { super({ ...configuration, iceTransportPolicy: "relay" }); }
  };
  window.states = [];
  window.session = whip.play(video, { url: "/whep/demo", iceServers: %s, onstate: ({ state }) => states.push(state) });
}"""
CHOSEN_PAIR = """async () => {
  const entries = await session.connection.getStats();
  const pairs = [...entries.values()].filter((it) => it.type === "candidate-pair");
  const pair = pairs.find((it) => it.nominated && it.state === "succeeded");
  const near = entries.get(pair.localCandidateId);
  return [near.candidateType, near.relayProtocol];
}"""


def free_port() -> int:
    """A number that is free for UDP and TCP."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            udp.bind(("127.0.0.1", 0))
            with contextlib.suppress(OSError):
                tcp.bind(udp.getsockname())
                return int(udp.getsockname()[1])


@contextlib.asynccontextmanager
async def coturn() -> AsyncIterator[int]:
    """A TURN server on loopback that takes time-limited credentials only; its port. Ended by its process id."""
    path = os.environ.get("TURNSERVER") or shutil.which("turnserver")
    assert path, "no TURN server: install it (Debian: apt-get install coturn) or set TURNSERVER=/path"
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="coturn-", dir="/tmp") as folder:
        options = ["-n", "--listening-ip=127.0.0.1", f"--listening-port={port}", "--relay-ip=127.0.0.1"]
        # loopback is not a peer by default, for good reason: only this test's relay is there
        options += ["--allow-loopback-peers", "--realm=test", "--use-auth-secret", f"--static-auth-secret={SECRET}"]
        options += ["--no-tls", "--no-dtls", "--no-cli", f"--userdb={folder}/db", f"--pidfile={folder}/pid"]
        process = await asyncio.create_subprocess_exec(
            *(path, *options, f"--log-file={folder}/log", "--simple-log"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            deadline = time.monotonic() + WAIT_SECONDS
            while True:
                with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", port), 1.0):
                    break
                assert process.returncode is None
                assert time.monotonic() < deadline
                await asyncio.sleep(0.1)
            yield port
        finally:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 5.0)
            except TimeoutError:
                process.kill()
                await process.wait()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_browser_that_may_only_use_turn_watches_through_it(transport: str) -> None:
    """`tcp` is between browser and TURN server; from there to the relay it is UDP either way."""
    async with coturn() as port:
        media = Media(
            host="127.0.0.1",
            external_addresses=("127.0.0.1",),
            ice_servers=({"urls": f"turn:127.0.0.1:{port}?transport={transport}"},),
            turn_secret=SECRET,
        )
        servers = ice_servers(media, "viewer-1", int(time.time()))
        async with open_stage(media) as stage, chromium() as browser, stage.host():
            viewer = await opened(browser, stage, WATCH_THROUGH_TURN % json.dumps(servers))
            await decodes(viewer, 40)
            assert await viewer.evaluate(CHOSEN_PAIR) == ["relay", transport]
            await viewer.close()


async def test_an_expired_or_forged_credential_opens_nothing() -> None:
    async with coturn() as port:
        given = ({"urls": f"turn:127.0.0.1:{port}?transport=udp"},)
        right = Media(host="127.0.0.1", external_addresses=("127.0.0.1",), ice_servers=given, turn_secret=SECRET)
        forged = Media(host="127.0.0.1", external_addresses=("127.0.0.1",), ice_servers=given, turn_secret="guessed")
        now = int(time.time())
        async with open_stage(right) as stage, chromium() as browser:
            page = await opened(browser, stage, "() => {}")
            gathered = """async (iceServers) => {
              const connection = new RTCPeerConnection({ iceServers, iceTransportPolicy: "relay" });
              connection.addTransceiver("video");
              const found = [];
              connection.onicecandidate = ({ candidate }) => candidate?.candidate && found.push(candidate.type);
              await connection.setLocalDescription(await connection.createOffer());
              while (connection.iceGatheringState !== "complete") await new Promise((next) => setTimeout(next, 50));
              connection.close();
              return found;
            }"""
            assert "relay" in await page.evaluate(gathered, ice_servers(right, "viewer-1", now))
            assert await page.evaluate(gathered, ice_servers(right, "viewer-1", now - 2 * 86_400)) == []
            assert await page.evaluate(gathered, ice_servers(forged, "viewer-1", now)) == []
