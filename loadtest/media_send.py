"""What one packet costs to send: ours, stock aiortc and a C loop, over the same packets and loopback, on one core."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from aiortc import RTCCertificate, RTCDtlsTransport
from aiortc.rtcdtlstransport import State

from livecommerce.media.tracks.fanout import FanOut
from livecommerce.media.tracks.lane import Lane
from livecommerce.media.tracks.track import Track
from livecommerce.media.transport.srtp import GCM_PROFILE, GcmOutbound, libsrtp_session
from livecommerce.media.transport.udp import Socket
from livecommerce.media.wire import rtp
from loadtest.media_peers import PACKETS_PER_FRAME, PICTURE_BODY_BYTES, SOUND_BODY_BYTES

VIEWERS = 200
# Three frames and five sounds are 100 ms of the reference stream.
FRAMES, SOUNDS = 3, 5
SINKS = 8


def _sinks() -> list[socket.socket]:
    """Bound sockets nobody reads: the kernel drops what does not fit, after the sender has paid for it."""
    found = []
    for _ in range(SINKS):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        found.append(udp)
    return found


def _sender() -> socket.socket:
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setblocking(False)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
    return udp


def ours(seconds: float, core: ModuleType | None) -> float:
    """CPU microseconds a packet of the fan-out: by the compiled core, or with None by Python alone."""
    sinks, udp = _sinks(), _sender()
    out = Socket(udp, core)
    tracks = {"video": Track("video", 90_000), "audio": Track("audio", 48_000)}
    fan_outs = {kind: FanOut(track, out) for kind, track in tracks.items()}
    for index in range(VIEWERS):
        outbound = GcmOutbound(os.urandom(28))
        address = sinks[index % SINKS].getsockname()
        lanes = {kind: Lane(track, 102, outbound, address) for kind, track in tracks.items()}
        for kind, lane in lanes.items():
            lane.start(tracks[kind].head + 1)
        lanes["video"].rider = lanes["audio"]
        fan_outs["video"].add(lanes["video"])
        fan_outs["audio"].add(lanes["audio"], is_riding=True)
    picture, sound = os.urandom(PICTURE_BODY_BYTES), os.urandom(SOUND_BODY_BYTES)
    number = {"video": 0, "audio": 0}

    def take(kind: str, body: bytes, marker: bool) -> None:
        number[kind] += 1
        packet = rtp.RtpPacket(102, marker, number[kind] & 0xFFFF, number[kind], 1, body, 0, b"")
        tracks[kind].take(packet, 1.0)

    began, end = time.process_time(), time.monotonic() + seconds
    while time.monotonic() < end:
        # As `Stream` does with a large audience: a sound rides with each picture, the other two share a send.
        for _ in range(FRAMES):
            take("audio", sound, True)
            for index in range(PACKETS_PER_FRAME):
                take("video", b"\x61" + picture, index == PACKETS_PER_FRAME - 1)
            fan_outs["video"].send(tracks["video"].flush(1.0), (tracks["audio"], tracks["audio"].flush(1.0)[0]))
        for _ in range(SOUNDS - FRAMES):
            take("audio", sound, True)
        fan_outs["audio"].send(tracks["audio"].flush(1.0))
    spent = time.process_time() - began
    counters = out.counters
    for each in (*sinks, udp):
        each.close()
    return spent * 1e6 / (counters.packets + counters.refused)


class _Ice:
    """The transport under a stock RTCDtlsTransport: an asyncio datagram endpoint, as aioice uses."""

    role = "controlled"

    def __init__(self, endpoint: asyncio.DatagramTransport, address: Any) -> None:
        self._endpoint, self._address = endpoint, address

    async def _send(self, data: bytes) -> None:
        self._endpoint.sendto(data, self._address)


async def _aiortc(seconds: float) -> float:
    sinks = _sinks()
    loop = asyncio.get_running_loop()
    endpoint, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, sock=_sender())
    transports = []
    for index in range(VIEWERS):
        transport = RTCDtlsTransport(_Ice(endpoint, sinks[index % SINKS].getsockname()), [CERTIFICATE])
        transport._tx_srtp = libsrtp_session(GCM_PROFILE, os.urandom(28), inbound=False)
        transport._state = State.CONNECTED
        transports.append(transport)
    picture, sound = os.urandom(PICTURE_BODY_BYTES), os.urandom(SOUND_BODY_BYTES)
    number = packets = 0
    began, end = time.process_time(), time.monotonic() + seconds
    while time.monotonic() < end:
        for size, count in ((picture, FRAMES * PACKETS_PER_FRAME), (sound, SOUNDS)):
            for _ in range(count):
                number += 1
                data = b"\x80\x66" + (number & 0xFFFF).to_bytes(2, "big") + bytes(8) + size
                for transport in transports:
                    await transport._send_rtp(data)
                packets += VIEWERS
    spent = time.process_time() - began
    endpoint.close()
    for each in sinks:
        each.close()
    return spent * 1e6 / packets


CERTIFICATE = RTCCertificate.generateCertificate()


def stock_aiortc(seconds: float) -> float:
    """CPU microseconds a packet of `RTCDtlsTransport._send_rtp`, one transport a viewer."""
    return asyncio.run(_aiortc(seconds))


def c_limit(seconds: float) -> tuple[float | None, str]:
    """(CPU microseconds a packet of the C loop, note). None where there is no compiler or no OpenSSL header."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None, "no C compiler"
    source = Path(__file__).with_name("media_limit.c")
    with tempfile.TemporaryDirectory(prefix="media-limit-") as folder:
        program = f"{folder}/limit"
        command = [compiler, "-O2", "-o", program, str(source), "-lcrypto"]
        built = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if built.returncode:
            return None, "the C loop does not build: " + built.stderr.strip().splitlines()[0][:200]
        arguments = [seconds, VIEWERS, PACKETS_PER_FRAME, PICTURE_BODY_BYTES + 1, SOUND_BODY_BYTES]
        ran = subprocess.run(
            [program, *map(str, arguments)], capture_output=True, text=True, timeout=seconds * 5 + 20, check=False
        )
        if ran.returncode:
            return None, "the C loop failed: " + ran.stderr.strip()[:200]
        return float(ran.stdout), "gcc -O2, EVP AES-128-GCM, UDP_SEGMENT"
