"""Janus (VideoRoom) under the same load: the same prepared host stream, the same clients that complete ICE and DTLS.

Janus runs on the core that our relay had, with one event loop, in ICE-lite mode; its CPU per viewer is read from /proc,
as ours is. Signalling is its JSON API over a WebSocket.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
from OpenSSL import SSL

from livecommerce.media.ingest.whep_client import WhepClient
from livecommerce.media.transport.dtls import Identity
from livecommerce.media.transport.srtp import CM_PROFILE, GCM_PROFILE
from loadtest.media_peers import Crowd, LoadHost

ROOM = 1
START_SECONDS_MAX = 10.0
ANSWER_SECONDS_MAX = 20.0
# Janus is slow to take a first flight, so joins wait on timers; together they take a few seconds.
JOINS_AT_ONCE = 16
MESSAGE_BYTES_MAX = 1 << 20
PACKETS_PER_VIEWER_SECOND = 200
# Below this share of what was due, Janus (or the client) could not keep up and the CPU per viewer would flatter it.
DELIVERED_MIN = 0.95
PLUGINS = ("/usr/lib/x86_64-linux-gnu/janus", "/usr/lib/aarch64-linux-gnu/janus", "/usr/lib/janus")

GENERAL = """general: {{
  configs_folder = "{folder}"
  plugins_folder = "{janus}/plugins"
  transports_folder = "{janus}/transports"
  debug_level = 3
  event_loops = 1
  session_timeout = 0
}}
media: {{ }}
nat: {{
  ice_lite = true
  ice_enforce_list = "{address}"
}}
plugins: {{ disable = "{other_plugins}" }}
transports: {{ disable = "{other_transports}" }}
"""
WEBSOCKETS = """general: {{
  json = "compact"
  ws = true
  ws_port = {port}
  ws_ip = "127.0.0.1"
  wss = false
}}
"""


def local_address() -> str:
    """This machine's own address (Janus does not use loopback): traffic to it stays in the kernel."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(("192.0.2.1", 9))  # sends nothing; asks the routing table
        return str(probe.getsockname()[0])
    return "127.0.0.1"


def _others(folder: str, kept: str) -> str:
    names = (path.name for path in Path(folder).glob("*.so"))
    return ",".join(sorted(name for name in names if kept not in name))


def _write_configuration(folder: str, janus: str, port: int) -> None:
    general = GENERAL.format(
        folder=folder,
        janus=janus,
        address=local_address(),
        other_plugins=_others(f"{janus}/plugins", "videoroom"),
        other_transports=_others(f"{janus}/transports", "websockets"),
    )
    (Path(folder) / "janus.jcfg").write_text(general)
    (Path(folder) / "janus.transport.websockets.jcfg").write_text(WEBSOCKETS.format(port=port))
    (Path(folder) / "janus.plugin.videoroom.jcfg").write_text("general: { }\n")


@contextlib.contextmanager
def _janus(core: int | None) -> Any:
    """A Janus on a free port and the given core: (process id, WebSocket address). Ended by its process id."""
    path = shutil.which("janus")
    libraries = next((each for each in PLUGINS if Path(each, "plugins").is_dir()), None)
    if path is None or libraries is None:
        raise RuntimeError("janus is not installed")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="janus-", dir="/tmp") as folder:
        _write_configuration(folder, libraries, port)
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen(
                [path, "-F", folder, "-C", f"{folder}/janus.jcfg", "-o"], stdout=log, stderr=log, cwd=folder
            )
        try:
            if core is not None:
                os.sched_setaffinity(process.pid, {core})  # before its threads are made
            _wait_for(port, process, Path(folder) / "log")
            yield process.pid, f"ws://127.0.0.1:{port}/"
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
            return
        time.sleep(0.05)
    raise RuntimeError(f"janus did not start: {log.read_text('utf-8', 'replace')[-400:]}")


class JanusApi:
    """The JSON API: requests are answered by transaction; a plugin's answer is the event that follows the ack."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        self._websocket = websocket
        self._numbers = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._reading = asyncio.create_task(self._read())
        self.session = 0

    async def _read(self) -> None:
        async for message in self._websocket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            said = json.loads(message.data)
            waiting = self._waiting.get(said.get("transaction", ""))
            if waiting is not None and not waiting.done() and said["janus"] in ("success", "event", "error"):
                waiting.set_result(said)

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Raises RuntimeError with Janus's own words, TimeoutError where it stays silent."""
        name = str(next(self._numbers))
        waiting = self._waiting[name] = asyncio.get_running_loop().create_future()
        if self.session:
            request = {**request, "session_id": self.session}
        try:
            await self._websocket.send_json({**request, "transaction": name})
            said: dict[str, Any] = await asyncio.wait_for(waiting, ANSWER_SECONDS_MAX)
        finally:
            del self._waiting[name]
        fault = said.get("error", {}).get("reason") or said.get("plugindata", {}).get("data", {}).get("error")
        if fault:
            raise RuntimeError(f"janus: {fault}")
        return said

    async def attach(self) -> int:
        """A new handle of the VideoRoom."""
        said = await self.ask({"janus": "attach", "plugin": "janus.plugin.videoroom"})
        return int(said["data"]["id"])

    async def message(self, handle: int, body: dict[str, Any], jsep: dict[str, str] | None = None) -> dict[str, Any]:
        extra = {"jsep": jsep} if jsep is not None else {}
        return await self.ask({"janus": "message", "handle_id": handle, "body": body, **extra})

    async def close(self) -> None:
        self._reading.cancel()
        await self._websocket.close()


@contextlib.asynccontextmanager
async def _api(address: str) -> AsyncIterator[JanusApi]:
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(address, protocols=("janus-protocol",), max_msg_size=MESSAGE_BYTES_MAX) as websocket,
    ):
        api = JanusApi(websocket)
        api.session = int((await api.ask({"janus": "create"}))["data"]["id"])
        try:
            yield api
        finally:
            await api.close()


async def _publish(api: JanusApi, identity: Identity) -> tuple[LoadHost, int]:
    """The room with its host: (host, feed id)."""
    handle = await api.attach()
    room = {"request": "create", "room": ROOM, "publishers": 1, "videocodec": "h264", "audiocodec": "opus"}
    # our stream is 1.4 Mbit/s and must not be asked to shrink; keyframes come by themselves
    await api.message(handle, {**room, "h264_profile": "42e01f", "bitrate": 0, "fir_freq": 0})
    host = LoadHost(identity, host=local_address())
    # Janus answers with the DTLS role we leave it; our clients begin the handshake
    offer = host.offer().replace("a=setup:actpass", "a=setup:active")
    for kind, ssrc in (("video", 1), ("audio", 2)):  # Janus finds a section by the SSRC it announces
        offer = re.sub(rf"(m={kind} [^\r]*\r\n)", rf"\g<1>a=ssrc:{ssrc} cname:load\r\n", offer)
    body = {"request": "joinandconfigure", "ptype": "publisher", "room": ROOM}
    said = await api.message(handle, body, {"type": "offer", "sdp": offer})
    await host.connect(said["jsep"]["sdp"])
    return host, int(said["plugindata"]["data"]["id"])


class JanusViewer(WhepClient):
    """A viewer that answers instead of offering."""

    def answer(self, offer: str) -> str:
        """Takes every section as offered, H.264 and Opus alone."""
        lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"]
        lines += re.findall(r"^a=group:BUNDLE [^\r\n]*", offer, re.MULTILINE)
        for kind, formats, rest in re.findall(r"m=(audio|video) \d+ \S+ ([\d ]+)\r?\n(.*?)(?=m=|\Z)", offer, re.DOTALL):
            wanted = "H264/90000" if kind == "video" else "opus/48000/2"
            chosen = re.search(rf"a=rtpmap:(\d+) {wanted}", rest)
            mid = re.search(r"a=mid:(\S+)", rest)
            if chosen is None or mid is None:
                raise ValueError(f"janus offers {kind} as {formats}")
            payload_type = int(chosen.group(1))
            section = self._section(kind, 0, payload_type)
            lines += [line.replace("a=mid:0", f"a=mid:{mid.group(1)}") for line in section]
            lines.append(f"a=rtpmap:{payload_type} {wanted}")
            if kind == "video":
                lines.append(f"a=fmtp:{payload_type} packetization-mode=1;profile-level-id=42e01f")
        return "\r\n".join([*lines, ""]).replace("a=setup:actpass", "a=setup:active")


async def _join(api: JanusApi, identity: Identity, feed: int, crowd: Crowd) -> None:
    """One viewer, until its first packet; then its socket leaves the loop."""
    seen = asyncio.Event()
    viewer = JanusViewer(identity, on_datagram=lambda _: seen.set(), host=local_address())
    try:
        handle = await api.attach()
        body = {"request": "join", "ptype": "subscriber", "room": ROOM, "streams": [{"feed": feed}]}
        offer = (await api.message(handle, body))["jsep"]["sdp"]
        answer = {"type": "answer", "sdp": viewer.answer(offer)}
        await api.message(handle, {"request": "start", "room": ROOM}, answer)
        await viewer.connect(offer)
        await asyncio.wait_for(seen.wait(), 10)
    except Exception:
        viewer.close()
        raise
    asyncio.get_running_loop().remove_reader(viewer.socket.fileno())
    crowd.clients.append(viewer)


def _identity(profile: bytes) -> Identity:
    identity = Identity()
    identity.context.set_tlsext_use_srtp(profile)
    return identity


async def _load(
    address: str, process_id: int, cpu_seconds: Callable[[int], tuple[float, float]], profile: bytes, viewers: int,
    seconds: float,
) -> dict[str, Any]:  # fmt: skip
    identity, crowd, stop = _identity(profile), Crowd(), asyncio.Event()
    async with _api(address) as api:
        host, feed = await _publish(api, identity)
        sending = asyncio.create_task(host.run(stop))
        try:
            doors = asyncio.Semaphore(JOINS_AT_ONCE)

            async def join() -> None:
                async with doors:
                    await _join(api, identity, feed, crowd)

            await asyncio.gather(*(join() for _ in range(viewers)))
            await asyncio.to_thread(crowd.count, 1.0)  # what has queued in the sockets while others joined
            before, began = cpu_seconds(process_id), time.monotonic()
            # the host goes on in this loop, so the counting, which does not yield, has a thread of its own
            packets, octets = await asyncio.to_thread(crowd.count, seconds)
            elapsed = time.monotonic() - began
            cpu = sum(cpu_seconds(process_id)) - sum(before)
        finally:
            stop.set()
            await sending
            for client in (host, *crowd.clients):
                client.close(goodbye=False)
    due = viewers * PACKETS_PER_VIEWER_SECOND * elapsed
    # by the clock, or by packets as ours is counted: the kinder of the two
    per_core = max(viewers / (cpu / elapsed), packets / cpu / PACKETS_PER_VIEWER_SECOND)
    return {
        "viewers": viewers,
        "profile": profile.decode(),
        "seconds": round(elapsed, 2),
        "packets_counted": packets,
        "delivered": round(packets / due, 3),
        "mbit_per_second": round(octets * 8e-6 / elapsed, 1),
        "cpu_share": round(cpu / elapsed, 4),
        "us_per_packet": round(cpu * 1e6 / max(1, packets), 3),
        "viewers_per_core": round(per_core),
    }


def measure(
    core: int | None, cpu_seconds: Callable[[int], tuple[float, float]], *, viewers: int = 120, seconds: float = 6.0
) -> tuple[dict[str, Any] | None, str]:
    """(figures, note): figures None, and the note why, where Janus is not there or did not keep up.

    Both SRTP profiles are tried and the cheaper one counts: that libsrtp is slow with GCM is not the fault of Janus.

    Args:
        core: the core Janus may use; None pins nothing.
        cpu_seconds: (user, system) time of a process id.
    """
    if shutil.which("janus") is None:
        return None, "janus is not installed (apt-get install janus); this comparison was left out"
    rounds = []
    try:
        for profile in (GCM_PROFILE, CM_PROFILE):
            with _janus(core) as (process_id, address):
                rounds.append(asyncio.run(_load(address, process_id, cpu_seconds, profile, viewers, seconds)))
    except (RuntimeError, OSError, ValueError, TimeoutError, KeyError, SSL.Error, aiohttp.ClientError) as error:
        return None, f"the comparison with janus failed: {error!r}"[:300]
    best = max(rounds, key=lambda each: each["viewers_per_core"])
    said = subprocess.run(["janus", "--version"], capture_output=True, text=True, timeout=10, check=False)
    words = re.search(r"\d+\.\d+\.\d+", said.stdout + said.stderr)
    figures = {**best, "version": words.group(0) if words else "", "rounds": rounds}
    if best["delivered"] < DELIVERED_MIN:
        return figures, f"janus delivered only {best['delivered']:.0%} of the packets: its figure is flattered"
    return figures, ""
